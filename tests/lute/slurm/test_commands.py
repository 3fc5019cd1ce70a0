"""Running Slurm's commands: what each answer means."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from lute.errors import ConfigError, PermanentError, TransientError
from lute.seams.commands import CommandTimeout, Completed, SystemCommands
from lute.slurm.commands import SlurmCommands
from tests.lute.slurm.test_records import ONE_LINE

NO_CONTACT = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"


class Canned(SystemCommands):
    """Answers every command with the same words."""

    def __init__(self, answer: Completed | Exception) -> None:
        self.answer = answer
        self.calls: list[list[str]] = []
        self.env: Mapping[str, str] = {}

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Completed:
        self.calls.append(list(argv))
        self.env = env or {}
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def commands(answer: Completed | Exception) -> tuple[SlurmCommands, Canned]:
    runner = Canned(answer)
    return SlurmCommands(
        runner, {"PATH": "/bin", "SQUEUE_USERS": "x", "SLURM_TIME_FORMAT": "relative"}
    ), runner


def test_a_known_job() -> None:
    slurm, runner = commands(Completed(0, ONE_LINE, ""))
    found = slurm.jobs(["180", "180"])
    assert found["180"].name == "scr"
    assert runner.calls == [["scontrol", "-o", "show", "job", "180"]]
    assert runner.env == {"PATH": "/bin", "TZ": "UTC", "SLURM_TIME_FORMAT": "standard"}


def test_an_unknown_job_is_none() -> None:
    slurm, _ = commands(Completed(1, "", "slurm_load_jobs error: Invalid job id specified\n"))
    assert slurm.job("5") is None
    assert slurm.jobs(["5", "6"]) == {}


@pytest.mark.parametrize("answer", [Completed(1, "", NO_CONTACT), CommandTimeout("scontrol still running")])
def test_no_answer_is_transient(answer: Completed | Exception) -> None:
    slurm, _ = commands(answer)
    for ask in (lambda: slurm.job("5"), lambda: slurm.cancel("5"), slurm.queue):
        with pytest.raises(TransientError):
            ask()


def test_refusals_are_permanent() -> None:
    slurm, _ = commands(
        Completed(210, "", "scancel: error: Kill job error on job id 8: Access/permission denied\n")
    )
    with pytest.raises(PermanentError, match="permission denied"):
        slurm.cancel("8")
    slurm, _ = commands(Completed(3, "", ""))
    with pytest.raises(PermanentError, match="exit code 3"):
        slurm.queue()


def test_cancelling_an_unknown_job_is_no_error() -> None:
    slurm, runner = commands(Completed(0, "", ""))
    slurm.cancel("99999")
    assert runner.calls == [["scancel", "99999"]]


def test_no_slurm_at_all() -> None:
    slurm, _ = commands(FileNotFoundError("scontrol"))
    with pytest.raises(ConfigError, match="scontrol"):
        slurm.job("1")


@pytest.mark.parametrize("job_id", ["", "--help", "1 2", "1,2", "abc", "١٢", "-1"])
def test_only_ids_reach_the_command_line(job_id: str) -> None:
    slurm, runner = commands(Completed(0, "", ""))
    with pytest.raises(ConfigError):
        slurm.cancel(job_id)
    assert runner.calls == []


def test_queue() -> None:
    slurm, runner = commands(Completed(0, "7|PENDING|Priority|me|milano|acc|job\n", ""))
    assert [entry.job_id for entry in slurm.queue()] == ["7"]
    assert runner.calls[0][:4] == ["squeue", "-h", "-t", "all"]
