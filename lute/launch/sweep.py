"""The last look into Slurm: what a DAG run left there is cancelled."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from lute.errors import ConfigError, LuteError
from lute.jid.submission import mark_prefix, step_mark_prefix
from lute.launch.steps import Step
from lute.launch.watch import RunRef
from lute.seams import Clock
from lute.slurm.commands import SlurmCommands
from lute.slurm.records import MarkedJob
from lute.slurm.states import SlurmState

ANSWER_S = 5.0
"""So long one command of Slurm may take: Slurm gives a job that must end 30 s."""

_OUTAGE_PAUSE_S = 15.0


class Sweep:
    """Finds the jobs of one run by the comment with which submit_slurm.sh marks them. Never raises.

    Args:
        tell: takes a line for the user.
    """

    def __init__(self, slurm: SlurmCommands, run: RunRef, clock: Clock, tell: Callable[[str], None]) -> None:
        self._slurm = slurm
        self._run = run
        self._mark = mark_prefix(run.dag_id, run.run_id)
        self._clock = clock
        self._tell = tell
        self._cancelled: set[str] = set()
        self._can_look = True

    def run(
        self,
        again_after_s: Sequence[float] = (),
        patience_s: float = 0.0,
        is_over: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Cancel what is left, now and after each of some waits: Airflow may be about to submit a job.

        Args:
            again_after_s: seconds between one look and the next; empty where nothing can be left, so that
                nobody needs to hear of a Slurm that does not answer.
            patience_s: a Slurm that does not answer is waited for, for so long.
            is_over: whether the run has ended still; asked before each further look.

        Returns:
            False if the run goes on again, so that its jobs are its own.
        """
        problem = self._look(self._mark)
        for wait_s in again_after_s:
            self._clock.sleep(wait_s)
            if not is_over():
                return False
            problem = self._look(self._mark)
        until_s = self._clock.monotonic() + patience_s
        if problem and self._can_look and patience_s:
            self._tell(f"{problem}; waiting for it, to cancel what may be left of this run")
        while problem and self._can_look and self._clock.monotonic() < until_s:
            self._clock.sleep(_OUTAGE_PAUSE_S)
            if not is_over():
                return False
            problem = self._look(self._mark)
        if problem and again_after_s:
            self._tell(f"{problem}; if a job of this run is left: squeue --me -o '%i %k', scancel JOB")
        return True

    def step(self, step: Step) -> None:
        """Cancel what is left of one step."""
        instance = step.instance
        self._look(step_mark_prefix(self._run.dag_id, self._run.run_id, instance.task_id, instance.map_index))

    def _look(self, mark: str) -> str:
        """Cancel what there is with such a mark; return what went wrong, in words."""
        try:
            found = [job for job in self._slurm.own_jobs() if self._is_left(job, mark)]
        except ConfigError:
            self._can_look = False
            return "There is no squeue here to look for jobs"
        except (LuteError, OSError) as error:
            return f"Slurm could not be asked for jobs: {_first_line(error)}"
        return self._cancel(found) if found else ""

    def _is_left(self, job: MarkedJob, mark: str) -> bool:
        is_ending = job.state is SlurmState.COMPLETING
        return job.comment.startswith(mark) and not is_ending and job.job_id not in self._cancelled

    def _cancel(self, jobs: Sequence[MarkedJob]) -> str:
        """Cancel jobs, all at once: Slurm gives a launcher that must end half a minute."""
        try:
            self._slurm.cancel(*(job.job_id for job in jobs))
        except (LuteError, OSError) as error:
            whose = " and ".join(self._whose(job) for job in jobs[:3]) + (" and more" if jobs[3:] else "")
            return f"{whose} could not be cancelled: {_first_line(error)}"
        for job in jobs:
            self._cancelled.add(job.job_id)
            self._tell(f"{self._whose(job)} was left by this run: cancelled")
        return ""

    def _whose(self, job: MarkedJob) -> str:
        return f"Slurm job {job.job_id} of {_task(job.comment.removeprefix(self._mark))}"


def _task(mark: str) -> str:
    """Return the step's name in `<task_id>/<map_index>:<try>`; something readable for any other text."""
    found = re.fullmatch(r"([^/]+)/(-?\d+):\d+", mark)
    if found is None:
        return "a step"
    return unquote(found[1]) if found[2] == "-1" else f"{unquote(found[1])}[{found[2]}]"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
