"""A stand-in for scripts/submission.sh: the records of submissions, in memory.

`tests/contract/submit_script` runs the same cases over this and over the script itself. A call is one moment
of virtual time; what it would have waited for is counted.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from lute.seams.commands import CommandTimeout, Completed

ATTEMPT_LIVES_S = 60.0
"""After so long the script takes an attempt for dead that has left no job."""
_CLAIM_WAIT_S = 15.0
_ANSWER_LIMIT_S = 10.0
_FAILED = frozenset(
    {
        "BOOT_FAIL", "CANCELLED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",
        "TIMEOUT",
    }
)  # fmt: skip
_KILLED = 128
_NOT_FOR_NOW = ("Unable to contact slurm controller", "temporarily unable to accept job")
_NOT_KNOWN = ("timed out", "Zero Bytes were transmitted", "Connection reset")

RunCommand = Callable[[Sequence[str], float], Completed]
"""Runs a command of Slurm with a time limit in seconds; raises CommandTimeout beyond it."""


@dataclass(frozen=True)
class Once:
    """What the script's arguments say about submitting once.

    Attributes:
        submission: `RUN/TASK/INDEX`.
        cleared_at: tries up to this one are to be done again.
        known_job: only tell how this job is.
        cancel: cancel this try instead.
        refusal: what the script says instead of submitting anything; empty where nothing is in the way.
    """

    submission: str
    number: int = 1
    cleared_at: int = 0
    known_job: str = ""
    cancel: bool = False
    refusal: str = ""

    def mark(self, number: int) -> str:
        """Return the comment of a try's job."""
        return f"lute:{self.submission}:{number}"


@dataclass
class Try:
    """The record of one try."""

    job: str = ""
    attempts: dict[int, float] = field(default_factory=dict)
    is_cancelled: bool = False


@dataclass
class Records:
    """All records.

    Attributes:
        tries: submission -> number -> record.
        exit_codes: (submission, job id) -> what the job itself left at its end.
    """

    tries: dict[str, dict[int, Try]] = field(default_factory=dict)
    exit_codes: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, submission: str, number: int) -> Try:
        """Return the record of a try, made if it is not there."""
        return self.tries.setdefault(submission, {}).setdefault(number, Try())

    def may_run(self, comment: str, job_id: int) -> bool:
        """Tell whether a job that starts is the one of its try, and let it be that if there is none yet."""
        found = re.fullmatch(r"lute:(.+):(\d+)", comment)
        if not found:
            return True
        record = self.of(found[1], int(found[2]))
        record.job = record.job or str(job_id)
        return not record.is_cancelled and record.job == str(job_id)

    def ended(self, comment: str, job_id: int, exit_code: int) -> None:
        """Take what a job leaves at its end."""
        found = re.fullmatch(r"lute:(.+):\d+", comment)
        if found:
            self.exit_codes[found[1], str(job_id)] = exit_code


class _End(Exception):
    """The script ends."""

    def __init__(self, exit_code: int, *, stdout: str = "", stderr: str = "") -> None:
        super().__init__()
        self.exit_code, self.stdout, self.stderr = exit_code, stdout, stderr


def _give_up(exit_code: int, text: str) -> _End:
    return _End(exit_code, stderr=f"submit_slurm.sh: {text}\n")


def _again(why: str) -> _End:
    return _give_up(75, f"try again: {why}")


class Submitter:
    """One call of the script.

    Args:
        run: runs Slurm's commands.
        now_s: the time, in POSIX seconds.

    Attributes:
        waited_s: how long the call has waited beside the commands.
    """

    def __init__(self, once: Once, records: Records, run: RunCommand, now_s: float) -> None:
        self.waited_s = 0.0
        self._once = once
        self._records = records
        self._run = run
        self._now_s = now_s
        self._said = ""

    def call(self, sbatch: Sequence[str]) -> Completed:
        """Do what the arguments say: submit the step unless it has a job, cancel it, or tell of its job.

        Raises:
            CommandTimeout: sbatch took longer than the JID waits.
        """
        try:
            if self._once.cancel:
                self._cancel()
            elif job := self._once.known_job:
                self._answer(job, self._state(job))
            self._submit(sbatch)
        except _End as end:
            return Completed(end.exit_code, end.stdout, self._said + end.stderr)

    def _submit(self, sbatch: Sequence[str]) -> NoReturn:
        number, submission = self._once.number, self._once.submission
        known = self._records.tries.get(submission, {})
        job = self._job_of_try(number)
        if job:
            self._answer(job, self._state(job))
        if self._once.refusal:
            raise _End(2, stderr=self._once.refusal)
        self._settle_earlier_tries(known)
        record = self._records.of(submission, number)
        self._refuse_cancelled(record)
        attempt = self._claim(record)
        done = self._run(sbatch, math.inf)
        self._said += done.stderr
        found = re.search(r"Submitted batch job (\d+)", done.stdout)
        is_done = found is not None and done.exit_code == 0
        job = found[1] if found and is_done else self._without_a_reply(record, attempt, done)
        record.job = record.job or job
        if record.job != job:
            self._run(["scancel", job], math.inf)
            job = record.job
        raise _End(0, stdout=f"Submitted batch job {job}\n")

    def _settle_earlier_tries(self, known: dict[int, Try]) -> None:
        for earlier in sorted((number for number in known if number < self._once.number), reverse=True):
            job = self._job_of_try(earlier)
            is_unwanted = not job or earlier <= self._once.cleared_at
            if is_unwanted:
                known[earlier].is_cancelled = True
                job = self._job_of_try(earlier)
            if not job:
                continue
            state = self._state(job)
            if is_unwanted:
                if state != "active":
                    return
                self._limited(["scancel", job])
                self.waited_s += 1
                if self._state(job) == "active":
                    raise _again(f"job {job} of try {earlier} is being cancelled")
                return
            code = self._records.exit_codes.get((self._once.submission, job))
            if state in ("active", "succeeded") or (state == "gone" and code == 0):
                mine = self._records.of(self._once.submission, self._once.number)
                mine.job = mine.job or job
                self._said += f"submit_slurm.sh: going on with job {job} of try {earlier}\n"
                self._answer(job, state)
            return

    def _claim(self, record: Try) -> int:
        number = 1
        while number in record.attempts:
            young = self._now_s - record.attempts[number] < ATTEMPT_LIVES_S
            if young and number + 1 not in record.attempts:
                self.waited_s += _CLAIM_WAIT_S
                raise _again("another submission of this try is under way")
            number += 1
        record.attempts[number] = self._now_s
        return number

    def _without_a_reply(self, record: Try, attempt: int, done: Completed) -> str:
        is_killed = done.exit_code == 0 or done.exit_code >= _KILLED
        if is_killed or any(text in done.stderr for text in _NOT_KNOWN):
            job = self._marked_job(self._once.number)
            if not job:
                raise _again("sbatch got no reply: the job may appear yet")
            return job
        if any(text in done.stderr for text in _NOT_FOR_NOW):
            del record.attempts[attempt]
            raise _again("Slurm does not answer")
        if job := self._marked_job(self._once.number):
            return job
        del record.attempts[attempt]
        raise _give_up(done.exit_code, "error: sbatch refused the step")

    def _cancel(self) -> NoReturn:
        number = self._once.number
        record = self._records.of(self._once.submission, number)
        record.is_cancelled = True
        job = record.job or self._marked_job(number)
        if not job:
            raise _End(0, stdout=f"submit_slurm.sh: try {number} has no job: nothing to cancel\n")
        if (done := self._limited(["scancel", job])) is None or done.exit_code:
            self._said += done.stderr if done else ""
            raise _again("scancel failed")
        raise _End(0, stdout=f"Submitted batch job {job}, and cancelled it\n")

    def _refuse_cancelled(self, record: Try) -> None:
        if record.is_cancelled:
            raise _give_up(1, f"error: try {self._once.number} was cancelled")

    def _answer(self, job: str, state: str) -> NoReturn:
        if state != "gone":
            raise _End(0, stdout=f"Submitted batch job {job}\n")
        code = self._records.exit_codes.get((self._once.submission, job))
        if code is None:
            raise _give_up(76, f"job {job} is gone: Slurm has forgotten it, and it left no exit code")
        raise _give_up(76, f"job {job} has ended with exit code {code}")

    def _job_of_try(self, number: int) -> str:
        record = self._records.tries.get(self._once.submission, {}).get(number)
        if record is None:
            return ""
        if not record.job and record.attempts:
            record.job = self._marked_job(number)
        return record.job

    def _marked_job(self, number: int) -> str:
        done = self._limited(["squeue", "--me", "--noheader", "--states=all", "--format=%i %k"])
        if done is None or done.exit_code != 0:
            raise _again("Slurm does not answer, so that nobody knows whether the step has a job")
        for line in done.stdout.splitlines():
            job, _, comment = line.partition(" ")
            if comment == self._once.mark(number):
                return job
        return ""

    def _state(self, job: str) -> str:
        done = self._limited(["scontrol", "--oneliner", "show", "job", job])
        if done is None or done.exit_code != 0:
            if done is not None and "Invalid job id" in done.stderr:
                return "gone"
            raise _again(f"Slurm does not answer about job {job}")
        word = done.stdout.partition("JobState=")[2].partition(" ")[0]
        return "succeeded" if word == "COMPLETED" else "failed" if word in _FAILED else "active"

    def _limited(self, argv: Sequence[str]) -> Completed | None:
        try:
            return self._run(argv, _ANSWER_LIMIT_S)
        except CommandTimeout:
            return None
