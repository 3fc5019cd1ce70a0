"""What happens to the submit script while it is busy, or on a disk that is full."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.contract.submit_script.test_submit_once import SCRIPT, STEP, WORDS, ScriptLeg


@pytest.fixture
def leg(tmp_path: Path) -> ScriptLeg:
    """Return the script's leg, in whose sbatch the file `meanwhile` is run once, before anything else."""
    leg = ScriptLeg(tmp_path)
    (tmp_path / "config.yaml").write_text("title: t\n")
    (leg.bin / "real").mkdir()
    (leg.bin / "sbatch").rename(leg.bin / "real" / "sbatch")
    (leg.bin / "sbatch").write_text(
        f'#!/bin/bash\ncd "{tmp_path}"\nif mv meanwhile now 2>/dev/null; then . ./now; fi\n'
        f'exec "{leg.bin}/real/sbatch" "$@"\n'
    )
    (leg.bin / "sbatch").chmod(0o755)
    return leg


def running(leg: ScriptLeg) -> list[str]:
    state = json.loads((leg.folder / "slurm.json").read_text())
    return [state["marks"][job] for job, word in state["jobs"].items() if word == "RUNNING"]


@pytest.mark.parametrize("more", [[], ["--cleared-at", "1"]])
def test_a_try_that_is_being_submitted_never_runs_beside_the_next(leg: ScriptLeg, more: list[str]) -> None:
    later = " ".join(f"'{word}'" for word in [str(SCRIPT), *WORDS, "--try", "2", *more])
    (leg.folder / "meanwhile").write_text(f"{later} >'{leg.folder}/later' 2>&1\n")
    code, stdout, stderr = leg.call([*WORDS, "--try", "1"])
    assert (code, stdout) == (1, "")
    assert "try 1 was cancelled" in stderr
    assert "Submitted batch job" in (leg.folder / "later").read_text()
    assert running(leg) == [f"lute:{STEP}:2"]


def test_a_record_that_cannot_be_written_loses_no_job(leg: ScriptLeg) -> None:
    (leg.bin / "ln").write_text("#!/bin/sh\nexit 1\n")
    (leg.bin / "ln").chmod(0o755)
    for _ in range(2):
        assert leg.call([*WORDS, "--try", "1"])[:2] == (0, "Submitted batch job 1\n")
    assert leg.call([*WORDS, "--try", "2"])[:2] == (0, "Submitted batch job 1\n")
    assert running(leg) == [f"lute:{STEP}:1"]


def test_a_full_disk_leaves_no_damaged_record(leg: ScriptLeg) -> None:
    # /dev/full takes nothing, as a disk without room; bash then tells of an error, as there.
    (leg.bin / "mktemp").write_text(
        f'#!/bin/sh\nln -s /dev/full "{leg.folder}/draft"\necho "{leg.folder}/draft"\n'
    )
    (leg.bin / "mktemp").chmod(0o755)
    assert leg.call([*WORDS, "--try", "1"])[:2] == (0, "Submitted batch job 1\n")
    assert not (leg.folder / f".lute/submissions/{STEP}/try-1/job").exists()
    (leg.bin / "mktemp").unlink()
    assert leg.call([*WORDS, "--try", "1"])[:2] == (0, "Submitted batch job 1\n")
    assert (leg.folder / f".lute/submissions/{STEP}/try-1/job").exists()
    assert running(leg) == [f"lute:{STEP}:1"]


def test_a_job_is_cancelled_although_that_cannot_be_noted(leg: ScriptLeg) -> None:
    assert leg.call([*WORDS, "--try", "1"])[0] == 0
    (leg.folder / f".lute/submissions/{STEP}/try-1/cancelled").mkdir()  # as good as not to be written
    assert leg.call([*WORDS, "--try", "1", "--cancel"])[0] == 0
    assert running(leg) == []
    (leg.folder / f".lute/submissions/{STEP}/try-2/cancelled").mkdir(parents=True)
    code, _, stderr = leg.call([*WORDS, "--try", "2", "--cancel"])
    assert (code, "the records cannot be written" in stderr) == (1, True)


def test_a_folder_whose_name_is_a_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "run[1] *"
    folder.mkdir()
    leg = ScriptLeg(folder)
    (folder / "config.yaml").write_text("title: t\n")
    leg.change(lambda state: state.update(sbatch="killed"))
    assert leg.call([*WORDS, "--try", "1"])[0] is None
    assert leg.call([*WORDS, "--try", "1"])[:2] == (0, "Submitted batch job 1\n")
    assert running(leg) == [f"lute:{STEP}:1"]


def test_records_in_a_folder_that_takes_no_new_file_do_not_fail_the_step(leg: ScriptLeg) -> None:
    (leg.folder / ".lute/submissions/.cleaned").mkdir(parents=True)  # as good as not to be written
    os.utime(leg.folder / ".lute/submissions/.cleaned", (0, 0))
    assert leg.call([*WORDS, "--try", "1"])[:2] == (0, "Submitted batch job 1\n")


def test_a_job_that_slurm_starts_again_forgets_how_it_had_ended(tmp_path: Path) -> None:
    record = tmp_path / "r/Tester/-1/try-1"
    record.mkdir(parents=True)
    (record.parent / "ended-7").write_text("0\n")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\ncase $* in *run_task*) kill -9 $$ ;; esac\n")
    python.chmod(0o755)
    subprocess.run(
        [
            SCRIPT.with_name("job_task.sh"),
            SCRIPT.parent,
            "--record",
            record,
            "r/Tester/-1",
            "1",
            "-c",
            "c",
            "-t",
            "T",
        ],
        env={
            "PATH": os.environ["PATH"],
            "LUTE_SITE": "local",
            "LUTE_PYTHON": str(python),
            "SLURM_JOB_ID": "7",
        },
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert not (record.parent / "ended-7").exists()


def test_an_exit_code_that_is_none_is_not_told(leg: ScriptLeg) -> None:
    assert leg.call([*WORDS, "--try", "1"])[0] == 0
    leg.change(lambda state: state["jobs"].clear())
    (leg.folder / f".lute/submissions/{STEP}/ended-1").write_text("0x7 oops\n")
    code, _, stderr = leg.call([*WORDS, "--try", "1"])
    assert (code, "left no exit code" in stderr) == (76, True)
