"""What a checker is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from simulators.checkers.history import History
from simulators.slurm.conf import DEFAULT_PARTITIONS


@dataclass(frozen=True)
class Facts:
    """What a checker needs to know besides the history.

    Attributes:
        deadline_s: after so many seconds the run must have ended.
        start_s: when it began, in POSIX seconds.
        caps: task -> most cores that its operator allows.
        steps: tasks that run a job each; of others nothing is said about jobs.
        partitions: partition -> node -> cores of the cluster.
        secrets: texts that must appear nowhere.
        texts: name -> everything that the run left: XComs, launcher output, trace.
        forgets_soon: Slurm forgets an ended job before somebody who asks now and then has asked.
        ended: whether everything had ended by the deadline.
    """

    deadline_s: float
    start_s: float
    caps: Mapping[str, int] = field(default_factory=dict)
    steps: frozenset[str] = frozenset()
    partitions: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: DEFAULT_PARTITIONS)
    secrets: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    forgets_soon: bool = False
    ended: bool = True


Check = Callable[[History, Facts], Iterator[str]]


@dataclass(frozen=True)
class Checker:
    """One invariant.

    Attributes:
        about: in a sentence.
        check: yields, in words, each place where it is broken.
    """

    name: str
    about: str
    check: Check


class Registry(dict[str, Checker]):
    """Checkers by name."""

    def __call__(self, check: Check) -> Check:
        """Register a function under its name; its docstring's first line is what it is about."""
        name = check.__name__
        self[name] = Checker(name, (check.__doc__ or "").strip().splitlines()[0], check)
        return check


checker = Registry()
