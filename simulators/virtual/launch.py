"""The production launcher as an actor: its process, its signals, its output."""

import io
import signal
import traceback
from collections.abc import Callable, Mapping, Sequence

from lute.launch.main import main
from lute.launch.process import Interrupted, Process
from lute.seams import Runtime
from simulators.kernel.actors import Actor, Actors


class VirtualSignals:
    """Delivers signals to a launcher that runs as an actor; see `lute.launch.process.Signals`."""

    def __init__(self) -> None:
        self.actor: Actor | None = None
        self._does = "die"

    def raise_interrupted(self) -> None:
        """Let signals raise from now on."""
        self._does = "raise"

    def ignore(self) -> None:
        """Let signals do nothing from now on."""
        self._does = "ignore"

    def send(self, number: int) -> bool:
        """Send a signal; return False if the launcher has ended."""
        if self.actor is None or self.actor.is_over:
            return False
        if number == signal.SIGKILL or self._does == "die":
            self.actor.kill()
        elif self._does == "raise":
            self.actor.interrupt(lambda: _raise(number))
        return True


def _raise(number: int) -> None:
    raise Interrupted(number)


class _Lines(io.StringIO):
    """A stream that hands on every line."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell

    def write(self, text: str) -> int:
        for line in text.splitlines():
            self._tell(line)
        return super().write(text)


class _Files:
    """The output files of the jobs; see `lute.launch.log_files.LogFiles`."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def size(self, path: str) -> int | None:
        text = self._files.get(path)
        return None if text is None else len(text.encode(errors="surrogateescape"))

    def read(self, path: str, offset: int, length: int) -> bytes:
        return self._files.get(path, "").encode(errors="surrogateescape")[offset : offset + length]


class Launch:
    """One launcher and how it went.

    Args:
        on_line: called with every line that it prints.
        files: what the jobs print, by path, as the launcher sees it.

    Attributes:
        exit_code: None while it runs, and for one that was killed.
        crash: what it died of, in a line, if that was an exception that nobody foresaw; else empty.
    """

    def __init__(
        self,
        name: str,
        actors: Actors,
        argv: Sequence[str],
        env: Mapping[str, str],
        runtime: Runtime,
        on_line: Callable[[str], None],
        on_end: Callable[["Launch"], None],
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.env = dict(env)
        self.exit_code: int | None = None
        self.crash = ""
        self.signals = VirtualSignals()
        self._stdout, self._stderr = _Lines(on_line), _Lines(on_line)
        process = Process(
            env,
            runtime,
            self.signals,
            self._stdout,
            self._stderr,
            _Files(files or {}),
            copy_tickets=lambda _env, _runtime: None,  # Kerberos is a header here: no ticket lies in a file
        )

        def run() -> None:
            # What comes out of `main` ends a process as the interpreter does.
            try:
                self.exit_code = main(argv, process)
            except SystemExit as leave:
                self.exit_code = leave.code if isinstance(leave.code, int) else int(leave.code is not None)
            except Exception as error:  # noqa: BLE001
                self.crash = f"{type(error).__name__}: {error}"
                process.write_error(traceback.format_exc())
                self.exit_code = 1

        self.actor = self.signals.actor = actors.spawn(name, run, lambda _actor: on_end(self))

    @property
    def output(self) -> str:
        """Everything that it printed on standard output."""
        return self._stdout.getvalue()

    @property
    def errors(self) -> str:
        """Everything that it printed on standard error."""
        return self._stderr.getvalue()
