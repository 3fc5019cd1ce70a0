"""What the facility of a test runs, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lute.errors import ConfigError
from simulators.facility import Facility
from simulators.faults.kinds import KINDS, parse_fault
from simulators.faults.model import Fault, WorldFault
from simulators.scenario.loader import check_tasks, find_scenario, scenario_names
from simulators.scenario.result import Result
from simulators.scenario.schema import Scenario
from simulators.scenario.transplant import transplanted


@dataclass(frozen=True)
class Defaults:
    """What holds for every test of a session.

    Attributes:
        root: what relative paths start from.
        dags: folder of DAG files, None if there is none.
        config: the Tasks' configuration, None for one without any settings.
        seed: of every world, None if each may have its own.
        keep: folder for what failing tests ran.
    """

    root: Path
    dags: Path | None
    config: Path | None
    seed: int | None
    keep: Path


@dataclass(frozen=True)
class Setup:
    """What the next world runs.

    Attributes:
        base: the scenario that the test named.
        given: the fields that the test itself set.
        added: the faults that it asked for before the launch.
        check: whether a broken invariant fails the test.
    """

    base: Scenario = field(default_factory=Scenario)
    given: Mapping[str, Any] = field(default_factory=dict)
    added: tuple[Fault, ...] = ()
    dags: Path | None = None
    config: Path | None = None
    seed: int = 0
    check: bool = True

    @property
    def workflow(self) -> str:
        """Which workflow runs."""
        return str(self.given.get("workflow", self.base.workflow))

    def scenario(self, tasks: Sequence[str]) -> Scenario:
        """Return the scenario of the next world, moved to this workflow if it was written for another.

        Args:
            tasks: ids of the workflow's tasks.

        Raises:
            ConfigError: the scenario names others.
        """
        is_moved = self.workflow != self.base.workflow
        base = transplanted(self.base, self.workflow, tasks) if is_moved else self.base
        scenario = changed(base, self.given)
        scenario = scenario.with_faults((*scenario.faults, *self.added))
        check_tasks(scenario, tasks)
        return scenario


@dataclass
class Run:
    """One world of a test.

    Attributes:
        start: the scenario with which it began.
        result: None while it goes on.
    """

    setup: Setup
    start: Scenario
    dags: Path
    config: Path
    world: Facility
    result: Result | None = None

    @property
    def scenario(self) -> Scenario:
        """What was run, with the faults that the test added meanwhile."""
        return self.start.with_faults(tuple(self.world.plan.faults))

    @property
    def is_of_library(self) -> bool:
        """Whether it ran a scenario of the library and nothing else, perhaps on another workflow."""
        base = self.setup.base
        return (
            base.name in scenario_names()
            and base == find_scenario(base.name)
            and set(self.setup.given) <= {"workflow"}
            and len(self.world.plan.faults) == len(base.faults)
        )

    @property
    def problems(self) -> list[str]:
        """Why the test must not pass: broken invariants, and what is not as its scenario expects."""
        if self.result is None or not self.setup.check:
            return []
        idle = {f"the fault {name} never acted" for name in self.result.idle_faults}
        broken = [f"broken invariant: {found.checker}: {found.text}" for found in self.result.broken]
        return broken + [f"not as expected: {text}" for text in self.result.unexpected if text not in idle]


def changed(base: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """Return a scenario with other fields; raise ConfigError for one that it does not have."""
    kept = {name: getattr(base, name) for name in base.model_fields_set}
    try:
        return Scenario(**{**kept, **changes})
    except ValidationError as error:
        raise _as_config_error("the scenario", error) from None


def fault_from(what: str, fields: dict[str, Any]) -> Fault:
    """Return a fault, from now on unless it says otherwise; raise ConfigError if there is no such one."""
    kind = KINDS.get(what)
    if kind is not None and issubclass(kind, WorldFault) and kind.model_fields["after"].default is None:
        fields = fields if "after" in fields else {"at_s": 0.0} | fields
    try:
        return parse_fault({"what": what, **fields})
    except ValidationError as error:
        raise _as_config_error(f"the fault {what}", error) from None
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _as_config_error(owner: str, error: ValidationError) -> ConfigError:
    found = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in found["loc"])
    return ConfigError(f"{owner}: {place}: {found['msg']}, given {found.get('input')!r}")
