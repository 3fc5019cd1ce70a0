"""Rows as JSON text, made anew only where something that they show has changed.

A launcher asks for the same run and its tasks again and again, and mostly nothing has changed meanwhile.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from simulators.dagrunner.state import DagRun, TaskInstance

_MOST_RUNS = 256

_RUN_SHOWS = attrgetter("state", "queued", "start", "end", "decided", "note", "logical_date", "run_after")
_TASK_SHOWS = attrgetter(
    "task_id", "map_index", "state", "try_number", "max_tries", "start", "end", "queued", "scheduled",
    "hostname", "pid", "note", "operator", "pool", "pool_slots", "priority_weight",
)  # fmt: skip

RunKey = tuple[str, str]


class RunCache:
    """What was last said of each run.

    Args:
        run_text: makes the JSON object of a run.
        task_text: makes the JSON object of a task instance.
        page_text: makes the JSON of a page that holds all the task instances, from theirs.
    """

    def __init__(
        self,
        run_text: Callable[[DagRun], bytes],
        task_text: Callable[[DagRun, TaskInstance], str],
        page_text: Callable[[list[str]], bytes],
    ) -> None:
        self._run_text = run_text
        self._task_text = task_text
        self._page_text = page_text
        self._runs: dict[RunKey, tuple[DagRun, tuple[Any, ...], bytes]] = {}
        self._pages: dict[RunKey, tuple[DagRun, list[tuple[Any, ...]], list[str], bytes]] = {}

    def run(self, run: DagRun) -> bytes:
        """Return a run's JSON."""
        key = run.dag_id, run.run_id
        shown = _RUN_SHOWS(run)
        known = self._runs.get(key)
        if known is not None and known[0] is run and known[1] == shown:
            return known[2]
        text = self._run_text(run)
        if len(self._runs) >= _MOST_RUNS:
            self._runs.clear()
        self._runs[key] = run, shown, text
        return text

    def page(self, run: DagRun) -> bytes:
        """Return the JSON of all the run's task instances."""
        key = run.dag_id, run.run_id
        dates = run.logical_date, run.run_after
        shown = [dates, *map(_TASK_SHOWS, run.tasks.values())]
        known = self._pages.get(key)
        if known is None or known[0] is not run:
            known = run, [], [], b""
        elif known[1] == shown:
            return known[3]
        before = dict(zip(known[1][1:], known[2], strict=True)) if known[1][:1] == [dates] else {}
        rows = [
            before.get(seen) or self._task_text(run, task)
            for seen, task in zip(shown[1:], run.tasks.values(), strict=True)
        ]
        page = self._page_text(rows)
        if len(self._pages) >= _MOST_RUNS:
            self._pages.clear()
        self._pages[key] = run, shown, rows, page
        return page
