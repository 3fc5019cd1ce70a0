"""What the final sweep cancels, and what it says."""

from collections.abc import Sequence

import pytest

from lute.jid.submission import mark_prefix
from lute.launch.sweep import Sweep
from lute.launch.watch import RunRef
from lute.seams.commands import CommandTimeout, Completed
from lute.slurm.commands import SlurmCommands
from tests.fakes import FakeClock

RUN = RunRef("lute_test", "exp_r12_2026+1:x")
MARK = mark_prefix(RUN.dag_id, RUN.run_id)


class FakeSlurm:
    """Answers squeue with `lines`; notes what is cancelled, which then leaves the queue."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.cancelled: list[str] = []
        self.asked = 0
        self.squeue: Completed | Exception | None = None
        self.scancel: Completed | Exception | None = None

    def run(self, argv: Sequence[str], **_options: object) -> Completed:
        answer = self.squeue if argv[0] == "squeue" else self.scancel
        if isinstance(answer, Exception):
            raise answer
        if argv[0] == "squeue":
            self.asked += 1
            return answer or Completed(0, "".join(f"{line}\n" for line in self.lines), "")
        if answer is None:
            self.cancelled += argv[1:]
        return answer or Completed(0, "", "")


def swept(slurm: FakeSlurm, again_after_s: Sequence[float] = (), clock: FakeClock | None = None) -> list[str]:
    said: list[str] = []
    commands = SlurmCommands(slurm, {}, timeout_s=5)  # type: ignore[arg-type]
    Sweep(commands, RUN, clock or FakeClock(), said.append).run(again_after_s)
    return said


def test_jobs_of_the_run_are_cancelled_and_no_others() -> None:
    slurm = FakeSlurm(
        f"1|RUNNING|{MARK}Tester/-1:1",
        "2|RUNNING|(null)",
        f"3|PENDING|{MARK}Group.Mapped/4:2",
        f"4|COMPLETING|{MARK}Done/-1:1",
        f"5|RUNNING|{mark_prefix(RUN.dag_id, RUN.run_id + 'y')}Other/-1:1",
        f"8|RUNNING|{mark_prefix('lute_test2', RUN.run_id)}Other/-1:1",
        f"6|RUNNING|x {MARK}Quoted/-1:1",
        f"7|RUNNING|{MARK}",
        "",
        "garbage",
    )
    assert swept(slurm) == [
        "Slurm job 1 of Tester was left by this run: cancelled",
        "Slurm job 3 of Group.Mapped[4] was left by this run: cancelled",
        "Slurm job 7 of a step was left by this run: cancelled",
    ]
    assert slurm.cancelled == ["1", "3", "7"]


def test_many_jobs_are_cancelled_at_once_and_not_all_named() -> None:
    slurm = FakeSlurm(*(f"{number}|RUNNING|{MARK}Tester/{number}:1" for number in range(1, 6)))
    slurm.scancel = Completed(1, "", "scancel: error: Access denied")
    (said,) = swept(slurm, (8.0,))
    assert "job 3 of Tester[3] and more could not be cancelled" in said
    assert "job 4" not in said


def test_it_looks_again_for_a_job_that_was_about_to_come() -> None:
    slurm, clock = FakeSlurm(), FakeClock()
    clock.at_sleep = lambda _now_s: slurm.lines.append(f"9|PENDING|{MARK}Late/-1:1")
    assert swept(slurm, (8.0,), clock) == ["Slurm job 9 of Late was left by this run: cancelled"]
    assert (clock.elapsed_s, slurm.asked) == (8.0, 2)


def test_a_job_that_is_slow_to_go_is_cancelled_once() -> None:
    slurm = FakeSlurm(f"1|RUNNING|{MARK}Tester/-1:1")
    assert len(swept(slurm, (1.0, 1.0))) == 1
    assert slurm.cancelled == ["1"]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (
            FileNotFoundError("squeue"),
            "There is no squeue here to look for jobs; if a job of this run is left",
        ),
        (
            CommandTimeout("squeue was still running"),
            "Slurm could not be asked for jobs: Slurm does not answer",
        ),
        (Completed(1, "", "squeue: error: Socket timed out"), "Slurm could not be asked for jobs"),
        (PermissionError("no"), "Slurm could not be asked for jobs: no"),
    ],
)
def test_what_cannot_be_asked_is_said_only_where_a_job_may_be_left(
    trouble: Completed | Exception, words: str
) -> None:
    slurm = FakeSlurm()
    slurm.squeue = trouble
    assert swept(slurm) == []
    (said,) = swept(slurm, (8.0,))
    assert words in said


def test_a_job_that_cannot_be_cancelled_is_named_and_tried_again() -> None:
    slurm, clock = FakeSlurm(f"1|RUNNING|{MARK}Tester/-1:1"), FakeClock()
    slurm.scancel = Completed(1, "", "scancel: error: Access denied")
    (said,) = swept(slurm, (8.0,))
    assert "Slurm job 1 of Tester could not be cancelled" in said
    clock.at_sleep = lambda _now_s: setattr(slurm, "scancel", None)
    assert swept(slurm, (8.0,), clock) == ["Slurm job 1 of Tester was left by this run: cancelled"]


def test_a_slurm_that_is_down_is_waited_for_where_something_may_be_left() -> None:
    slurm, clock, said = FakeSlurm(f"1|RUNNING|{MARK}Tester/-1:1"), FakeClock(), list[str]()
    slurm.squeue = Completed(1, "", "Unable to contact slurm controller")
    clock.at_sleep = lambda now_s: setattr(slurm, "squeue", None) if now_s > 300 else None
    commands = SlurmCommands(slurm, {}, timeout_s=5)  # type: ignore[arg-type]
    Sweep(commands, RUN, clock, said.append).run((1.0,), patience_s=600)
    assert slurm.cancelled == ["1"]
    assert said[0].endswith("waiting for it, to cancel what may be left of this run")
    assert clock.elapsed_s < 330


def test_patience_with_slurm_has_an_end_and_none_without_squeue() -> None:
    for trouble, longest_s in ((Completed(1, "", "down"), 620), (FileNotFoundError("squeue"), 2)):
        slurm, clock, said = FakeSlurm(), FakeClock(), list[str]()
        slurm.squeue = trouble
        commands = SlurmCommands(slurm, {}, timeout_s=5)  # type: ignore[arg-type]
        Sweep(commands, RUN, clock, said.append).run((1.0,), patience_s=600)
        assert clock.elapsed_s <= longest_s
        assert "squeue --me" in said[-1]
