"""What the page shows, as data: lanes with bars and marks, instants across all lanes, rows of tables."""

from dataclasses import dataclass, field
from enum import StrEnum


class Group(StrEnum):
    """The parts of the chart, top to bottom; each value is the part's heading."""

    LAUNCHER = "Launcher"
    RUN = "Airflow run"
    TASK = "Airflow tasks"
    CLIENT = "Requests and log lines, by sender"
    JOB = "Slurm jobs"
    NODE = "Nodes"


@dataclass(frozen=True)
class Bar:
    """Something that lasts.

    Attributes:
        kind: names its look (`simulators.timeline.looks`).
        labels: what may stand on it, longest first; the first that fits is taken.
        hover: plain text.
        level: which of the lane's rows it is in, from the top; None takes them all.
    """

    start_s: float
    end_s: float
    kind: str
    labels: tuple[str, ...]
    hover: str
    level: int | None = 0


@dataclass(frozen=True)
class Mark:
    """Something that happens at one moment.

    Attributes:
        since_s: where a lead line to it begins: when a request was sent whose reply it is.
        label: stands beside it.
    """

    at_s: float
    kind: str
    hover: str
    since_s: float | None = None
    label: str = ""


@dataclass
class Lane:
    """One line of the chart."""

    group: Group
    name: str
    bars: list[Bar] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    @property
    def levels(self) -> int:
        """How many rows the bars need."""
        return 1 + max((bar.level or 0 for bar in self.bars), default=0)


@dataclass(frozen=True)
class Instant:
    """Something that concerns all lanes: a fault, or a checker that broke.

    Attributes:
        cells: what the table tells, after number and time.
    """

    at_s: float
    end_s: float | None
    kind: str
    label: str
    hover: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class JobLine:
    """One stay of a job in the queue and on its nodes; a requeued job has several."""

    job: str
    state: str
    nodes: str
    waited_s: float
    ran_s: float | None


@dataclass(frozen=True)
class TaskRow:
    """One task of the run and its jobs."""

    task: str
    state: str
    tries: str
    jobs: tuple[JobLine, ...]


@dataclass(frozen=True)
class Timeline:
    """A run, ready to be drawn.

    Attributes:
        is_good: None without a verdict.
        facts: the trace's header, without what the title has.
    """

    title: str
    verdict: str
    is_good: bool | None
    summary: str
    facts: tuple[tuple[str, str], ...]
    replay: str
    duration_s: float
    lanes: tuple[Lane, ...]
    faults: tuple[Instant, ...]
    broken: tuple[Instant, ...]
    rows: tuple[TaskRow, ...]
