"""How a run went."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from simulators.checkers.all import Broken
from simulators.kernel.trace import Trace


class ExitCode(IntEnum):
    """What `lute-sim run` says of a run."""

    SUCCESS = 0
    FAILED = 1
    USAGE = 2
    BROKEN = 3
    """An invariant was broken."""
    NO_VERDICT = 4
    """It had not ended by its deadline."""
    DIFFERENT = 5
    """A replay went another way."""


@dataclass
class Result:
    """One run of a scenario.

    Attributes:
        run_state: of the first DAG run: `success`, `failed`, `queued`, `running`; `none` if there is none.
        exit_codes: of the launchers, None for one that was killed.
        tasks: label -> state in Airflow, of the first run.
        tries: label -> number of tries.
        jobs: label -> ids of its Slurm jobs.
        output: what the first launcher printed.
        broken: invariants that were broken.
        unexpected: where the end is not what the scenario expects, in words.
        idle_faults: faults that never acted.
        faults: entries of the faults that acted.
        duration_s: virtual seconds from start to end.
        trace: the record of the run.
    """

    workflow: str
    scenario: str
    seed: int
    run_state: str
    exit_codes: list[int | None]
    tasks: dict[str, str]
    tries: dict[str, int]
    jobs: dict[str, list[int]]
    output: str
    broken: list[Broken]
    unexpected: list[str]
    idle_faults: list[str]
    faults: list[dict[str, Any]]
    duration_s: float
    exchanges: int
    ended: bool
    trace: Trace = field(repr=False)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What happened, event by event."""
        return self.trace.entries

    @property
    def digest(self) -> str:
        """Equal for equal runs."""
        return self.trace.digest

    @property
    def exit_code(self) -> ExitCode:
        """What `lute-sim run` ends with."""
        if not self.ended:
            return ExitCode.NO_VERDICT
        if self.broken:
            return ExitCode.BROKEN
        good = self.run_state == "success" and all(code == 0 for code in self.exit_codes)
        return ExitCode.SUCCESS if good else ExitCode.FAILED

    @property
    def is_as_expected(self) -> bool:
        """Whether nothing is broken and the end is what the scenario expects."""
        return not self.broken and not self.unexpected

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON can hold it, without the trace."""
        return {
            "workflow": self.workflow,
            "scenario": self.scenario,
            "seed": self.seed,
            "run": self.run_state,
            "exit_code": int(self.exit_code),
            "launchers": self.exit_codes,
            "tasks": self.tasks,
            "tries": self.tries,
            "jobs": self.jobs,
            "broken": [{"checker": found.checker, "text": found.text} for found in self.broken],
            "unexpected": self.unexpected,
            "idle_faults": self.idle_faults,
            "faults": [{key: entry[key] for key in ("where", "what", "target")} for entry in self.faults],
            "virtual_s": round(self.duration_s, 3),
            "requests": self.exchanges,
            "digest": self.digest,
        }
