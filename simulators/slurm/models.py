"""Jobs of the virtual world: each is a model instead of a process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from signal import SIGKILL, SIGTERM

from simulators.kernel.events import Event
from simulators.slurm import patterns
from simulators.slurm.controller import Controller
from simulators.slurm.job import Job
from simulators.slurm.messages import cancelled_line, oom_line


@dataclass(frozen=True)
class JobModel:
    """What a job does.

    Attributes:
        duration_s: how long it runs; infinite for one that hangs.
        exit_code: of its script.
        exit_signal: the signal by which its script ends, 0 for none.
        log: what it prints, at its start.
        on_term: exit code with which its script ends on SIGTERM; None for dying of it.
        ignores_term: True if only SIGKILL ends it.
        is_out_of_memory: True if the kernel kills something of it for memory, whatever its exit code.
        fails_to_launch: True if its output file or working directory cannot be opened.
    """

    duration_s: float = 0.0
    exit_code: int = 0
    exit_signal: int = 0
    log: str = ""
    on_term: int | None = None
    ignores_term: bool = False
    is_out_of_memory: bool = False
    fails_to_launch: bool = False


class ModelLauncher:
    """Runs models on the controller's agenda; see `Launcher`.

    Args:
        model_of: tells what a job does; called at each of its starts.
        host: short name of the computer that the jobs' file name patterns see.

    Attributes:
        files: what the jobs have printed, by path.
        on_signal: called with a job and a signal that somebody sent it; returns the exit code with which its
            script ends, None if it goes on.
    """

    def __init__(self, model_of: Callable[[Job], JobModel], host: str = "localhost") -> None:
        self.controller: Controller | None = None
        self.files: dict[str, str] = {}
        self.on_signal: Callable[[Job, int], int | None] = lambda _job, _number: None
        self._model_of = model_of
        self.host = host
        self._ends: dict[int, Event] = {}
        self._models: dict[int, JobModel] = {}

    def start(self, job: Job) -> None:
        """Run the model of `job`."""
        model = self._models[job.id] = self._model_of(job)
        latencies = self._controller.cluster.conf.latencies
        self._ends[job.id] = self._controller.agenda.after(
            latencies.launch_s, lambda: self._launched(job, model)
        )

    def stop(self, job: Job, cause: str) -> None:
        """End `job` as its model takes SIGTERM."""
        model = self._models[job.id]
        conf = self._controller.cluster.conf
        # In the virtual world nothing depends on where it is computed.
        self._say(job, cancelled_line(conf, job, self._controller.now_s, cause, UTC))
        self._ends[job.id].cancel()
        if model.ignores_term:
            self._end(job, conf.kill_wait_s, 0, SIGKILL)
        elif model.on_term is not None:
            self._end(job, 0, model.on_term, 0)
        else:
            self._end(job, 0, 0, SIGTERM)

    def send(self, job: Job, signal_number: int, *, script_only: bool) -> None:  # noqa: ARG002
        """Send a signal to `job`."""
        exit_code = self.on_signal(job, signal_number)
        if exit_code is not None:
            self._ends[job.id].cancel()
            self._end(job, 0, exit_code, 0)

    @property
    def _controller(self) -> Controller:
        assert self.controller is not None, "the launcher was not given its controller"  # noqa: S101
        return self.controller

    def _launched(self, job: Job, model: JobModel) -> None:
        if model.fails_to_launch:
            del self._ends[job.id], self._models[job.id]
            self._controller.launch_failed(job.id)
            return
        path = patterns.stdout_path(job, self.host)
        before = self.files.get(path, "") if job.request.append else ""
        self.files[path] = before + model.log
        if model.duration_s != float("inf"):
            self._end(
                job,
                model.duration_s,
                model.exit_code,
                model.exit_signal,
                out_of_memory=model.is_out_of_memory,
            )
        if model.is_out_of_memory:
            self._say(job, oom_line(self._controller.cluster.conf, job))

    def _end(
        self, job: Job, delay_s: float, exit_code: int, exit_signal: int, *, out_of_memory: bool = False
    ) -> None:
        """Let the controller know of the end of `job`, `delay_s` from now and a little later."""

        def end() -> None:
            del self._ends[job.id], self._models[job.id]
            self._controller.ended(job.id, exit_code, exit_signal, out_of_memory=out_of_memory)

        delay_s += self._controller.cluster.conf.latencies.completion_s
        self._ends[job.id] = self._controller.agenda.after(delay_s, end)

    def _say(self, job: Job, line: str) -> None:
        path = patterns.stderr_path(job, self.host)
        self.files[path] = self.files.get(path, "") + line
