"""The pytest plugin: fixtures `facility`, `slurm`, `jid`, `clock` on a virtual facility; the mark `scenario`.

Every pytest of an environment with this package imports this module, so it imports nothing but pytest.
"""

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simulators.testing.clock import ClockHandle
    from simulators.testing.facility import FacilityHandle
    from simulators.testing.jid import JidHandle
    from simulators.testing.runs import Defaults
    from simulators.testing.slurm import SlurmHandle

_MARK = (
    "scenario(*scenarios, workflow, dags, config, seed, check, **fields): what the facility runs: names of"
    " the library, paths of files, Scenario objects (several: one test each); fields as in a scenario file;"
    " check=False lets a test pass whose run broke an invariant"
)
_USUAL_DAGS = "workflows/airflow"
_LONGEST_NAME = 120


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options."""
    parser.addini("lute_dags", f"folder of DAG files, from the rootdir; {_USUAL_DAGS} if there is one")
    parser.addini(
        "lute_config", "file of the Tasks' configuration, from the rootdir; one without any settings"
    )
    group = parser.getgroup("lute", "workflows in a virtual facility")
    group.addoption("--lute-seed", type=int, metavar="N", help="seed of every world, whatever the tests say")
    group.addoption(
        "--lute-trace", metavar="DIR", help="keep scenario and trace of every world in this folder"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line("markers", _MARK)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each scenario of a mark that has several."""
    if "facility" not in metafunc.fixturenames:
        return
    scenarios, _ = _marked(metafunc.definition)
    if len(scenarios) > 1:
        metafunc.parametrize("facility", scenarios, indirect=True, ids=_name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Let a world come to its end after a test, and fail the test if its run broke an invariant."""
    yield
    facility = _of(item)
    if facility is not None and (said := facility.end()):
        pytest.fail(said, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what a test ran where it was asked for or the test failed, and tell how to run it again."""
    report = yield
    facility = _of(item)
    kept = item.config.getoption("lute_trace")
    if call.when == "call" and facility is not None and (report.failed or kept):
        from simulators.testing.report import keep_and_tell

        here = item.config.invocation_params.dir
        name = re.sub(r"[^\w.=-]+", "-", item.nodeid).strip("-")[-_LONGEST_NAME:]
        file = (here / kept if kept else facility.defaults.keep) / name
        try:
            section = keep_and_tell(facility, file, here, all_runs=bool(kept))
        except Exception as error:  # noqa: BLE001 - the test's own failure must be seen all the same
            section = f"the run could not be kept: {type(error).__name__}: {error}\n"
        if report.failed and section:
            report.sections.append(("lute", section))
    return report


@pytest.fixture
def facility(request: pytest.FixtureRequest) -> "Iterator[FacilityHandle]":
    """A virtual facility: launcher, Airflow, JID, eLog and Slurm in this process, in virtual time.

    The mark `scenario` says what it runs, or `facility.use`. What a run broke fails the test at its end.
    """
    from lute.errors import LuteError
    from simulators.testing.facility import FacilityHandle

    scenarios, fields = _marked(request.node)
    chosen = getattr(request, "param", scenarios[0] if scenarios else None)
    handle = FacilityHandle(_defaults(request))
    said = ""
    try:
        handle.use(chosen, **fields)
    except LuteError as error:
        said = str(error)
    if said:
        pytest.fail(said, pytrace=False)
    request.node.stash[_FACILITY] = handle
    try:
        yield handle
    finally:
        handle.close()


@pytest.fixture
def slurm(facility: "FacilityHandle") -> "SlurmHandle":
    """The cluster of `facility`."""
    return facility.slurm


@pytest.fixture
def jid(facility: "FacilityHandle") -> "JidHandle":
    """The job interface daemon of `facility`."""
    return facility.jid


@pytest.fixture
def clock(facility: "FacilityHandle") -> "ClockHandle":
    """The virtual time of `facility`."""
    return facility.clock


_FACILITY: "pytest.StashKey[FacilityHandle]" = pytest.StashKey()


def _of(item: pytest.Item) -> "FacilityHandle | None":
    return item.stash.get(_FACILITY, None)


def _marked(node: pytest.Item | pytest.Function) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the scenarios of the closest mark that has any, and the fields of all: the closest wins."""
    marks = list(node.iter_markers("scenario"))
    scenarios = next((mark.args for mark in marks if mark.args), ())
    fields: dict[str, Any] = {}
    for mark in reversed(marks):
        fields |= mark.kwargs
    return scenarios, fields


def _name(scenario: Any) -> str:
    """Return a scenario's name without reading its file: test ids are made before anything is run."""
    return str(getattr(scenario, "name", "") or Path(str(scenario)).stem)


def _defaults(request: pytest.FixtureRequest) -> "Defaults":
    from simulators.testing.runs import Defaults

    config, root = request.config, request.config.rootpath
    usual = root / _USUAL_DAGS
    given, tasks_config = config.getini("lute_dags"), config.getini("lute_config")
    cache = getattr(config, "cache", None)
    return Defaults(
        root=root,
        dags=root / given if given else usual if usual.is_dir() else None,
        config=root / tasks_config if tasks_config else None,
        seed=config.getoption("lute_seed"),
        keep=cache.mkdir("lute") if cache is not None else _session_folder(request),
    )


def _session_folder(request: pytest.FixtureRequest) -> Path:
    """Return a folder of this session: for pytest without its cache."""
    base: Path = request.getfixturevalue("tmp_path_factory").getbasetemp()
    return base / "lute"
