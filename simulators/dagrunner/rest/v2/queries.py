"""Queries and lists in v2. Names that a call does not have are ignored (measured)."""

from collections.abc import Collection, Sequence
from typing import Any

from simulators.dagrunner.rest.paging import MOST_INTEGER, Page
from simulators.dagrunner.rest.routes import Route
from simulators.dagrunner.rest.selection import sorted_rows
from simulators.dagrunner.rest.v2.bodies import crash, parameter_error, refusal

_MOST_ROWS = 100
_ROWS = 50
"""[api] maximum_page_limit and fallback_page_limit."""
NO_CURSORS = {"total_entries_limit": None, "next_cursor": None, "previous_cursor": None}
"""What lists of runs and of task instances have besides, where pages are counted and not pointed at."""


def integer(name: str, value: str, where: str = "query") -> int:
    """Return a whole number.

    Raises:
        RefusedError: it is none.
    """
    try:
        return int(value)
    except ValueError as error:
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise parameter_error(name, value, "int_parsing", message, where) from error


def flag(route: Route, name: str) -> bool | None:
    """Return a truth value in the query, None if there is none.

    Raises:
        RefusedError: it is none.
    """
    value = route.last(name)
    if value is None:
        return None
    if value.lower() in ("true", "1", "on", "t", "y", "yes"):
        return True
    if value.lower() in ("false", "0", "off", "f", "n", "no"):
        return False
    message = "Input should be a valid boolean, unable to interpret input"
    raise parameter_error(name, value, "bool_parsing", message)


def page_of(route: Route) -> Page:
    """Return the page of a list: 50 rows if nothing is said, at most 100 whatever is said.

    Raises:
        RefusedError: limit or offset is no number of rows.
    """
    limit, offset = _count(route, "limit", _ROWS), _count(route, "offset", 0)
    if offset > MOST_INTEGER:
        raise crash()
    return Page(min(limit, _MOST_ROWS), offset)


def _count(route: Route, name: str, default: int) -> int:
    text = route.last(name)
    if text is None:
        return default
    value = integer(name, text)
    if value < 0:
        message = "Input should be greater than or equal to 0"
        raise parameter_error(name, text, "greater_than_equal", message, ge=0)
    return value


def states_of(route: Route, known: Sequence[str], *, none: bool) -> frozenset[str]:
    """Return the states in the query.

    Args:
        none: whether "none" stands for the state that is null.

    Raises:
        RefusedError: one of them is no state.
    """
    states = frozenset(route.all("state"))
    if states - set(known) - ({"none"} if none else set()):
        raise refusal(422, f"Invalid value for state. Valid values are {', '.join(known)}")
    return states


def ordered(
    route: Route, found: list[dict[str, Any]], allowed: Collection[str], names: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return rows in the order that the query asks for.

    Args:
        allowed: what they may be ordered by; `id` leaves them as they are, oldest first.
        names: of values that the row calls otherwise.

    Raises:
        RefusedError: not by that.
    """
    for order_by in reversed(route.all("order_by")):
        name = order_by.removeprefix("-")
        if name not in allowed:
            detail = f"Ordering with '{name}' is disallowed or the attribute does not exist on the model"
            raise refusal(400, detail)
        if name == "id":
            found = found[::-1] if order_by[0] == "-" else found
        else:
            found = sorted_rows(found, order_by.replace(name, (names or {}).get(name, name)))
    return found
