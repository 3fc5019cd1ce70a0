"""The library: one scenario for each failure that has a name."""

from simulators.scenario.loader import LIBRARY, load_scenario, scenario_names
from simulators.scenario.schema import Scenario


def library() -> dict[str, Scenario]:
    """Return all scenarios of the library by name.

    Raises:
        ConfigError: one of them is no scenario.
    """
    return {name: load_scenario(LIBRARY / f"{name}.yaml") for name in scenario_names()}


def catalogue_lines() -> list[str]:
    """Return a line for each scenario: name, what happens, `[xfail]` if production does not survive it."""
    scenarios = library()
    width = max(map(len, scenarios), default=0)
    return [f"{name:{width}}  {scenario.about}{_marks(scenario)}" for name, scenario in scenarios.items()]


def _marks(scenario: Scenario) -> str:
    marks = f" [Airflow {scenario.airflow} only]" if scenario.airflow else ""
    return f"{marks} [xfail]" if scenario.xfail else marks
