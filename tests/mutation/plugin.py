"""pytest plugin: `pytest -p tests.mutation.plugin --mutate FOLDER TESTS`.

Collects the tests once. Each mutant then lives in a copy of this process, where those tests run that enter
its function, the fastest first, until one fails: some milliseconds a mutant, not a start of Airflow.
"""

import os
import random
import sys
import threading
import time
from collections import defaultdict
from functools import cache, partial
from types import FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, settings

from tests.mutation.forked import Died, forked
from tests.mutation.live import LiveFunctions
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.report import Verdict, lines

_PLAIN_RUN_S = 900.0
_HANGS_S = 10.0
"""What takes longer than this and three times the tests' own time hangs."""
_Seen = dict[str, list[int]]
"""By `path::qualified name`: the tests that enter that function, by number."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mutation")
    group.addoption("--mutate", metavar="FOLDER", action="append", help="change the code of this folder")
    group.addoption("--mutants-at-most", type=int, metavar="N", help="take so many of them, by chance")
    group.addoption("--killed-at-least", type=float, metavar="PERCENT", default=90.0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    config = session.config
    folders = config.getoption("--mutate")
    if not folders:
        return None
    settings.register_profile(
        "mutation",
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        max_examples=60,
        database=None,
        deadline=None,
    )
    settings.load_profile("mutation")
    root = config.rootpath
    files = sorted(str(path.relative_to(root)) for folder in folders for path in (root / folder).glob("*.py"))
    live = {file: LiveFunctions(root, file) for file in files}
    found = [mutant for file in files for mutant in mutants(root, file)]
    total, most = len(found), config.getoption("--mutants-at-most")
    if most and total > most:
        found = sorted(random.Random(total).sample(found, most), key=found.index)
    try:
        seconds, failed = forked(partial(_plain_run, session.items), _PLAIN_RUN_S)
        fastest_first = sorted(range(len(seconds)), key=seconds.__getitem__)
        failed += forked(partial(_first_failure, session.items, fastest_first), _PLAIN_RUN_S)
        seen = forked(
            partial(_who_enters_what, session.items, {one.path for one in live.values()}), _PLAIN_RUN_S
        )
    except Died:
        raise pytest.UsageError("the tests do not come to an end without mutants") from None
    if failed:
        raise pytest.UsageError(f"tests fail without mutants: {', '.join(failed)}")
    say = config.get_terminal_writer().line
    say(f"{len(session.items)} tests, {sum(seconds):.0f} s; {len(found)} of {total} mutants")
    verdicts = [_verdict(mutant, live[mutant.file], session.items, seconds, seen) for mutant in found]
    for line in lines(verdicts):
        say(line)
    killed = sum(verdict.is_killed for verdict in verdicts)
    if 100 * killed < config.getoption("--killed-at-least") * len(verdicts):
        session.testsfailed = len(verdicts) - killed
    return True


def _plain_run(items: list[pytest.Item]) -> tuple[list[float], list[str]]:
    """Return each test's seconds, and the tests that fail."""
    seconds, failed = [], []
    for number, item in enumerate(items):
        start_s = time.perf_counter()
        if not _passes(items, number, number + 1):
            failed.append(item.nodeid)
        seconds.append(time.perf_counter() - start_s)
    return seconds, failed


def _who_enters_what(items: list[pytest.Item], paths: set[str]) -> _Seen:
    entered: set[str] = set()
    real_path = cache(os.path.realpath)

    def note(frame: FrameType, event: str, _arg: Any) -> None:
        if event == "call" and (path := real_path(frame.f_code.co_filename)) in paths:
            entered.add(f"{path}::{frame.f_code.co_qualname.partition('.<locals>')[0]}")

    threading.setprofile(note)
    seen: _Seen = defaultdict(list)
    for number in range(len(items)):
        entered.clear()
        sys.setprofile(note)
        _passes(items, number, number + 1)
        sys.setprofile(None)
        for name in entered:
            seen[name].append(number)
    return seen


def _passes(items: list[pytest.Item], number: int, after: int) -> bool:
    """Run a test; `after` is the number of the next one, for the fixtures that both use."""
    next_item = items[after] if after < len(items) else None
    return not any(report.failed for report in runtestprotocol(items[number], log=False, nextitem=next_item))


def _verdict(
    mutant: Mutant, live: LiveFunctions, items: list[pytest.Item], seconds: list[float], seen: _Seen
) -> Verdict:
    numbers = {number for name in mutant.functions for number in seen.get(f"{live.path}::{name}", [])}
    in_order = sorted(numbers, key=seconds.__getitem__)
    if not in_order:
        return Verdict(mutant, is_killed=False, by="", tests=0)
    try:
        limit_s = _HANGS_S + 3 * sum(seconds[number] for number in in_order)
        failed = forked(partial(_attempt, mutant, live, items, in_order), limit_s)
    except Died:
        failed = ["(it hangs or dies)"]
    return Verdict(mutant, is_killed=bool(failed), by="".join(failed), tests=len(in_order))


def _attempt(mutant: Mutant, live: LiveFunctions, items: list[pytest.Item], numbers: list[int]) -> list[str]:
    return _first_failure(items, numbers) if live.become(mutant) else []


def _first_failure(items: list[pytest.Item], numbers: list[int]) -> list[str]:
    """Return the first of the tests that fails, or nothing."""
    for number, after in zip(numbers, [*numbers[1:], len(items)], strict=True):
        if not _passes(items, number, after):
            return [items[number].nodeid]
    return []
