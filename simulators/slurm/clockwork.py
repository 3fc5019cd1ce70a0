"""When the controller's loops run: the main scheduler, backfill, the look at time limits, the forgetting.

Real slurmctld runs them on fixed periods. Here each is planned only when it has something to do, for the
moment at which its period would bring it round, so that an idle cluster costs nothing (measured moments).
"""

import math
from collections.abc import Callable

from simulators.kernel.events import Agenda, Event
from simulators.slurm.conf import SlurmConf

_LATE = 10
"""Priority of the loops: whatever else happens at the same moment happens first."""


class Loop:
    """One loop, asked for whenever it has something to do.

    Args:
        period_s: it runs at most once in so many seconds; 0 runs it at the moment it is asked for.
        phase_s: where in the period.
        run: one round.
    """

    def __init__(self, agenda: Agenda, period_s: float, phase_s: float, run: Callable[[], None]) -> None:
        self._agenda = agenda
        self._period_s = period_s
        self._phase_s = phase_s
        self._run = run
        self._planned: Event | None = None

    def ask(self, not_before_s: float = 0.0) -> None:
        """Run a round at the loop's next turn that is not before `not_before_s` (POSIX seconds)."""
        due_s = self._next_turn(max(not_before_s, self._agenda.now_s))
        if self._planned is not None:
            if self._planned.time_s <= due_s:
                return
            self._planned.cancel()
        self._planned = self._agenda.at(due_s, self._turn, _LATE)

    def drop(self) -> None:
        """Run no round until asked again."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None

    def _next_turn(self, moment_s: float) -> float:
        if not self._period_s:
            return moment_s
        turns = math.ceil((moment_s - self._phase_s) / self._period_s)
        return max(moment_s, turns * self._period_s + self._phase_s)

    def _turn(self) -> None:
        self._planned = None
        self._run()


class Clockwork:
    """The controller's loops.

    Args:
        main: a round of the main scheduler; told whether to look at the whole queue, it returns True if jobs
            beyond its depth may start too.
        backfill: a pass of backfill; None for a cluster without.
        sweep: a look at the time limits.
        purge: forgetting of ended jobs.
    """

    def __init__(
        self,
        agenda: Agenda,
        conf: SlurmConf,
        *,
        main: Callable[[bool], bool],
        backfill: Callable[[], None],
        sweep: Callable[[], None],
        purge: Callable[[], None],
    ) -> None:
        parameters, latencies = conf.scheduler, conf.latencies
        period_s = latencies.background_s
        self._agenda = agenda
        self._main = main
        self._delay_s = parameters.batch_sched_delay if period_s else 0.0
        self._full_s = float(parameters.sched_interval)
        self._last_main_s = -math.inf
        self._want_full = False
        self._main_loop = Loop(agenda, period_s, latencies.main_phase_s, self._main_turn)
        interval_s = float(parameters.bf_interval) if period_s else 0.0
        self._backfill_loop = Loop(agenda, interval_s, latencies.backfill_phase_s, backfill)
        self._has_backfill = parameters.bf_interval > 0
        self._sweep_loop = Loop(agenda, conf.limit_sweep_s, 0.0, sweep)
        self._purge_loop = Loop(agenda, min(60.0, conf.min_job_age_s), 0.0, purge)

    def changed(self) -> None:
        """Note that a job came, ended or changed, or a node did: let the schedulers look."""
        self._main_loop.ask(self._last_main_s + self._delay_s)
        if self._has_backfill:
            self._backfill_loop.ask()

    def limit_at(self, moment_s: float) -> None:
        """Note that a time limit ends at a moment."""
        self._sweep_loop.ask(moment_s)

    def no_limits(self) -> None:
        """Note that no job runs, so that no time limit ends."""
        self._sweep_loop.drop()

    def forget_at(self, moment_s: float) -> None:
        """Note that a job may be forgotten from a moment on."""
        self._purge_loop.ask(moment_s)

    def _main_turn(self) -> None:
        self._last_main_s = math.floor(self._agenda.now_s)
        more = self._main(self._want_full)
        self._want_full = more
        if more:
            self._main_loop.ask(self._last_main_s + self._full_s)
