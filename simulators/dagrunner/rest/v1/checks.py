"""What v1 refuses: first what its OpenAPI document forbids (connexion), then what its schemas do.

The first comes before the login is looked at, the second behind it. All messages are as measured.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulators.dagrunner.rest.paging import MOST_INTEGER
from simulators.dagrunner.rest.routes import Route
from simulators.dagrunner.rest.v1.rows import dump
from simulators.net.messages import HttpReply, HttpRequest

_DOCUMENTS = "https://airflow.apache.org/docs/apache-airflow/2.11.2/stable-rest-api-ref.html"
_KINDS = {400: "BadRequest", 403: "PermissionDenied", 404: "NotFound", 409: "AlreadyExists"}
_TITLES = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}
_UNTITLED = object()
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "object": dict,
    "array": list,
    "integer": int,
    "number": (int, float),
}


class RefusedError(Exception):
    """The answer is an error."""

    def __init__(self, reply: HttpReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def problem(
    status: int, detail: str | None = None, *, title: Any = _UNTITLED, has_link: bool = True
) -> RefusedError:
    """Return a refusal in the form of RFC 7807, as v1 has it.

    Args:
        title: None for null; by default the status in words.
        has_link: whether it points into Airflow's documents; what Flask itself refuses does not.
    """
    links = has_link and status in _KINDS
    kind = f"{_DOCUMENTS}#section/Errors/{_KINDS[status]}" if links else "about:blank"
    shown = _TITLES.get(status) if title is _UNTITLED else title
    body = dump({"detail": detail, "status": status, "title": shown, "type": kind})
    return RefusedError(HttpReply(status, body, "application/problem+json"))


def crash() -> RefusedError:
    """Return what Airflow 2 answers where its own code fails: a page for people."""
    return RefusedError(
        HttpReply(500, b"<!DOCTYPE html>\n<html><h1> Ooops! </h1></html>", "text/html; charset=utf-8")
    )


@dataclass(frozen=True)
class Property:
    """One property of a body, as the OpenAPI document describes it.

    Attributes:
        kind: its JSON type.
        nullable: whether null may stand there, for what comes behind.
        choices: the only values allowed, if any are given.
        minimum: the least number allowed.
        items: JSON type of an array's items.
        non_empty: an array must have an item.
    """

    kind: str = "string"
    nullable: bool = False
    choices: tuple[Any, ...] = ()
    minimum: int | None = None
    items: str = ""
    non_empty: bool = False
    read_only: bool = False
    is_time: bool = False


@dataclass(frozen=True)
class Schema:
    """A body.

    Attributes:
        properties: in the order in which they are checked.
        required: what must be there.
        no_nulls: what must not be null although the document allows it.
        title: of the reply that names a missing or unknown property.
    """

    properties: Mapping[str, Property]
    required: tuple[str, ...] = ()
    no_nulls: tuple[str, ...] = ()
    title: Any = _UNTITLED


_READ = Property(read_only=True)
_TEXTS = Property("array", items="string")
_FLAG = Property("boolean")
_TIME = Property(nullable=True, is_time=True)
_TASK_STATES = (
    None, "success", "running", "failed", "upstream_failed", "skipped", "up_for_retry", "up_for_reschedule",
    "queued", "none", "scheduled", "deferred", "removed", "restarting",
)  # fmt: skip
_VARIABLE = Schema(
    {"key": Property(), "description": Property(nullable=True), "value": Property()},
    required=("key", "value"),
    title="Invalid Variable schema",
)
SCHEMAS: Mapping[str, Schema] = {
    "trigger": Schema(
        {
            "dag_run_id": Property(nullable=True),
            "dag_id": _READ,
            "logical_date": _TIME,
            "execution_date": _TIME,
            "start_date": _READ,
            "end_date": _READ,
            "data_interval_start": _TIME,
            "data_interval_end": _TIME,
            "last_scheduling_decision": _READ,
            "run_type": _READ,
            "state": _READ,
            "external_trigger": _READ,
            "conf": Property("object"),
            "note": Property(nullable=True),
        },
        no_nulls=("logical_date", "dag_run_id"),
    ),
    "patch_dag": Schema({"dag_id": _READ, "is_paused": Property("boolean", nullable=True)}),
    "patch_run": Schema({"state": Property(choices=("success", "failed", "queued"))}),
    "patch_task_instance": Schema(
        {"dry_run": _FLAG, "new_state": Property(choices=("success", "failed", "skipped"))},
        required=("new_state",),
    ),
    "clear": Schema(
        {
            "dry_run": _FLAG,
            "task_ids": Property("array", items="string", non_empty=True),
            "start_date": Property(),
            "end_date": Property(),
            **dict.fromkeys(("only_failed", "only_running", "include_subdags", "include_parentdag"), _FLAG),
            "reset_dag_runs": _FLAG,
            "dag_run_id": Property(nullable=True),
            **dict.fromkeys(
                ("include_upstream", "include_downstream", "include_future", "include_past"), _FLAG
            ),
        }
    ),
    "clear_run": Schema({"dry_run": _FLAG}),
    "list_batch": Schema(
        {
            "page_offset": Property("integer", minimum=0),
            "page_limit": Property("integer", minimum=1),
            "dag_ids": _TEXTS,
            "dag_run_ids": _TEXTS,
            "task_ids": _TEXTS,
            "state": Property("array", choices=_TASK_STATES),
            "pool": _TEXTS,
            "queue": _TEXTS,
        }
    ),
    "post_variable": _VARIABLE,
    "patch_variable": _VARIABLE,
}
_PAGE = {"limit": "integer", "offset": "integer"}
_QUERIES: Mapping[str, Mapping[str, str]] = {
    "list_dags": _PAGE
    | {"tags": "string", "dag_id_pattern": "string"}
    | {"only_active": "boolean", "paused": "boolean"},
    "patch_dag": {"update_mask": "string"},
    "list_runs": _PAGE | {"state": "string"},
    "list_task_instances": _PAGE | {"state": "string", "pool": "string", "queue": "string"},
    "list_xcoms": _PAGE | {"map_index": "integer"},
    "get_xcom": {"map_index": "integer", "deserialize": "boolean", "stringify": "boolean"},
    "import_errors": _PAGE,
    "list_variables": _PAGE,
    "patch_variable": {"update_mask": "string"},
    "task_log": {"map_index": "integer", "full_content": "boolean", "token": "string"},
}
_NOT_SIMULATED = frozenset({"fields", "order_by", "executor", "xcom_key"})


def check_query(route: Route) -> None:
    """Refuse names that the call does not have, and values of another type.

    Raises:
        RefusedError: with HTTP 400; with 501 for what Airflow has and the simulator has not.
    """
    known = _QUERIES.get(route.work, {})
    for name, value in route.query:
        if name not in known:
            if name in _NOT_SIMULATED or name.endswith(("_gte", "_lte")):
                raise problem(501, f"query parameter '{name}' is not simulated", title="Not simulated")
            raise problem(400, f"Extra query parameter(s) {name} not in spec", title=None)
        if not _fits(value, known[name]):
            raise problem(400, f"Wrong type, expected '{known[name]}' for query parameter '{name}'")
    offset = route.last("offset")
    if offset is not None and int(offset) < 0:
        raise problem(
            400,
            f"{int(offset)} is less than the minimum of 0\n\nFailed validating 'minimum' in schema:\n"
            f"    {{'type': 'integer', 'minimum': 0}}\n\nOn instance:\n    {int(offset)}",
        )
    if offset is not None and int(offset) > MOST_INTEGER:
        raise crash()


def _fits(value: str, kind: str) -> bool:
    if kind == "boolean":
        return value.lower() in ("true", "false")
    return kind == "string" or value.removeprefix("-").isdecimal()


def read_body(request: HttpRequest, schema: Schema) -> dict[str, Any]:
    """Return a request's JSON object, if the OpenAPI document allows it.

    Raises:
        RefusedError: it does not.
    """
    if not request.body:
        raise problem(400, "Request body must not be empty")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        detail = f"Invalid Content-type ({kind}), expected JSON data"
        raise problem(415, detail, title="Unsupported Media Type")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if body is None:
        raise problem(400, "Request body is not valid JSON")
    if not isinstance(body, dict):
        raise problem(400, f"{body!r} is not of type 'object'")
    for name, wanted in schema.properties.items():
        if name in body:
            _check_property(body[name], name, wanted)
    return body


def _check_property(value: Any, name: str, wanted: Property) -> None:
    if wanted.read_only:
        raise problem(400, f"Property is read-only - '{name}'")
    if value is None and wanted.nullable:
        return
    if not _is_of(value, wanted.kind):
        raise problem(400, f"{value!r} is not of type '{wanted.kind}' - '{name}'")
    values = enumerate(value) if wanted.kind == "array" else [(None, value)]
    for index, item in values:
        path = name if index is None else f"{name}.{index}"
        if wanted.choices and item not in wanted.choices:
            raise problem(400, f"{item!r} is not one of {list(wanted.choices)} - '{path}'")
        if wanted.items and not _is_of(item, wanted.items):
            raise problem(400, f"{item!r} is not of type '{wanted.items}' - '{path}'")
    if wanted.non_empty and not value:
        raise problem(400, f"{value!r} should be non-empty - '{name}'")
    if wanted.minimum is not None and value < wanted.minimum:
        raise problem(400, f"{value!r} is less than the minimum of {wanted.minimum} - '{name}'")
    if wanted.is_time and time_of(value) is None:
        raise problem(400, f"{value!r} is not a 'date-time' - '{name}'")


def _is_of(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


def time_of(text: str) -> datetime | None:
    """Return the time that a text names with its zone, None if it does not."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def load(body: Mapping[str, Any], schema: Schema, more: Iterable[tuple[str, str]] = ()) -> None:
    """Refuse a body that lacks something, has something more, or null where none may be.

    Args:
        more: what else is wrong, as pairs of a property and the message.
    """
    wrong = {name: ["Missing data for required field."] for name in schema.required if name not in body}
    wrong |= {
        name: ["Field may not be null."] for name in schema.no_nulls if name in body and body[name] is None
    }
    wrong |= {name: [message] for name, message in more}
    wrong |= {name: ["Unknown field."] for name in body if name not in schema.properties}
    if wrong:
        raise problem(400, str(wrong), title=schema.title)
