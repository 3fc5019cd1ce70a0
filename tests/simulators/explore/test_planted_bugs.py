"""Bugs put into production on purpose: exploring finds each of them, and shrinking leaves its cause."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from lute.jid.documents import JobRecord
from lute.jid.status import JobStatus
from lute.jid.submission import Submission
from lute.launch import arguments as launcher_arguments
from lute.launch.sweep import Sweep
from lute.operators.jidoperators import JIDSlurmOperator
from lute.operators.lifecycle import Lifecycle
from lute.operators.waiting import Wait
from simulators.explore.explorer import Search, survivable
from simulators.explore.shrink import runner, shrink
from simulators.scenario.result import Result

MOST_SEEDS = 1000


class Patience(Exception):
    """What is raised instead of an error that would end a wait."""


Patch = Callable[[pytest.MonkeyPatch], None]


def no_on_kill(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(JIDSlurmOperator, "on_kill", lambda self: setattr(self, "_killed", False))
    patch.setattr(Sweep, "_look", lambda _self, _mark: "")  # which would hide it


def lost_submit_retried(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Submission, "words", lambda _self, **_options: [])


def unknown_is_success(patch: pytest.MonkeyPatch) -> None:
    told = Wait.told

    def gullible(self: Wait, found: Sequence[JobRecord], now_s: float) -> str:
        news = told(self, found, now_s)
        if self.record.status is None:
            self.record = replace(self.record, status=JobStatus.DONE)
        return news

    patch.setattr(Wait, "told", gullible)


def log_fetched_twice(patch: pytest.MonkeyPatch) -> None:
    collect = Lifecycle._collect

    def twice(self: Lifecycle, record: JobRecord) -> str:
        collect(self, record)
        return collect(self, record)

    patch.setattr(Lifecycle, "_collect", twice)


def token_in_a_log_line(patch: pytest.MonkeyPatch) -> None:
    execute = JIDSlurmOperator.execute

    def talkative(self: JIDSlurmOperator, context: Any) -> None:
        self.log.info("conf: %s", context["dag_run"].conf)
        execute(self, context)

    patch.setattr(JIDSlurmOperator, "execute", talkative)


def no_deadline(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Wait, "_not_understood", lambda _self, _now_s: Patience())
    patch.setattr(Wait, "doubts", lambda _self, _now_s: False)  # which would end it after all
    told = Wait.told

    def patient(self: Wait, found: Sequence[JobRecord], now_s: float) -> str:
        try:
            return told(self, found, now_s)
        except Patience:
            return ""

    patch.setattr(Wait, "told", patient)


def cap_ignored_for_n(patch: pytest.MonkeyPatch) -> None:
    class AsGiven:
        def __init__(self, words: Sequence[str]) -> None:
            self._words = words

        def render(self) -> list[str]:
            return list(self._words)

    patch.setattr(launcher_arguments, "parse_step_arguments", AsGiven)
    capped = JIDSlurmOperator.slurm_arguments

    def careless(self: JIDSlurmOperator, words: Sequence[str]) -> list[str]:
        if any(word.startswith("-n") for word in words):
            return list(words)
        return capped(self, words)

    patch.setattr(JIDSlurmOperator, "slurm_arguments", careless)


BUGS: list[tuple[Patch, str, tuple[str, ...]]] = [
    (no_on_kill, "no_job_after_task", ()),
    (lost_submit_retried, "one_live_job_per_try", ()),
    (unknown_is_success, "success_only_when_done", ()),
    (log_fetched_twice, "each_log_once", ()),
    (token_in_a_log_line, "no_secret", ()),
    (no_deadline, "ends_in_time", ()),
    (cap_ignored_for_n, "caps_hold", ()),
]
"""What is planted, which checker should see it, and which kinds of trouble it takes beside the usual ones."""


@pytest.mark.parametrize(("plant", "checker", "more"), BUGS, ids=[bug[0].__name__ for bug in BUGS])
def test_a_planted_bug_is_found_and_shrunk(
    plant: Patch, checker: str, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Search("pyalgos_sfx", survivable() + more)
    plant(monkeypatch)
    seed, found = first_broken(search, checker)
    assert seed < MOST_SEEDS
    small = shrink(search.scenario(seed), seed, checker, runner(search.dags, search.config))
    assert len(small.scenario.faults) <= 3
    assert any(broken.checker == checker for broken in small.result.broken)
    assert small.result.workflow == found.workflow
    monkeypatch.undo()
    healthy = search_result(search, small.scenario, seed)
    assert not [broken for broken in healthy.broken if broken.checker == checker], (
        "without the bug all is well"
    )


def first_broken(search: Search, checker: str) -> tuple[int, Result]:
    for seed in range(MOST_SEEDS):
        result = search.run(seed)
        if any(broken.checker == checker for broken in result.broken):
            return seed, result
    raise AssertionError(f"{checker} was never broken in {MOST_SEEDS} seeds")


def search_result(search: Search, scenario: Any, seed: int) -> Result:
    return runner(search.dags, search.config)(scenario, seed)
