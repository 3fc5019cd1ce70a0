"""A page that is one file: its charts and plotly itself, and nothing that it would load."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from plotly.offline import get_plotlyjs

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


def document(title: str, body: Iterable[str], charts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a page.

    Args:
        title: as plain text.
        body: HTML, with an element of the id of each chart.
        charts: plotly's `data` and `layout` of each, by id.
    """
    scripts = [_GUARD]
    if charts:
        scripts += [get_plotlyjs(), _drawing(charts)]
    # Only these very scripts may run, and nothing may be loaded, whatever the texts hold.
    allowed = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    policy = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"
    guard, *drawing = (f"<script>{script}</script>" for script in scripts)
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n{guard}\n</head>\n<body>",
            *body,
            '<p id="error">The charts could not be drawn completely by this browser.</p>',
            *drawing,
            "</body>\n</html>\n",
        )
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of plain texts; without a head if that is empty."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>\n<tr>{top}</tr>\n{body}\n</table>" if head else f"<table>\n{body}\n</table>"


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _drawing(charts: Mapping[str, Mapping[str, Any]]) -> str:
    drawn = []
    for name, chart in charts.items():
        # With `<` written as a code, no text can end the script.
        told = (chart["data"], chart["layout"], _CONFIG)
        parts = (json.dumps(part).replace("<", "\\u003c") for part in told)
        drawn.append(f"Plotly.newPlot({json.dumps(name)}, {', '.join(parts)})")
    return f'\nPromise.all([{", ".join(drawn)}]).then(() => {{ page.dataset.drawn = "yes"; }});\n'
