"""Staying with a run: from its start to its end, whatever happens."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import RunState, TaskState
from lute.arp.counters import Counters
from lute.errors import ConfigError, LuteError, PermanentError, TransientError
from lute.launch.collect import LogCollector
from lute.launch.follow import LogFollower
from lute.launch.jobs import JobLookup
from lute.launch.leftovers import Leftovers
from lute.launch.process import Process
from lute.launch.progress import progress
from lute.launch.reports import write_report
from lute.launch.rows import ProgressRows
from lute.launch.steps import Steps
from lute.launch.sweep import ANSWER_S, Sweep
from lute.launch.table import reasons, table_lines
from lute.launch.watch import RunRef, watch
from lute.settings import Settings
from lute.slurm.commands import SlurmCommands

_ONCE_MORE_S = (8.0,)
"""Slurm kills a launcher 30 s after it has asked it to end: all must be over by then."""
_LOGS_UNTIL_S = 12.0
"""So long after the launcher was asked to end it fetches logs: time is left to tidy up in Airflow."""
_WITHOUT_HASTE_S = (10.0, 25.0)
"""A submission that was under way may take a minute (start_job_s)."""


class Stay:
    """The launcher's time with one run.

    Args:
        workflow: its name, for messages.
        follow: whether the logs of running steps are printed live.
        counters: where the progress is shown besides; None for nowhere.
        reports: files that take a report at the end.

    Attributes:
        output: what the user reads.
        chores: what is called now and then while the run goes on.
    """

    def __init__(
        self,
        airflow: AirflowClient,
        run: RunRef,
        process: Process,
        settings: Settings,
        *,
        workflow: str,
        follow: bool = False,
        counters: Counters | None = None,
        reports: Sequence[Path] = (),
    ) -> None:
        clock = process.runtime.clock
        slurm = SlurmCommands(process.runtime.commands, process.env, timeout_s=ANSWER_S)
        self._airflow = airflow
        self._run = run
        self._process = process
        self._settings = settings
        self._workflow = workflow
        self._reports = reports
        self._state = RunState.QUEUED
        self._steps = Steps()
        self._progress, self.output = progress(self._steps, clock, process.stream, process.write)
        self._sweep = Sweep(slurm, run, clock, self._tell_if_possible)
        self.chores: list[Callable[[], None]] = [self._progress.poll]
        follower = None
        if follow:
            follower = LogFollower(airflow, run, self.output, self._steps, clock, process.log_files)
            self.chores.insert(0, follower.poll)
        self._rows = None
        if counters is not None:
            self._rows = ProgressRows(counters, self._steps, clock, self.output)
            self.chores.append(self._rows.poll)
        self.chores.append(Leftovers(self._steps, self._sweep, clock).poll)
        self._jobs = JobLookup(slurm, clock)
        self._collector = LogCollector(
            airflow,
            run,
            self.output,
            self._steps,
            self._jobs,
            process.log_files,
            settings.logs.max_kib,
            follower,
        )

    def from_start_to_end(self, start: Callable[[], None]) -> RunState:
        """Start the run, tell what happens until it has ended, and return its final state.

        Whatever ends this earlier ends the run, too: it must not go on unwatched.
        """
        is_there = True
        self._begin_reports()
        try:
            try:
                start()
            except (ConfigError, PermanentError, TransientError):
                is_there = False  # surely; only an AmbiguousError leaves that open
                raise
            self._airflow.patience_s = self._settings.timeouts.outage_s
            self._follow()
            while not self._clean_up():
                self._follow()
        except BaseException:
            self._process.signals.ignore()
            self._progress.close()
            if self._state.is_final:
                self._sweep.run(_ONCE_MORE_S)
            elif is_there:
                self._give_up()
            if is_there:
                with contextlib.suppress(OSError):  # the output may be what went wrong
                    self._tell_end()
            raise
        self._process.signals.ignore()
        self._progress.close()
        self._conclude(self._state)
        return self._state

    def _clean_up(self) -> bool:
        """Cancel what is left of a run that has ended; return False if it goes on: somebody cleared it."""
        if all(step.is_certain for step in self._steps):
            self._sweep.run()
            return True
        outage_s = self._settings.timeouts.outage_s
        return self._sweep.run(_WITHOUT_HASTE_S, outage_s, is_over=self._is_still_over)

    def _is_still_over(self) -> bool:
        """Tell whether the run has ended as it had; a short step may have been run again meanwhile."""
        try:
            tasks = self._airflow.task_instances(self._run.dag_id, self._run.run_id)
            is_over = self._airflow.run_state(self._run.dag_id, self._run.run_id).is_final
        except LuteError:
            return True  # it was, a moment ago
        return is_over and tasks == [step.instance for step in self._steps]

    def _follow(self) -> None:
        self._state = RunState.QUEUED
        polls = watch(
            self._airflow,
            self._run,
            self._process.runtime.clock,
            queued_limit_s=self._settings.timeouts.queued_s,
            chores=self.chores,
        )
        for now, tasks in polls:
            self._collector.update(tasks)
            self._state = now

    def _give_up(self) -> None:
        """Mark the run failed and cancel its jobs, so that nothing goes on unwatched. Never raises."""
        self._airflow.hurry(ANSWER_S)
        clock, run_id = self._process.runtime.clock, self._run.run_id
        logs_until_s = clock.monotonic() + _LOGS_UNTIL_S
        try:
            self._airflow.fail_run(self._run.dag_id, run_id)
        except LuteError as error:
            if not (isinstance(error, PermanentError) and error.http_status == 404):
                self._tell_if_possible(
                    f"DAG run {run_id} may go on in Airflow, it could not be marked failed: {error.what}"
                )
        else:
            self._state = RunState.FAILED
            self._tell_if_possible(f"DAG run {run_id} was marked failed, which cancels its jobs")
        self._tell_if_possible(f"Looking for {_ONCE_MORE_S[0]:.0f} s whether a job of it is left")
        self._sweep.run(_ONCE_MORE_S)
        if self._state.is_final and clock.monotonic() < logs_until_s:
            with contextlib.suppress(LuteError, OSError):
                self._tell_of_ended_steps(logs_until_s)

    def _tell_of_ended_steps(self, until_s: float) -> None:
        """Fetch the logs of the steps that were ended, as many as there is time for."""
        tasks = self._airflow.task_instances(self._run.dag_id, self._run.run_id)
        self._steps.update(tasks)
        for task in tasks:
            if self._process.runtime.clock.monotonic() < until_s:
                self._collector.tell(task)

    def _conclude(self, state: RunState) -> None:
        """Tell how everything went."""
        if self._rows is not None:
            self._rows.finish()
        for step in self._steps:
            if step.slurm is not None and not step.has_final_slurm_state:  # it was about to end
                step.slurm = self._jobs.job(step.job.tool_id) or step.slurm
        self._tell_end()
        failed = [step.label for step in self._steps if step.state is TaskState.FAILED]
        although = f", although {', '.join(failed)} failed" if failed and state is RunState.SUCCESS else ""
        self.output.news(f"Workflow {self._workflow}: {state}{although}")

    def _begin_reports(self) -> None:
        """Put reports of a run that is not over in the place of those that an earlier one may have left.

        Raises:
            ConfigError: one cannot be written.
        """
        for file in self._reports:
            try:
                self._write_report(file)
            except OSError as error:
                raise ConfigError(
                    f"the report cannot be written: {error.strerror}",
                    file=file,
                    next_step="give --report a file in a folder of yours",
                ) from error

    def _tell_end(self) -> None:
        """Write the reports, whatever becomes of the output, and print the table."""
        problems = []
        for file in self._reports:
            try:
                self._write_report(file)
            except OSError as error:
                problems.append(f"WARNING: the report {file} could not be written: {error}")
        for line in (*table_lines(self._steps), *reasons(self._steps), *problems):
            self.output.line(line)

    def _write_report(self, file: Path) -> None:
        write_report(file, self._workflow, self._run, self._state, list(self._steps))

    def _tell_if_possible(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the output may be what went wrong
            self.output.news(text)
