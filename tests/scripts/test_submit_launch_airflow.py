import re
import sys
from pathlib import Path

import pytest

from tests.lute.arp.caches import with_ticket
from tests.scripts.conftest import SCRIPTS, Run


def test_the_launcher_is_a_job_of_one_core_with_the_same_arguments(run: Run, config: Path) -> None:
    given = [
        "-c",
        str(config),
        "-w",
        "test",
        "--partition=milano",
        "--account",
        "lcls:x",
        "--ntasks=100",
        "--debug",
    ]
    done = run("submit_launch_airflow.sh", *given)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "Submitted batch job 7\n"
    assert re.search(
        r"^Its log: /.*/launch_test_mfxl1000126_r0012_.*_%J\.out, with", done.stderr, re.M | re.S
    )
    assert done.argv is not None
    job = done.argv.index(str(SCRIPTS / "job_launch.sh"))
    assert done.argv[job + 1 :] == [str(SCRIPTS), *given]
    own = done.argv[:job]
    assert own[:2] == ["--job-name=launch_test", "--ntasks=1"]
    assert own[4:] == ["--open-mode=append", "--partition=milano", "--account=lcls:x"]
    assert done.option("output")[0].startswith("launch_test_mfxl1000126_r0012_")


def test_sbatchs_exit_code_is_kept(run: Run, config: Path) -> None:
    done = run(
        "submit_launch_airflow.sh",
        "-c",
        str(config),
        "-w",
        "test",
        SBATCH_SAYS="sbatch: error: no",
        SBATCH_EXIT="3",
    )
    assert (done.exit_code, done.stderr) == (3, "sbatch: error: no\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "usage: submit_launch_airflow.sh -c CONFIG {-w WORKFLOW | -W FILE}"),
        (["-w", "test"], "-c/--config"),
        (["-c", "/no/such.yaml", "-w", "test"], "/no/such.yaml"),
        (["-c", "CONFIG", "-w", "test", "--partitoin=milano"], "partition"),
        (["-c", "CONFIG", "-w", "a/b"], "not the name of a workflow"),
        (["-c", "CONFIG", "-w", "test", "--test"], "this site has no test instance"),
    ],
)
def test_mistakes_are_told_before_anything_is_submitted(
    run: Run, config: Path, arguments: list[str], message: str
) -> None:
    done = run("submit_launch_airflow.sh", *[str(config) if word == "CONFIG" else word for word in arguments])
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.argv is None


def test_a_python_without_the_dependencies_is_told_before_anything_is_submitted(
    run: Run, config: Path
) -> None:
    bare = config.with_name("bare_python")
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    done = run("submit_launch_airflow.sh", "-c", str(config), "-w", "test", LUTE_PYTHON=str(bare))
    assert done.exit_code == 2
    assert "has no module" in done.stderr
    assert "LUTE_PYTHON" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.argv is None


@pytest.mark.parametrize("words", [["-h"], ["-c", "x", "-w", "y", "--help"]])
def test_help_submits_nothing(run: Run, words: list[str]) -> None:
    done = run("submit_launch_airflow.sh", *words)
    assert done.exit_code == 0
    assert "usage:" in done.stdout
    assert done.argv is None


def cache_for(env: dict[str, str], folder: Path) -> Path:
    users = folder / "krb5cc"
    users.write_bytes(with_ticket(ends_s=4_000_000_000))
    env["KRB5CCNAME"] = f"FILE:{users}"
    return users


def copies(tmp_path: Path) -> list[Path]:
    root = tmp_path / "home" / ".lute" / "krb5"
    return list(root.iterdir()) if root.is_dir() else []


def test_the_launcher_gets_a_copy_of_the_users_tickets(
    run: Run, config: Path, folder: Path, tmp_path: Path
) -> None:
    env: dict[str, str] = {}
    users = cache_for(env, folder)
    done = run("submit_launch_airflow.sh", "-c", str(config), "-w", "test", **env)
    assert (done.exit_code, done.stdout) == (0, "Submitted batch job 7\n"), done.stderr
    (copy,) = copies(tmp_path)
    assert done.env["KRB5CCNAME"] == f"FILE:{copy}/ccache"
    assert (copy / "ccache").read_bytes() == users.read_bytes()


def test_without_a_job_there_is_no_copy(run: Run, config: Path, folder: Path, tmp_path: Path) -> None:
    env: dict[str, str] = {"SBATCH_SAYS": "sbatch: error: no", "SBATCH_EXIT": "3"}
    users = cache_for(env, folder)
    done = run("submit_launch_airflow.sh", "-c", str(config), "-w", "test", **env)
    assert (done.exit_code, done.stderr) == (3, "sbatch: error: no\n")
    assert "/.lute/krb5/" in done.env["KRB5CCNAME"]  # there was one
    assert copies(tmp_path) == []
    assert users.is_file()


def test_tickets_stay_where_there_may_be_a_job(run: Run, config: Path, folder: Path, tmp_path: Path) -> None:
    env: dict[str, str] = {
        "SBATCH_SAYS": "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
        "SBATCH_EXIT": "1",
    }
    cache_for(env, folder)
    assert run("submit_launch_airflow.sh", "-c", str(config), "-w", "test", **env).exit_code == 1
    assert len(copies(tmp_path)) == 1


def test_a_dry_run_is_none_of_slurms_business(run: Run, config: Path, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/bash\n[[ "$1" != */launch_airflow.py ]] || {{ echo "dry: ${{*:2}}"; exit 2; }}\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    python.chmod(0o755)
    words = ["-c", str(config), "-w", "test", "--dry-run"]
    done = run("submit_launch_airflow.sh", *words, LUTE_PYTHON=str(python))
    assert (done.exit_code, done.stdout, done.argv) == (2, f"dry: {' '.join(words)}\n", None)


def test_tickets_that_cannot_be_copied_stop_nobody(run: Run, config: Path) -> None:
    done = run("submit_launch_airflow.sh", "-c", str(config), "-w", "test", KRB5CCNAME="KCM:1000")
    assert (done.exit_code, done.env["KRB5CCNAME"]) == (0, "KCM:1000")
    assert "warning: the Kerberos cache KCM:1000 cannot be copied" in done.stderr


def test_the_launcher_knows_the_job_that_is_its_own(run: Run, tmp_path: Path) -> None:
    """So that it goes on with its run when Slurm starts that job again."""
    python = tmp_path / "python"
    python.write_text('#!/bin/bash\nprintf "%s|" "$LUTE_LAUNCHER_JOB" "$@"\n')
    python.chmod(0o755)
    done = run("job_launch.sh", str(SCRIPTS), "-w", "a b", LUTE_PYTHON=str(python), SLURM_JOB_ID="77")
    assert done.stdout == f"77|{SCRIPTS}/launch_airflow.py|-w|a b|"
