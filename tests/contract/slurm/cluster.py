"""What the tests do with a Slurm, whichever it is."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.contract.slurm.legs import Answer, Leg
from tests.contract.slurm.script import Script

WAIT_S = 30.0


class Slurm:
    """A cluster, and shorthands for its commands."""

    def __init__(self, leg: Leg) -> None:
        self.leg = leg
        self._count = 0

    @property
    def work(self) -> Path:
        """The folder in which commands run."""
        return self.leg.work

    def run(self, *argv: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Answer:
        """Run a command."""
        return self.leg.run(*argv, stdin=stdin, env=env)

    def script(self, script: Script, name: str = "") -> str:
        """Write a script into the work folder and return its name."""
        self._count += 1
        name = name or f"script{self._count}"
        script.write(self.work / name)
        return name

    def submit(
        self, script: Script | None = None, *options: str, env: Mapping[str, str] | None = None
    ) -> str:
        """Submit a script and return the job's id."""
        answer = self.run("sbatch", "--parsable", *options, self.script(script or Script()), env=env)
        assert answer.code == 0, answer
        return answer.out.strip()

    def record(self, job_id: str, *options: str) -> dict[str, str]:
        """Return what `scontrol show job` says of a job, by key."""
        answer = self.run("scontrol", "-o", *options, "show", "job", job_id)
        assert answer.code == 0, answer
        first = answer.out.splitlines()[0]
        found = re.findall(r"(?:^| )([A-Za-z][A-Za-z/:_]*)=((?:(?! [A-Za-z][A-Za-z/:_]*=).)*)", first)
        return {key: value.strip() for key, value in found}

    def state(self, job_id: str) -> str:
        """Return `STATE Reason ExitCode` of a job."""
        record = self.record(job_id)
        return f"{record['JobState']} {record['Reason']} {record['ExitCode']}"

    def until(self, condition: Callable[[], bool], what: Callable[[], str], limit_s: float = WAIT_S) -> None:
        """Wait until something is so; fail after a while, saying what is so instead."""
        waited_s = 0.0
        while not condition():
            assert waited_s < limit_s, f"not within {limit_s} s; it is {what()}"
            self.leg.pass_time(0.1)
            waited_s += 0.1

    def wait(self, job_id: str, state: str, limit_s: float = WAIT_S) -> None:
        """Wait until `state()` of a job begins with `state`."""
        self.until(lambda: self.state(job_id).startswith(state), lambda: self.state(job_id), limit_s)

    def finished(self, job_id: str, limit_s: float = WAIT_S) -> str:
        """Wait until a job has ended and return its `state()`."""
        self.until(lambda: not self.state(job_id).startswith(ACTIVE), lambda: self.state(job_id), limit_s)
        return self.state(job_id)

    def running(self, script: Script | None = None, *options: str) -> str:
        """Submit a job that runs for long and wait until its script does."""
        job = self.submit(script or Script(sleep_s=600), *options)
        self.wait(job, "RUNNING")
        self.until(lambda: bool(self._env(job)), lambda: "without an environment")
        return job

    def environment(self, job_id: str) -> dict[str, str]:
        """Return the environment of a job's script."""
        self.until(lambda: bool(self._env(job_id)), lambda: self.state(job_id))
        return self._env(job_id)

    def _env(self, job_id: str) -> dict[str, str]:
        try:
            return self.leg.environment_of(job_id)
        except KeyError:
            return {}


ACTIVE = ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING")
