"""Many seeds in one process or in many: the same report, and nothing is lost."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lute.errors import ConfigError
from lute.operators.jidoperators import JIDSlurmOperator
from simulators.explore.explorer import Report, Search, explore, run_seeds, survivable
from simulators.scenario.result import Result
from simulators.scenario.runner import run_scenario
from simulators.stop import Stop

SEARCH = Search("test", survivable())


def whole(parts: Iterator[Report]) -> dict[str, Any]:
    report = Report()
    for part in parts:
        report.add(part)
    return report.to_plain()


def test_one_worker_and_two_report_the_same() -> None:
    before = psutil.Process().children()
    one = whole(explore(SEARCH, range(30), workers=1, batch=7))
    two = whole(explore(SEARCH, range(30), workers=2, batch=4))
    assert one == two
    assert (one["runs"], one["run_twice"], one["crashed"]) == (30, 3, [])
    assert psutil.Process().children() == before


def test_reports_come_in_the_order_of_the_seeds() -> None:
    parts = list(explore(SEARCH, range(5, 17), workers=2, batch=5))
    assert [part.runs for part in parts] == [5, 5, 2]


def crash_of(monkeypatch: pytest.MonkeyPatch, seed: int, error: BaseException) -> None:
    """Let the world of one seed crash."""

    def run(given: Any, **options: Any) -> Result:
        if options["seed"] == seed:
            raise error
        return run_scenario(given, **options)

    monkeypatch.setattr("simulators.explore.explorer.run_scenario", run)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_crash_is_reported_with_its_seed_and_the_others_go_on(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash_of(monkeypatch, 5, ZeroDivisionError("a bug"))
    plain = whole(explore(SEARCH, range(1, 9), workers=workers, batch=4))
    assert plain["runs"] == 7
    ((crash),) = plain["crashed"]
    assert crash["seed"] == 5
    assert "ZeroDivisionError: a bug" in crash["error"]


@pytest.mark.parametrize("error", [Stop(), KeyboardInterrupt()])
def test_a_signal_is_no_crash(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    crash_of(monkeypatch, 3, error)
    with pytest.raises(type(error)):
        run_seeds(SEARCH, range(1, 9))


def test_a_signal_that_comes_while_an_operator_runs_ends_the_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_arguments: Any, **_options: Any) -> None:
        raise Stop

    monkeypatch.setattr("lute.jid.client.JidClient.start_job", interrupted)
    with pytest.raises(Stop):
        run_seeds(SEARCH, range(1, 9))


def test_a_seed_that_does_not_repeat_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def run(given: Any, **options: Any) -> Result:
        seen.append(options["seed"])
        result = run_scenario(given, **options)
        result.trace.note(0.0, "chance", "draw", number=len(seen))
        return result

    monkeypatch.setattr("simulators.explore.explorer.run_scenario", run)
    report = run_seeds(SEARCH, range(9, 12))
    assert seen == [9, 10, 10, 11]
    assert [(found.seed, found.checker) for found in report.findings] == [(10, "same_seed_same_trace")]


def test_an_unknown_workflow_is_refused_before_any_seed() -> None:
    with pytest.raises(ConfigError, match="there is no workflow 'tset'"):
        Search("tset", ()).check()


def test_one_finding_for_each_checker_and_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    execute = JIDSlurmOperator.execute

    def talkative(self: JIDSlurmOperator, context: Any) -> None:
        self.log.info("conf: %s", context["dag_run"].conf)
        execute(self, context)

    monkeypatch.setattr(JIDSlurmOperator, "execute", talkative)
    report = run_seeds(Search("test", ()), range(1, 10))
    pairs = [(found.seed, found.checker) for found in report.findings]
    assert pairs
    assert len(pairs) == len(set(pairs))


def test_whoever_stops_early_leaves_no_worker_behind() -> None:
    before = psutil.Process().children()
    parts = explore(SEARCH, range(200), workers=2, batch=10)
    next(parts)
    parts.close()  # type: ignore[attr-defined]
    assert psutil.Process().children() == before


def test_workers_leave_ctrl_c_to_the_parent_and_die_by_sigterm(tmp_path: Path) -> None:
    from simulators.explore import explorer

    pid = os.fork()
    if pid == 0:
        try:
            signal.signal(signal.SIGTERM, lambda *_: None)
            explorer._start_worker()
            ok = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            ok = ok and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
            os._exit(0 if ok else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
