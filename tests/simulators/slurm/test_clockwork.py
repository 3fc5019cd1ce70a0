"""When the controller's loops run."""

import pytest

from simulators.kernel.events import Agenda
from simulators.slurm.clockwork import Clockwork, Loop
from simulators.slurm.conf import TUNED, Latencies, SlurmConf


class Loops:
    """The loops of a controller that has nothing to do, and the moments at which they ran."""

    def __init__(self, parameters: str = TUNED, **conf: object) -> None:
        self.agenda = Agenda(1200.0)
        self.log: list[tuple[str, float]] = []
        self.more = False
        conf = {"scheduler_parameters": parameters, **conf}
        self.clockwork = Clockwork(
            self.agenda,
            SlurmConf(**conf),  # type: ignore[arg-type]
            main=self.main,
            backfill=lambda: self.note("backfill"),
            sweep=lambda: self.note("sweep"),
            purge=lambda: self.note("purge"),
        )

    def note(self, what: str) -> None:
        self.log.append((what, round(self.agenda.now_s - 1200, 3)))

    def main(self, whole: bool) -> bool:
        self.note("whole" if whole else "main")
        return self.more

    def run(self) -> list[tuple[str, float]]:
        self.agenda.run()
        done, self.log = self.log, []
        return done


def test_an_idle_cluster_does_nothing() -> None:
    assert Loops().agenda.next_time_s is None


def test_a_loop_runs_once_however_often_it_is_asked() -> None:
    loops = Loops()
    for moment in (0.1, 0.2, 0.5, 0.74):
        loops.agenda.at(1200 + moment, loops.clockwork.changed)
    assert loops.run() == [("backfill", 0.4), ("main", 0.75), ("backfill", 1.4)]
    loops.agenda.advance(1201.5)
    loops.clockwork.changed()
    assert loops.run() == [("main", 1.75), ("backfill", 2.4)]


def test_the_defaults_of_slurm() -> None:
    loops = Loops("")
    loops.agenda.at(1201.0, loops.clockwork.changed)
    loops.agenda.at(1203.0, loops.clockwork.changed)
    # the main loop waits for batch_sched_delay after its last run, backfill has a period of 30 s
    assert loops.run() == [("main", 1.75), ("main", 4.75), ("backfill", 30.4)]


def test_the_whole_queue_is_looked_at_once_in_a_while() -> None:
    loops = Loops("bf_interval=0")
    loops.more = True
    loops.clockwork.changed()
    loops.agenda.advance(1230.0)
    loops.more = False
    assert loops.run() == [("main", 0.75), ("whole", 60.75)]


def test_without_backfill() -> None:
    loops = Loops("bf_interval=0,batch_sched_delay=0")
    loops.clockwork.changed()
    assert loops.run() == [("main", 0.75)]


def test_without_periods_everything_happens_at_once() -> None:
    loops = Loops("", latencies=Latencies(background_s=0))
    loops.agenda.advance(1200.3)
    loops.clockwork.changed()
    assert loops.run() == [("main", 0.3), ("backfill", 0.3)]


def test_time_limits_and_forgetting_have_their_own_periods() -> None:
    loops = Loops(limit_sweep_s=30, min_job_age_s=300)
    loops.clockwork.limit_at(1231)
    loops.clockwork.limit_at(1500)
    loops.clockwork.forget_at(1320)
    assert loops.run() == [("sweep", 60), ("purge", 120)]


def test_without_running_jobs_nobody_looks_at_time_limits() -> None:
    loops = Loops()
    loops.clockwork.limit_at(9000)
    loops.clockwork.no_limits()
    assert loops.agenda.next_time_s is None
    loops.clockwork.limit_at(1230)
    assert loops.run() == [("sweep", 30)]


def test_an_earlier_turn_takes_the_place_of_a_later_one() -> None:
    agenda, turns = Agenda(), list[float]()
    loop = Loop(agenda, 10, 3, lambda: turns.append(agenda.now_s))
    for moment in (25, 5, 40):
        loop.ask(moment)
    agenda.run()
    assert turns == [13]


@pytest.mark.parametrize(
    ("asked", "due"), [(0, 3), (2.9, 3), (3, 3), (3.1, 13), (13, 13), (1_800_000_013.5, 1_800_000_023)]
)
def test_turns(asked: float, due: float) -> None:
    agenda, turns = Agenda(), list[float]()
    Loop(agenda, 10, 3, lambda: turns.append(agenda.now_s)).ask(asked)
    agenda.run()
    assert turns == [due]


def test_what_else_happens_at_the_same_moment_happens_first() -> None:
    agenda, log = Agenda(), list[str]()
    Loop(agenda, 10, 0, lambda: log.append("loop")).ask(10)
    agenda.at(10, lambda: log.append("event"))
    agenda.run()
    assert log == ["event", "loop"]
