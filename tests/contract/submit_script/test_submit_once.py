"""A step's try is submitted once: the same stories for the script and for its stand-in."""

import copy
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lute.seams.commands import Completed
from simulators.jid.submit_once import Records, Submitter
from simulators.jid.submit_script import Refusal, submit
from tests.contract.submit_script import tiny_slurm

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "submit_slurm.sh"
STEP = "run%3A1@lute_test/group.Tester/-1"
WORDS = ["-c", "config.yaml", "-t", "Tester", "-p", "m", "-A", "a", "--submission-id", STEP]
Said = tuple[int | None, str, str]
"""Exit code (None: killed), stdout, stderr."""


class ScriptLeg:
    """The script itself, with commands that keep their state in a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in ("sbatch", "squeue", "scontrol", "scancel"):
            text = Path(tiny_slurm.__file__).read_text()
            (self.bin / name).write_text(f"#!{sys.executable} -IS\n{text}")
            (self.bin / name).chmod(0o755)
        (self.bin / "sleep").write_text("#!/bin/sh\n")
        (self.bin / "sleep").chmod(0o755)
        self.change(lambda state: state.update(copy.deepcopy(tiny_slurm.NEW)))

    def change(self, how: Callable[[dict[str, Any]], object]) -> None:
        file = self.folder / "slurm.json"
        state = json.loads(file.read_text()) if file.exists() else {}
        how(state)
        file.write_text(json.dumps(state))

    def call(self, words: Sequence[str]) -> Said:
        env = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "LUTE_SITE": "local",
            "TINY_SLURM": str(self.folder / "slurm.json"),
        }
        done = subprocess.run(
            [SCRIPT, *words], cwd=self.folder, env=env, capture_output=True, text=True, timeout=60,
            check=False, start_new_session=True,
        )  # fmt: skip
        return (None if done.returncode < 0 else done.returncode), done.stdout, done.stderr

    def age(self, number: int) -> None:
        for attempt in self._try(number).glob("attempt-*"):
            os.utime(attempt, (time.time() - 90, time.time() - 90))

    def ended(self, job: str, code: int) -> None:
        (self.folder / f".lute/submissions/{STEP}/ended-{job}").write_text(f"{code}\n")

    def calls(self) -> list[list[str]]:
        return list(json.loads((self.folder / "slurm.json").read_text())["calls"])

    def _try(self, number: int) -> Path:
        return self.folder / f".lute/submissions/{STEP}/try-{number}"


class StandInLeg:
    """The stand-in, with the same commands in process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = copy.deepcopy(tiny_slurm.NEW)
        self.records = Records()

    def change(self, how: Callable[[dict[str, Any]], object]) -> None:
        how(self.state)

    def call(self, words: Sequence[str]) -> Said:
        does = submit(
            [str(SCRIPT), *words],
            {},
            datetime.now(UTC),
            cwd=str(self.folder),
            is_file=lambda path: Path(path).is_file(),
        )
        if isinstance(does, Refusal):
            return does.exit_code, does.stdout, does.stderr
        assert does.once is not None
        submitter = Submitter(does.once, self.records, lambda argv, _limit_s: self._run(argv), time.time())
        try:
            done = submitter.call(does.argv)
        except tiny_slurm.Killed:
            return None, "", ""
        return done.exit_code, done.stdout, does.stderr + done.stderr

    def age(self, number: int) -> None:
        attempts = self.records.of(STEP, number).attempts
        attempts.update(dict.fromkeys(attempts, time.time() - 90))

    def ended(self, job: str, code: int) -> None:
        self.records.exit_codes[STEP, job] = code

    def calls(self) -> list[list[str]]:
        return list(self.state["calls"])

    def _run(self, argv: Sequence[str]) -> Completed:
        return Completed(*tiny_slurm.run(self.state, list(argv)))


Leg = ScriptLeg | StandInLeg
Act = Callable[[Leg], Said | None]


def ask(number: int = 1, *more: str) -> Act:
    return lambda leg: leg.call([*WORDS, "--try", str(number), *more])


def slurm(**changes: Any) -> Act:
    return lambda leg: leg.change(lambda state: state.update(changes))


def job_is(job: int, state: str | None) -> Act:
    def how(held: dict[str, Any]) -> None:
        if state is None:
            del held["jobs"][str(job)]
        else:
            held["jobs"][str(job)] = state

    return lambda leg: leg.change(how)


def age(number: int = 1) -> Act:
    return lambda leg: leg.age(number)


def ended(job: int, code: int) -> Act:
    return lambda leg: leg.ended(str(job), code)


def config_has_gone(leg: Leg) -> None:
    (leg.folder / "config.yaml").unlink()


# ruff: noqa: E501 - a story is a line
STORIES: dict[str, tuple[list[Act], int]] = {
    "asked again": ([ask(), ask(), ask()], 1),
    "asked again after its end": ([ask(), job_is(1, "FAILED"), ask()], 1),
    "asked again, forgotten": ([ask(), job_is(1, None), ended(1, 0), ask()], 1),
    "asked again, forgotten, failed": ([ask(), job_is(1, None), ended(1, 3), ask()], 1),
    "asked again, gone": ([ask(), job_is(1, None), ask()], 1),
    "asked again, Slurm is down": ([ask(), slurm(down=True), ask(), slurm(down=False), ask()], 1),
    "sbatch lost its reply": ([slurm(sbatch="lost"), ask(), ask()], 1),
    "sbatch lost its request": ([slurm(sbatch="lost before"), ask(), ask(), age(), ask(), ask()], 1),
    "sbatch lost its reply, then squeue is down": (
        [slurm(sbatch="lost", down=True), ask(), slurm(down=False), ask()], 1,
    ),
    "killed after the submission": ([slurm(sbatch="killed"), ask(), ask()], 1),
    "killed, and Slurm has forgotten": ([slurm(sbatch="killed"), ask(), job_is(1, None), ask(), age(), ask()], 2),
    "killed before the submission": ([slurm(sbatch="killed before"), ask(), ask(), age(), ask(), ask()], 1),
    "killed before, twice": (
        [slurm(sbatch="killed before"), ask(), age(), slurm(sbatch="killed before"), ask(), ask(), age(), ask()], 1,
    ),
    "killed, and squeue is down": ([slurm(sbatch="killed"), ask(), slurm(down=True), ask()], 1),
    "Slurm is down": ([slurm(sbatch="down"), ask(), ask()], 1),
    "Slurm is busy": ([slurm(sbatch="busy"), ask(), ask()], 1),
    "refused": ([slurm(sbatch="refused"), ask(), ask()], 1),
    "refused although it is there": ([slurm(sbatch="accepted"), ask(), ask(), ask(2, "--cleared-at", "1")], 2),
    "busy, and then it lost its reply": ([slurm(sbatch="busy, lost"), ask(), ask(), ask(2)], 1),
    "no word of the job": ([slurm(sbatch="no word"), ask(), ask()], 1),
    "the configuration has gone": (
        [ask(), config_has_gone, ask(), ask(1, "--known-job", "1"), ask(2), job_is(1, "FAILED"), ask(3), ask(1, "--cancel")],
        1,
    ),
    "a known job": (
        [
            ask(), ask(1, "--known-job", "1"), ask(1, "--known-job", "7"), job_is(1, "FAILED"), ask(1, "--known-job", "1"),
            job_is(1, None), ended(1, 4), ask(1, "--known-job", "1"), ask(1, "--known-job", "x"), slurm(down=True),
            ask(1, "--known-job", "1"),
        ],
        1,
    ),
    "a known job of which no record is left": ([ask(1, "--known-job", "1")], 0),
    "a try after one that Slurm ended although its Task was done": (
        [ask(), job_is(1, "TIMEOUT"), ended(1, 0), ask(2)], 2,
    ),
    "a try after one that runs": ([ask(), ask(2), ask(2), ask(3)], 1),
    "a try after one that succeeded": ([ask(), job_is(1, "COMPLETED"), ask(2)], 1),
    "a try after one that failed": ([ask(), job_is(1, "TIMEOUT"), ask(2), ask(2)], 2),
    "a try after one that was forgotten": ([ask(), job_is(1, None), ask(2)], 2),
    "a try after one that succeeded and was forgotten": ([ask(), job_is(1, None), ended(1, 0), ask(2), ask(3)], 1),
    "a try after one that failed and was forgotten": ([ask(), job_is(1, None), ended(1, 1), ask(2)], 2),
    "a try after one that nobody knows of": ([slurm(sbatch="killed"), ask(), ask(2)], 1),
    "a try after one that never was": ([slurm(sbatch="refused"), ask(), ask(2)], 1),
    "a try after one, Slurm is down": ([ask(), slurm(down=True), ask(2)], 1),
    "a try after a gap": ([ask(), ask(12)], 1),
    "done again": ([ask(), job_is(1, "COMPLETED"), ask(2, "--cleared-at", "1")], 2),
    "done again while it runs": ([ask(), ask(2, "--cleared-at", "1")], 2),
    "done again while it cannot be cancelled": (
        [ask(), slurm(deaf=True), ask(2, "--cleared-at", "1"), slurm(deaf=False), ask(2, "--cleared-at", "1")], 2,
    ),
    "done again, and a retry of that": (
        [ask(), job_is(1, "FAILED"), ask(2, "--cleared-at", "1"), ask(3, "--cleared-at", "1")], 2,
    ),
    "cancelled": ([ask(), ask(1, "--cancel"), ask()], 1),
    "cancelled before": ([ask(1, "--cancel"), ask(), ask(1, "--cancel"), ask(2)], 1),
    "cancelled, and nobody knows of it": ([slurm(sbatch="killed"), ask(), ask(1, "--cancel"), ask()], 1),
    "cancelled, Slurm is down": ([ask(), slurm(down=True), ask(1, "--cancel"), slurm(down=False), ask()], 1),
    "cancelled before, Slurm is down": ([slurm(down=True), ask(1, "--cancel"), slurm(down=False), ask()], 0),
    "wrong words": (
        [
            ask(1, "--submission-id"), ask(1, "--try"), ask(1, "--try", "0"), ask(1, "--try", "x\n1"),
            ask(1, "--cleared-at", "-1"), ask(1, "--submission-id", "a/b"), ask(1, "--submission-id", "../b/c"),
            ask(1, "--submission-id", "a/.b/c"), ask(1, "--submission-id", "a/b/c/d"),
            ask(1, "--submission-id", "a/b/c d"), ask(1, "--submission-id", ""),
        ],
        0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_the_script_and_its_stand_in_tell_the_same_story(story: str, tmp_path: Path) -> None:
    acts, jobs = STORIES[story]
    if story == "wrong words":
        acts = acts[:-1]  # the last of them submits plainly, which is another suite's
    told = []
    for leg in (ScriptLeg(tmp_path), StandInLeg(tmp_path)):
        (tmp_path / "config.yaml").write_text("title: t\n")
        told.append(([said for act in acts if (said := act(leg)) is not None], leg.calls()))
    assert told[0] == told[1]
    submitted = [call for call in told[0][1] if call[0] == "sbatch"]
    wished = {re.sub(r".*--comment=(\S+).*", r"\1", " ".join(call)) for call in submitted}
    assert all(mark.startswith(f"lute:{STEP}:") for mark in wished)
    state = tmp_path / "slurm.json"
    assert len(json.loads(state.read_text())["marks"]) == jobs


def test_the_stories_reach_every_end(tmp_path: Path) -> None:
    ends = set()
    for acts, _ in STORIES.values():
        leg = StandInLeg(tmp_path)
        (tmp_path / "config.yaml").write_text("title: t\n")
        for act in acts[:-1] if len(acts) > 10 else acts:
            if (said := act(leg)) is not None:
                ends.add((said[0], re.sub(r"\d+", "N", said[2].partition("\n")[0])))
    assert {code for code, _ in ends} == {None, 0, 1, 2, 75, 76}
    assert len(ends) > 15


def test_a_record_that_is_damaged_or_foreign_stops_the_script(tmp_path: Path) -> None:
    leg = ScriptLeg(tmp_path)
    (tmp_path / "config.yaml").write_text("title: t\n")
    assert leg.call([*WORDS, "--try", "1"])[0] == 0
    record = tmp_path / f".lute/submissions/{STEP}/try-1/job"
    for text in ("", "job=1\n", "job=x\nmark=y\n", f"job=1\nmark=lute:{STEP}:2\n", "\x00\xff"):
        record.write_text(text, encoding="latin-1")
        code, stdout, stderr = leg.call([*WORDS, "--try", "1"])
        assert (code, stdout) == (1, "")
        assert "is damaged or somebody else's" in stderr
    record.unlink()
    record.symlink_to("/etc/passwd")
    assert leg.call([*WORDS, "--try", "1"])[0] == 1


def test_two_at_the_same_moment_submit_one_job(tmp_path: Path) -> None:
    leg = ScriptLeg(tmp_path)
    (tmp_path / "config.yaml").write_text("title: t\n")
    (leg.bin / "sleep").unlink()
    env = {
        "PATH": f"{leg.bin}:{os.environ['PATH']}",
        "LUTE_SITE": "local",
        "TINY_SLURM": str(tmp_path / "slurm.json"),
    }
    both = [
        subprocess.Popen([SCRIPT, *WORDS], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert {one.communicate(timeout=60)[0] for one in both} == {"Submitted batch job 1\n"}
    assert len([call for call in leg.calls() if call[0] == "sbatch"]) == 1


def test_records_are_readable_and_old_ones_are_removed(tmp_path: Path) -> None:
    leg = ScriptLeg(tmp_path)
    (tmp_path / "config.yaml").write_text("title: t\n")
    records = tmp_path / ".lute/submissions"
    for name, inside, days in (
        ("old", "Tester/-1/try-1", 40),
        ("new", "Tester/-1/try-1", 20),
        ("some body's", "precious/data", 40),
    ):
        (records / name / inside).mkdir(parents=True)
        os.utime(records / name, (time.time() - days * 86400,) * 2)
    assert leg.call([*WORDS, "--try", "1"])[0] == 0
    assert sorted(path.name for path in records.iterdir()) == [
        ".cleaned",
        "new",
        "run%3A1@lute_test",
        "some body's",
    ]
    text = (records / STEP / "try-1/job").read_text()
    assert re.fullmatch(rf"job=1\nmark=lute:{re.escape(STEP)}:1\nrecorded=20\S+Z\n", text)


@pytest.mark.parametrize(
    ("record", "runs"),
    [("none", True), ("own", True), ("other", False), ("cancelled", False), ("missing", True)],
)
def test_a_job_runs_only_if_it_is_the_one_of_its_record(tmp_path: Path, record: str, runs: bool) -> None:
    own = tmp_path / "rec ord/r/Tester/-1/try-1"
    if record != "missing":
        own.mkdir(parents=True)
    job = {"own": "7", "other": "8"}.get(record)
    if job:
        (own / "job").write_text(f"job={job}\nmark=lute:r/Tester/-1:1\n")
    if record == "cancelled":
        (own / "cancelled").touch()
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    done = subprocess.run(
        [SCRIPT.with_name("job_task.sh"), SCRIPT.parent, "--record", own, "r/Tester/-1", "1", "-c", "c d", "-t", "T"],
        env={"PATH": os.environ["PATH"], "LUTE_SITE": "local", "LUTE_PYTHON": str(python), "SLURM_JOB_ID": "7"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == (0 if runs else 1)
    if runs:
        ended_file = own.parent / "ended-7"
        assert done.stdout.splitlines() == [
            "-P", "-m", "lute.run_task", "--exit-code-file", str(ended_file), "-c", "c d", "-t", "T"
        ]  # fmt: skip
