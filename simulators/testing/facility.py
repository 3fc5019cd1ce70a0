"""The facility of one test; the fixture `facility`."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lute.errors import ConfigError
from simulators.dagrunner.installed import MAJOR, VERSION
from simulators.dagrunner.load import load_folder
from simulators.facility import CONFIG, Facility
from simulators.scenario.loader import check_tasks, find_scenario, load_scenario
from simulators.scenario.result import Result
from simulators.scenario.runner import begin, broken_so_far, conclude
from simulators.scenario.schema import Scenario
from simulators.testing.clock import ClockHandle
from simulators.testing.jid import JidHandle
from simulators.testing.runs import Defaults, Run, Setup, changed, fault_from
from simulators.testing.slurm import SlurmHandle
from simulators.virtual.launch import Launch


class FaultNeverActed(UserWarning):
    """A test asked for a fault that found nothing to act on: it proves nothing about it."""


class FacilityHandle:
    """Runs workflows for one test, each in a world of its own; the fixture `facility`.

    Attributes:
        runs: the worlds so far; the last one is open until the test is over.
    """

    def __init__(self, defaults: Defaults) -> None:
        self.defaults = defaults
        self.runs: list[Run] = []
        self.clock = ClockHandle(self)
        self.jid = JidHandle(self)
        self.slurm = SlurmHandle(self)
        self._setup = Setup()
        self._is_open = False

    def __repr__(self) -> str:
        return f"<facility for {self._setup.workflow}, {len(self.runs)} runs>"

    def use(
        self,
        scenario: Scenario | Path | str | None = None,
        *,
        dags: Path | str | None = None,
        config: Path | str | None = None,
        seed: int | None = None,
        check: bool | None = None,
        **fields: Any,
    ) -> "FacilityHandle":
        """Say what the next world runs; what is not said stays as it is.

        Args:
            scenario: a name of the library, the path of a file, or the scenario itself.
            dags: folder of DAG files.
            config: the Tasks' configuration.
            seed: of all that is drawn by chance.
            check: whether a broken invariant fails the test.
            fields: of the scenario: `workflow="my_dag"`, `tasks={"Tester": TaskModel(duration_s=5)}`.

        Raises:
            ConfigError: there is no such scenario, or no such field of one.
        """
        before = self._setup
        base = before.base if scenario is None else self._found(scenario)
        if "workflow" in fields:
            fields["workflow"] = str(fields["workflow"]).removeprefix("lute_")
        given = {**before.given, **fields}
        changed(base, given)  # tells of a wrong field here, not at the launch
        self._setup = replace(
            before,
            base=base,
            given=given,
            dags=before.dags if dags is None else self.defaults.root / dags,
            config=before.config if config is None else self.defaults.root / config,
            seed=before.seed if seed is None else seed,
            check=before.check if check is None else check,
        )
        return self

    __call__ = use

    def run(self, scenario: Scenario | Path | str | None = None, **changes: Any) -> Result:
        """Run a workflow from its launch to its end; the arguments are those of `use`.

        Raises:
            ConfigError: there is no such scenario or workflow, or the workflow cannot be imported.
        """
        self.use(scenario, **changes)
        self.launch()
        return self.finish()

    def launch(self) -> Launch:
        """Begin a world and start its launchers; the world then goes on when `clock` says so, or `finish`.

        Raises:
            ConfigError: there is no such workflow, or it has no task that the scenario names.
            RuntimeError: the last world has not come to its end.
        """
        if self.is_launched and self.runs[-1].result is None:
            raise RuntimeError("a world goes on already: facility.finish(), or facility.world.launch() in it")
        self.close()
        setup = self._setup
        dags, config = setup.dags or self.defaults.dags, setup.config or self.defaults.config or CONFIG
        if dags is None or not dags.is_dir():
            raise ConfigError(
                "there is no folder of DAG files" + ("" if dags is None else f" {dags}"),
                next_step='give dags="FOLDER", or set `lute_dags = FOLDER` in pytest\'s ini file',
            )
        found = load_folder(dags).dags.get(f"lute_{setup.workflow}")
        # Of a workflow that is not there, the world itself says why.
        if found is None:
            scenario = Scenario(workflow=setup.workflow)
        else:
            scenario = setup.scenario(list(found[0].task_ids))
        if scenario.airflow not in (None, MAJOR):
            pytest.skip(f"scenario {scenario.name} is for Airflow {scenario.airflow}, installed is {VERSION}")
        seed = setup.seed if self.defaults.seed is None else self.defaults.seed
        world = Facility(scenario, seed=seed, dags=dags, config=config)
        world.__enter__()
        self._is_open = True
        self.runs.append(Run(setup, scenario, dags, config, world))
        begin(world)
        return world.launches[0]

    def finish(self) -> Result:
        """Let the world go on until everything has ended, or its deadline; return how it went."""
        run = self._running
        if run.result is None:
            run.result = conclude(run.world, ended=run.world.finish())
        return run.result

    def inject(self, what: str, **fields: Any) -> None:
        """Let something go wrong from now on, or from the launch on if nothing runs yet.

        Args:
            what: kind of fault, as in a scenario file; so are its fields.

        Raises:
            ConfigError: there is no such fault, or no such field of it, or no such task.
        """
        fault = fault_from(what, fields)
        if not self.is_launched:
            self._setup = replace(self._setup, added=(*self._setup.added, fault))
            return
        tasks = self.world.airflow.state.dags[self.world.dag_id].dag.tasks
        check_tasks(
            Scenario(workflow=self._setup.workflow, faults=(fault,)), [task.task_id for task in tasks]
        )
        self.world.plan.add(fault)

    def check(self) -> None:
        """Fail now if the world has broken an invariant so far.

        Raises:
            AssertionError: with what the checkers say.
        """
        __tracebackhide__ = True
        broken = [f"{found.checker}: {found.text}" for found in broken_so_far(self.world)]
        assert not broken, "\n".join(broken)  # noqa: S101 - a test's own assertion

    @property
    def is_launched(self) -> bool:
        """Whether there is a world."""
        return self._is_open

    @property
    def world(self) -> Facility:
        """The world itself, for all that has no shorthand.

        Raises:
            RuntimeError: nothing was launched.
        """
        return self._running.world

    @property
    def result(self) -> Result:
        """How the last run went.

        Raises:
            RuntimeError: it has not ended.
        """
        result = self._running.result
        if result is None:
            raise RuntimeError("the run has not ended: facility.finish()")
        return result

    @property
    def tasks(self) -> dict[str, str]:
        """The state of every task of the first run in Airflow; empty before Airflow has it."""
        run = next(iter(self.world.airflow.state.runs.values()), None)
        return {} if run is None else {record.label: str(record.state) for record in run.tasks.values()}

    @property
    def output(self) -> str:
        """What the first launcher has printed so far."""
        launch = self.world.launches[0]
        return launch.output + launch.errors

    def end(self) -> str:
        """Finish what still goes on; return why the test must not pass, empty if it may."""
        if self.is_launched:
            self.finish()
        for run in self.runs:
            for name in run.result.idle_faults if run.result is not None else ():
                warnings.warn(f"this fault never acted: {name}", FaultNeverActed, stacklevel=2)
        return "\n".join(text for run in self.runs for text in run.problems)

    def close(self) -> None:
        """End the last world: everything of this process is as it was before."""
        if self._is_open:
            self._is_open = False
            self.runs[-1].world.__exit__()

    @property
    def _running(self) -> Run:
        if not self._is_open:
            raise RuntimeError("nothing was launched: facility.run(), or facility.launch()")
        return self.runs[-1]

    def _found(self, scenario: Scenario | Path | str) -> Scenario:
        if isinstance(scenario, Scenario):
            return scenario
        if isinstance(scenario, Path) or "/" in scenario or scenario.endswith((".yaml", ".yml")):
            return load_scenario(self.defaults.root / scenario)
        return find_scenario(scenario)
