"""Live progress on a terminal, and a sign of life in a batch log."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

from lute.airflow_api.models import TaskState
from lute.launch.output import Output
from lute.launch.steps import Steps
from lute.launch.table import duration
from lute.seams import Clock

if TYPE_CHECKING:
    from rich.table import Table

_SIGN_OF_LIFE_S = 1800.0


class Progress(Protocol):
    """Who shows how the run is."""

    def poll(self) -> None:
        """Show how it is now."""

    def close(self) -> None:
        """Show nothing any more."""


class SignsOfLife:
    """A line every half hour, so that nobody takes a long step for a launcher that hangs."""

    def __init__(self, steps: Steps, clock: Clock, output: Output) -> None:
        self._steps = steps
        self._clock = clock
        self._output = output
        self._next_s = clock.monotonic() + _SIGN_OF_LIFE_S

    def poll(self) -> None:
        """Print the line if it is due."""
        if self._clock.monotonic() >= self._next_s:
            self._next_s = self._clock.monotonic() + _SIGN_OF_LIFE_S
            self._output.news(summary(self._steps, self._clock))

    def close(self) -> None:
        """Do nothing."""


class LiveTable:
    """A table below the lines, drawn anew at each poll. Needs `rich`.

    Args:
        stream: the terminal.
    """

    def __init__(self, steps: Steps, clock: Clock, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._steps = steps
        self._clock = clock
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def write(self, text: str) -> None:
        """Print lines above the table."""
        from rich.text import Text

        self._console.print(Text(text), soft_wrap=True)

    def poll(self) -> None:
        """Draw the table."""
        if not self._live.is_started:
            self._live.start()
        self._live.update(self._table(), refresh=True)

    def close(self) -> None:
        """Take the table away, and give the terminal back as it was."""
        self._live.stop()

    def _table(self) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table("step", "state", "try", "for")
        for step in self._steps:
            started, ended = step.instance.started, step.instance.ended
            until = ended if step.state.is_final else self._clock.now()
            for_s = None if started is None or until is None else (until - started).total_seconds()
            tries = str(step.instance.try_number or "")
            # As text: in strings, `[0]` of a mapped step would be markup.
            table.add_row(Text(step.label), Text(str(step.state)), Text(tries), Text(duration(for_s)))
        return table


def progress(
    steps: Steps, clock: Clock, stream: TextIO, write: Callable[[str], None]
) -> tuple[Progress, Output]:
    """Return what shows the progress, and the output that goes with it."""
    if stream.isatty():
        try:
            live = LiveTable(steps, clock, stream)
        except ImportError:
            pass  # without rich, a terminal gets what a batch log gets
        else:
            return live, Output(clock, live.write)
    output = Output(clock, write)
    return SignsOfLife(steps, clock, output), output


def summary(steps: Steps, clock: Clock) -> str:
    """Return in one line how far a run has come."""
    ended = sum(step.state.is_final for step in steps)
    at_work = [step for step in steps if step.state in (TaskState.RUNNING, TaskState.DEFERRED)]
    words = [f"{ended} of {len(steps)} steps have ended"]
    for step in at_work[:5]:
        started = step.instance.started
        since = "" if started is None else f" for {duration((clock.now() - started).total_seconds())}"
        words.append(f"{step.label} runs{since}")
    if len(at_work) > 5:
        words.append(f"and {len(at_work) - 5} more")
    return "; ".join(words)
