"""The page: one file with the chart, its tables and plotly itself, that loads nothing."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from simulators.pages.document import document, table
from simulators.timeline.entries import clock_text, span_text
from simulators.timeline.figure import figure
from simulators.timeline.lanes import read_timeline
from simulators.timeline.model import Instant, TaskRow, Timeline


def timeline_page(entries: Iterable[Mapping[str, object]]) -> str:
    """Return a trace as an HTML page.

    Args:
        entries: the trace's entries, the header first; those of unknown events are ignored.
    """
    timeline = read_timeline(entries)
    charts = {"chart": figure(timeline)} if timeline.lanes else {}
    return document(timeline.title, [*_top(timeline), '<div id="chart"></div>', *_tables(timeline)], charts)


def write_timeline(trace_file: Path, html_file: Path) -> None:
    """Write a trace as a page.

    Args:
        trace_file: JSON lines; read up to the first that is none, as a run leaves that is cut short.
        html_file: written anew.
    """
    with trace_file.open(encoding="utf-8", errors="replace") as lines:
        html_file.write_text(timeline_page(_parsed(lines)), encoding="utf-8")


def _parsed(lines: Iterable[str]) -> Iterator[Mapping[str, object]]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            return
        if isinstance(entry, dict):
            yield entry


def _top(timeline: Timeline) -> Iterator[str]:
    colour = {True: "good", False: "bad", None: ""}[timeline.is_good]
    verdict = f'<span class="verdict {colour}">{escape(timeline.verdict)}</span>'
    yield f"<h1>{escape(timeline.title)} {verdict}</h1>"
    yield f"<p>{escape(timeline.summary)}</p>"
    if timeline.lanes:
        yield (
            '<p class="hint">Point at anything for its details. Drag sideways to look closer, double-click to'
            " go back. Click a line of the legend to hide or show it.</p>"
        )
    else:
        yield '<p class="hint">The record is empty: there is nothing to draw.</p>'


def _tables(timeline: Timeline) -> Iterator[str]:
    if timeline.rows:
        yield "<h2>Tasks</h2>"
        head = ("task", "state", "tries", "Slurm job", "its state", "nodes", "waited", "ran")
        yield table(head, [_task_cells(row) for row in timeline.rows])
    yield "<h2>Injected faults</h2>"
    yield _instants(("until", "what", "where", "to whom", "detail"), timeline.faults, 1)
    yield "<h2>Broken rules</h2>"
    yield _instants(("rule", "what was seen"), timeline.broken, len(timeline.faults) + 1)
    if timeline.replay:
        yield f"<h2>Run it again</h2>\n<pre>{escape(timeline.replay)}</pre>"
    if timeline.facts:
        yield "<h2>About this run</h2>"
        yield table((), timeline.facts)


def _task_cells(row: TaskRow) -> tuple[str, ...]:
    jobs = [(job.job, job.state, job.nodes, span_text(job.waited_s), _ran(job.ran_s)) for job in row.jobs]
    columns = zip(*jobs, strict=True) if jobs else [("",)] * 5
    return (row.task, row.state, row.tries, *map("\n".join, columns))


def _ran(ran_s: float | None) -> str:
    return "never" if ran_s is None else span_text(ran_s)


def _instants(head: Sequence[str], instants: Sequence[Instant], first: int) -> str:
    if not instants:
        return "<p>None.</p>"
    cells = [(str(n), clock_text(at.at_s), *at.cells) for n, at in enumerate(instants, start=first)]
    return table(("number", "at", *head), cells)
