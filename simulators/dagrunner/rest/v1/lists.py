"""Lists of rows in v1."""

from typing import Any

from simulators.dagrunner.rest.paging import Page
from simulators.dagrunner.rest.routes import Route
from simulators.dagrunner.rest.v1 import rows
from simulators.dagrunner.rest.v1.checks import problem
from simulators.net.messages import HttpReply

MOST_ROWS = 100
"""[api] maximum_page_limit and fallback_page_limit."""


def page_of(route: Route) -> Page:
    """Return the page of a list: at most 100 rows, which 0 stands for as well (measured)."""
    limit = int(route.last("limit") or MOST_ROWS)
    if limit < 0:
        raise problem(400, title="Page limit must be a positive integer")
    return Page(min(limit or MOST_ROWS, MOST_ROWS), int(route.last("offset") or 0))


def listed(route: Route, name: str, found: list[dict[str, Any]]) -> HttpReply:
    """Return the page of `found` that a request asks for."""
    return rows.reply({name: page_of(route).cut(found), "total_entries": len(found)})
