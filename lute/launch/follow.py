"""Printing the logs of running steps line by line, from their files."""

import math
from dataclasses import dataclass

from lute.airflow_api.client import AirflowClient
from lute.errors import RemoteError
from lute.launch.log_files import LogFiles
from lute.launch.output import Output
from lute.launch.steps import Step, Steps, read_job
from lute.launch.watch import RunRef
from lute.seams import Clock

_MOST_AT_ONCE = 64 * 1024
"""So many bytes of one log are read in one poll."""
_MOST_BEHIND = 1024 * 1024
"""A log that is further ahead than so many bytes is printed from near its end."""
_LONGEST_LINE = 16 * 1024
_ANCHOR = 4096
_ASK_AGAIN_S = 10.0


@dataclass
class _Stream:
    """One log and how far it has been printed.

    Attributes:
        held: the beginning of a line whose end is not there yet.
        printed: the end of what was printed.
        printed_chars: so many characters were printed from the log's beginning; None if some were left out.
    """

    path: str
    offset: int = 0
    held: bytes = b""
    printed: str = ""
    printed_chars: int | None = 0


class LogFollower:
    """Prints what has come to the logs of all steps under way, each line with its step's name.

    Args:
        files: where the logs lie.
    """

    def __init__(
        self,
        airflow: AirflowClient,
        run: RunRef,
        output: Output,
        steps: Steps,
        clock: Clock,
        files: LogFiles,
    ) -> None:
        self._airflow = airflow
        self._run = run
        self._output = output
        self._steps = steps
        self._clock = clock
        self._files = files
        self._streams: dict[tuple[str, int, int], _Stream] = {}
        self._ask_again_s: dict[tuple[str, int, int], float] = {}

    def poll(self) -> None:
        """Print what is new."""
        for step in self._steps:
            if step.state.is_underway:
                stream = self._streams.get(_attempt(step)) or self._open(step)
                if stream is not None:
                    self._advance(step, stream)

    def rest(self, step: Step, log: str | None) -> str | None:
        """Return what of the log of a try that has ended is not printed yet.

        The file may lag behind on this computer: what came through Airflow tells how the log goes on.
        """
        stream = self._streams.pop(_attempt(step), None)
        if stream is None or not (stream.printed or stream.held):
            return log
        while self._advance(step, stream):
            pass
        if stream.held:
            self._print(step, stream, stream.held)
        rest = _behind(stream, log)
        if rest is None:
            return f"(printed above, line by line; as it came through Airflow:)\n{log}"
        return f"(printed above, line by line){rest and chr(10)}{rest}"

    def _open(self, step: Step) -> _Stream | None:
        """Return the stream of a step whose log is known to lie somewhere."""
        attempt, now_s = _attempt(step), self._clock.monotonic()
        if now_s < self._ask_again_s.get(attempt, -math.inf):
            return None
        self._ask_again_s[attempt] = now_s + _ASK_AGAIN_S
        try:
            job = read_job(self._airflow.xcom(self._run.dag_id, self._run.run_id, step.instance, "job"))
        except RemoteError:
            return None
        path = job.log_file_path.replace("%J", job.tool_id).replace("%j", job.tool_id)
        if not path or self._files.size(path) is None:
            return None
        self._streams[attempt] = _Stream(path)
        return self._streams[attempt]

    def _advance(self, step: Step, stream: _Stream) -> bool:
        """Print the next part of a log; return False if there is none."""
        size = self._files.size(stream.path)
        if size is None:
            return False
        if size < stream.offset:
            self._say(step, "[the log begins again: its job was requeued, or its file cut]")
            stream.offset, stream.held, stream.printed, stream.printed_chars = 0, b"", "", 0
        is_far_behind = size - stream.offset > _MOST_BEHIND
        if is_far_behind:
            skipped = size - stream.offset - _MOST_AT_ONCE
            self._say(step, f"[{skipped} bytes left out here; all of it: {stream.path}]")
            stream.offset, stream.held = size - _MOST_AT_ONCE, b""
            stream.printed_chars = None
        part = self._files.read(stream.path, stream.offset, _MOST_AT_ONCE)
        if not part:
            return False
        stream.offset += len(part)
        if is_far_behind:  # from the next word on: the rest of a token is not known for one
            part = part.split(maxsplit=1)[-1]
        lines, newline, stream.held = (stream.held + part).rpartition(b"\n")
        if newline:
            self._print(step, stream, lines + newline)
        if len(stream.held) > _LONGEST_LINE:
            words, blank, rest = stream.held.rpartition(b" ")  # a token that is cut is not known for one
            self._print(step, stream, words + blank or rest)
            stream.held = rest if blank else b""
        return True

    def _print(self, step: Step, stream: _Stream, text: bytes) -> None:
        # As the operators clean a log before it goes through Airflow.
        shown = text.decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
        stream.printed = (stream.printed + shown)[-_ANCHOR:]
        if stream.printed_chars is not None:
            stream.printed_chars += len(shown)
        for line in shown.removesuffix("\n").split("\n"):
            self._say(step, line)

    def _say(self, step: Step, line: str) -> None:
        self._output.line(f"{step.label} | {line}")


def _attempt(step: Step) -> tuple[str, int, int]:
    return step.instance.task_id, step.instance.map_index, step.instance.try_number


def _behind(stream: _Stream, log: str | None) -> str | None:
    """Return what of `log` comes behind what was printed; None if it is not told."""
    if log is None:
        return ""
    printed, chars = stream.printed, stream.printed_chars
    if chars is not None and log[:chars].endswith(printed):
        return log[chars:].rstrip() and log[chars:]
    if log.rstrip().endswith(printed.rstrip()):
        return ""
    start = log.rfind(printed)
    return None if start < 0 else log[start + len(printed) :]
