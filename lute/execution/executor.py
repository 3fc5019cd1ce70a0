"""Runs one Task to its end and says how it ended."""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import lute
from lute.errors import ConfigError, LuteError
from lute.execution.family import Family
from lute.execution.inbox import Inbox
from lute.execution.job import Job
from lute.execution.judgement import Received, figures_text, judge, last_words
from lute.execution.messages import ArrayHeader, Log, Message, Progress, Result, Started, decode_array
from lute.execution.output import Output, OutputPump
from lute.execution.stop_signals import StopSignals
from lute.execution.supervision import Ending, supervise
from lute.execution.verdict import Verdict
from lute.io.config import Config
from lute.io.database import FILE_NAME, Database, TaskRun
from lute.seams import Runtime
from lute.tasks.models.base import TaskParameters
from lute.tasks.parameters import resolve_parameters
from lute.tasks.preflight import check_preflight
from lute.tasks.registry import registered_task
from lute.tasks.result import TaskResult, TaskStatus

StatusHook = Callable[[str, str], None]
"""Is told the name of the Task and its new status."""
ProgressHook = Callable[[str, Mapping[str, str | int | float]], None]
"""Is told the name of the Task and figures by name: how far it is, or what it found."""
PROGRESS_EVERY_S = 30.0
"""A ProgressHook, which may take its time, is told no more often than this while the Task runs."""

# Finds LUTE wherever it lies, without a change to the environment that the Task's programs inherit.
_START_TASK = (
    "import sys; sys.path[:0] = [p for p in sys.argv[1:2] if p not in sys.path]; "
    "from lute.execution.task_process import main; sys.exit(main(sys.argv[2]))"
)


class Executor:
    """Runs one Task in a process of its own.

    Args:
        task: name of the Task.
        managed_task: name of the managed Task.
        config: the configuration.
        env: the environment that the Task is to have; it is copied.
        runtime: time and commands.
        on_status: is told every change of the status; its failure does not change the verdict.
        on_progress: is told how far the Task is, now and then, and the figures of its result at the end;
            its failure does not change the verdict.
        stdout: file descriptor for the Task's output and the verdict.
    """

    inherits_pipe = True
    """False where the Task is not a direct child of this process."""

    def __init__(
        self,
        task: str,
        *,
        managed_task: str,
        config: Config,
        env: Mapping[str, str],
        runtime: Runtime | None = None,
        on_status: StatusHook | None = None,
        on_progress: ProgressHook | None = None,
        stdout: int = 1,
    ) -> None:
        self.task = task
        self.managed_task = managed_task
        self.environment = dict(env)
        self._config = config
        self._runtime = runtime or Runtime()
        self._on_status = on_status
        self._on_progress = on_progress
        self._next_progress_s = 0.0
        self._output = Output(stdout)
        self._received = Received()

    def run(self) -> int:
        """Run the Task, store its result, print the verdict as the last line.

        Call it once, in the main thread: it handles the signals that ask to stop.

        Returns:
            Exit code: 0 when the Task completed, 1 when it failed or was cancelled.

        Raises:
            ConfigError: the parameters or the working directory are wrong, or a file or program that they
                name is not there; nothing was started.
            LuteError: the results database, where parameters may come from, cannot be read.
        """
        work_dir = self._config.header.work_dir
        _make_directory(work_dir)
        database = Database(work_dir / FILE_NAME)
        parameters = resolve_parameters(self.task, self._config, database)
        check_preflight(self.task, parameters, self._config, self.environment)
        with StopSignals() as signals:
            verdict = self._run(parameters, database, signals)
        self._output.say(verdict.line())
        return verdict.exit_code

    def command(self, job_file: Path) -> list[str]:
        """Return the command that runs the Task of a job file."""
        root = Path(lute.__file__).parent.parent
        return [sys.executable, "-P", "-c", _START_TASK, str(root), str(job_file)]

    def _run(self, parameters: TaskParameters, database: Database, signals: StopSignals) -> Verdict:
        clock = self._runtime.clock
        header = self._config.header
        started, start = clock.now(), clock.monotonic()
        self._output.say(f"LUTE: {self.task} starts in {header.work_dir}")
        self._tell(TaskStatus.RUNNING)
        try:
            ending = self._execute(parameters, signals)
        except (OSError, ValueError) as error:
            return_code = 1
            status, message = TaskStatus.FAILED, f"{self.task} cannot be run: {error}"
        else:
            return_code = ending.return_code
            status, message = self._judged(ending, parameters, signals)
            self._tell_leftovers(ending)
        run_time_s = clock.monotonic() - start
        row = TaskRun(
            task=self.task,
            managed_task=self.managed_task,
            experiment=header.experiment,
            run=header.run,
            started=started.isoformat(timespec="milliseconds"),
            ended=clock.now().isoformat(timespec="milliseconds"),
            status=status,
            return_code=return_code,
            parameters=parameters.model_dump(mode="json"),
            summary=self._received.summary(message),
            payload={**parameters.out_files(), **self._received.payload()},
        )
        try:
            database.store(row)
        except LuteError as error:
            self._output.say(f"LUTE: {error}")
            if status is TaskStatus.COMPLETED:
                # The next Task would look for this result and not find it, or find an older one.
                status, message = TaskStatus.FAILED, f"completed, but its result is not stored: {error.what}"
        if status is TaskStatus.COMPLETED:
            self._tell_figures(self._received.figures())
        self._tell(status)
        return Verdict(self.task, self.managed_task, status, return_code, run_time_s, message)

    def _judged(
        self, ending: Ending, parameters: TaskParameters, signals: StopSignals
    ) -> tuple[TaskStatus, str]:
        def verdict() -> tuple[TaskStatus, str]:
            files = parameters.out_files()
            return judge(self.task, ending, self._received, self._config.header, files, signals.received)

        status, message = verdict()
        read = registered_task(self.task).results_function()
        if status is not TaskStatus.COMPLETED or read is None:
            return status, message
        try:
            self._received.result = read(parameters, self._config.header)
        except (LuteError, OSError) as error:
            self._received.result = TaskResult(TaskStatus.FAILED, str(error))
        return verdict()

    def _execute(self, parameters: TaskParameters, signals: StopSignals) -> Ending:
        header, clock = self._config.header, self._runtime.clock
        with (
            tempfile.TemporaryDirectory(prefix="lute-", ignore_cleanup_errors=True) as name,
            Path(os.devnull).open("rb") as nothing,
            Inbox(Path(name), self._handle, self._output.has_room) as inbox,
            OutputPump(self._output) as pump,
            Family(clock) as family,
        ):
            job_file = Path(name) / "job.json"
            Job(
                task=self.task,
                header=header,
                parameters=parameters.model_dump(mode="json"),
                address=inbox.address,
                pipe=inbox.pipe if self.inherits_pipe else None,
            ).write(job_file)
            process = self._runtime.commands.spawn(
                self.command(job_file),
                env=self.environment,
                cwd=header.work_dir,
                stdin=nothing,
                stdout=pump.writing_end,
                stderr=pump.writing_end,
                pass_fds=[inbox.pipe] if self.inherits_pipe else [],
            )
            inbox.close_pipe()
            pump.start()
            ending = supervise(process, family, inbox, clock, signals, timeout_s=header.task_timeout)
            inbox.finish()
        self._received.problem = inbox.problem
        self._received.last_words = last_words(pump.tail)
        return ending

    def _tell_leftovers(self, ending: Ending) -> None:
        if ending.leftovers:
            self._output.say(f"LUTE: ended {ending.leftovers} process(es) that {self.task} left behind")
        if ending.survivors:
            self._output.say(f"LUTE: {ending.survivors} process(es) of {self.task} cannot be ended")

    def _handle(self, message: Message, body: bytes) -> None:
        match message:
            case Started():
                self._received.reports_result = message.reports_result
            case Log():
                self._output.say(message.text)
            case Progress():
                self._output.say(f"LUTE: progress: {figures_text(message.figures)}")
                if (now := self._runtime.clock.monotonic()) >= self._next_progress_s:
                    self._tell_figures(message.figures)
                    self._next_progress_s = now + PROGRESS_EVERY_S
            case Result():
                self._received.result = message
            case ArrayHeader():
                array = decode_array(body)
                self._output.say(f"LUTE: received '{message.name}', {array.dtype} {array.shape}")

    def _tell(self, status: TaskStatus) -> None:
        if self._on_status is None:
            return
        try:
            self._on_status(self.task, status.value)
        except Exception as error:  # noqa: BLE001 - no courtesy to others may change the verdict
            self._output.say(f"LUTE: the status {status.value} could not be reported: {error}")

    def _tell_figures(self, figures: Mapping[str, str | int | float]) -> None:
        if self._on_progress is None or not figures:
            return
        try:
            self._on_progress(self.task, figures)
        except Exception as error:  # noqa: BLE001 - as above
            self._output.say(f"LUTE: the figures could not be reported: {error}")


def _make_directory(work_dir: Path) -> None:
    try:
        work_dir.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the working directory {work_dir} cannot be made: {error.strerror}",
            next_step="correct 'work_dir' in the header of the configuration",
        ) from error
