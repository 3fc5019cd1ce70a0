"""Running Slurm's commands: what each answer means."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from lute.errors import ConfigError, PermanentError, TransientError
from lute.seams.commands import CommandTimeout, Completed, SystemCommands
from lute.slurm.commands import SlurmCommands
from lute.slurm.records import MarkedJob
from lute.slurm.states import SlurmState
from tests.lute.slurm.test_records import ONE_LINE

NO_CONTACT = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"


class Canned(SystemCommands):
    """Answers every command with the same words."""

    def __init__(self, answer: Completed | Exception) -> None:
        self.answer = answer
        self.calls: list[list[str]] = []
        self.env: Mapping[str, str] = {}
        self.timeout_s = 0.0

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
        self.timeout_s = timeout_s
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


def test_the_commands_are_given_time_and_no_more() -> None:
    slurm, runner = commands(Completed(0, "", ""))
    assert slurm.queue() == []
    assert runner.timeout_s == 30
    short = SlurmCommands(runner, {}, timeout_s=2)
    short.cancel("1")
    assert runner.timeout_s == 2
    assert runner.calls[0] == ["squeue", "-h", "-t", "all", "-o", "%i|%T|%r|%u|%P|%a|%j"]


@pytest.mark.parametrize(
    ("program", "ask"),
    [
        ("scontrol", lambda slurm: slurm.job("5")),
        ("scancel", lambda slurm: slurm.cancel("5")),
        ("squeue", lambda slurm: slurm.queue()),
        ("squeue", lambda slurm: slurm.own_jobs()),
    ],
)
def test_what_is_said_when_slurm_does_not_do_it(program: str, ask: Callable[[SlurmCommands], object]) -> None:
    said = " ".join(NO_CONTACT.split())
    with pytest.raises(TransientError) as away:
        ask(commands(Completed(1, "", NO_CONTACT))[0])
    assert away.value.what == f"Slurm does not answer: {said} [{program}]"
    assert (away.value.endpoint, away.value.next_step) == (program, "ask again in a while")
    with pytest.raises(TransientError) as late:
        ask(commands(CommandTimeout("still running"))[0])
    assert late.value.what == f"Slurm does not answer: still running [{program}]"
    assert late.value.endpoint == program
    with pytest.raises(PermanentError) as refused:
        ask(commands(Completed(1, "no" * 300, ""))[0])
    assert refused.value.what == f"{program} failed: {'no' * 250} [{program}]"
    assert refused.value.endpoint == program
    with pytest.raises(ConfigError) as missing:
        ask(commands(FileNotFoundError(program))[0])
    assert missing.value.what == f"there is no {program} on PATH"
    assert missing.value.next_step == "run on a computer with the Slurm commands"


def test_what_is_no_id_is_quoted() -> None:
    with pytest.raises(ConfigError, match=r"^'--help' is not a Slurm job id$"):
        commands(Completed(0, "", ""))[0].job("--help")


def test_own_jobs_come_with_their_marks() -> None:
    slurm, runner = commands(Completed(0, "12|RUNNING|lute:r/T/-1:1\n", ""))
    assert slurm.own_jobs() == [MarkedJob("12", SlurmState.RUNNING, "lute:r/T/-1:1")]
    assert runner.calls == [["squeue", "--me", "--noheader", "-o", "%i|%T|%k"]]
