"""The page: one file with the chart, its tables and plotly itself, that loads nothing."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from plotly.offline import get_plotlyjs

from simulators.timeline.entries import clock_text, span_text
from simulators.timeline.figure import figure
from simulators.timeline.lanes import read_timeline
from simulators.timeline.model import Instant, TaskRow, Timeline

_GUARD = """
const page = document.documentElement;
const fail = text => { page.dataset.error = text; };
addEventListener("error", event => fail(event.message));
addEventListener("unhandledrejection", event => fail(String(event.reason)));
addEventListener("securitypolicyviolation", event => fail("blocked: " + event.blockedURI));
"""
_CONFIG = {
    "displaylogo": False,
    "showSendToCloud": False,  # plotly shows a button by default that sends the data to its maker
    "plotlyServerURL": "",
    "responsive": True,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}
_STYLE = """
body { margin: 16px 24px; min-width: 1300px; color: #1f2937; background: #fff;
       font: 14px/1.45 system-ui, "Segoe UI", "DejaVu Sans", Arial, sans-serif; }
h1 { font-size: 20px; margin: 0; } h2 { font-size: 16px; margin: 24px 0 6px; } p { margin: 4px 0; }
.verdict { display: inline-block; padding: 1px 10px; border-radius: 4px; color: #fff; background: #4b5563; }
.good { background: #15803d; } .bad { background: #b91c1c; }
.hint { color: #4b5563; }
html[data-error] #error { display: block; } #error { display: none; color: #b91c1c; }
table { border-collapse: collapse; }
td, th { text-align: left; vertical-align: top; padding: 3px 14px 3px 6px; border-bottom: 1px solid #e5e7eb;
         white-space: pre-wrap; overflow-wrap: break-word; max-width: 520px; }
th { background: #f1f5f9; white-space: nowrap; }
pre { background: #f1f5f9; padding: 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
"""


def timeline_page(entries: Iterable[Mapping[str, object]]) -> str:
    """Return a trace as an HTML page.

    Args:
        entries: the trace's entries, the header first; those of unknown events are ignored.
    """
    timeline = read_timeline(entries)
    scripts = [_GUARD]
    if timeline.lanes:
        scripts += [get_plotlyjs(), _drawing(timeline)]
    # Only these very scripts may run, and nothing may be loaded, whatever the trace holds.
    allowed = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    policy = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"
    guard, *drawing = (f"<script>{script}</script>" for script in scripts)
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{escape(timeline.title)}</title>\n<style>{_STYLE}</style>\n{guard}\n</head>\n<body>",
            *_top(timeline),
            '<div id="chart"></div>',
            *drawing,
            *_tables(timeline),
            "</body>\n</html>\n",
        )
    )


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


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _drawing(timeline: Timeline) -> str:
    chart = figure(timeline)
    # With `<` written as a code, no text can end the script.
    data, layout, config = (
        json.dumps(part).replace("<", "\\u003c") for part in (chart["data"], chart["layout"], _CONFIG)
    )
    done = 'then(() => { page.dataset.drawn = "yes"; })'
    return f'\nPlotly.newPlot("chart", {data}, {layout}, {config}).{done};\n'


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
    yield '<p id="error">The chart could not be drawn completely by this browser.</p>'


def _tables(timeline: Timeline) -> Iterator[str]:
    if timeline.rows:
        yield "<h2>Tasks</h2>"
        head = ("task", "state", "tries", "Slurm job", "its state", "nodes", "waited", "ran")
        yield _table(head, [_task_cells(row) for row in timeline.rows])
    yield "<h2>Injected faults</h2>"
    yield _instants(("until", "what", "where", "to whom", "detail"), timeline.faults, 1)
    yield "<h2>Broken rules</h2>"
    yield _instants(("rule", "what was seen"), timeline.broken, len(timeline.faults) + 1)
    if timeline.replay:
        yield f"<h2>Run it again</h2>\n<pre>{escape(timeline.replay)}</pre>"
    if timeline.facts:
        yield "<h2>About this run</h2>"
        yield _table((), timeline.facts)


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
    return _table(("number", "at", *head), cells)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>\n<tr>{top}</tr>\n{body}\n</table>" if head else f"<table>\n{body}\n</table>"
