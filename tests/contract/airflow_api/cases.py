"""The requests that are sent to both Airflows, and what each version answers (measured).

The cases that read use what `prepare` has made; the others name runs and variables after themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.airflow_api.legs import Leg, Reply

_IDLE = "/dags/contract_idle"
_RUNS = f"{_IDLE}/dagRuns"
_TASKS = f"{_RUNS}/idle/taskInstances"
_MANY = "/dags/contract_many/dagRuns/many/taskInstances"
_XCOMS = "/dags/contract_push/dagRuns/push/taskInstances/push/xcomEntries"
_BATCH = "/dags/~/dagRuns/~/taskInstances/list"


@dataclass(frozen=True)
class By:
    """Something that differs between the versions."""

    v2_11: Any
    v3_3: Any

    def of(self, major: int) -> Any:
        """Return that of one version."""
        return self.v2_11 if major == 2 else self.v3_3


@dataclass(frozen=True)
class Step:
    """One request and what is answered.

    Attributes:
        path: as `Leg.ask` takes it.
        body: as JSON; may be `By`, or have the key LOGICAL_DATE for what only v2 wants.
        status: of the reply, may be `By`.
        says: what the reply must contain as text, in any of its values; may be `By`.
        is_own: whether the reply's text is the installation's own, and so not to be compared.
    """

    method: str
    path: str
    body: Any = None
    status: Any = 200
    says: Any = ""
    raw: bytes | None = None
    login: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_own: bool = False

    def send(self, leg: Leg) -> Reply:
        """Send it."""
        body = _of(self.body, leg.major)
        if isinstance(body, dict) and body.get("logical_date") is _ONLY_V2:
            body = {key: value for key, value in body.items() if key != "logical_date"}
            body |= {} if leg.major == 2 else {"logical_date": None}
        return leg.ask(self.method, self.path, body, raw=self.raw, login=self.login, headers=self.headers)

    def check(self, reply: Reply, major: int) -> None:
        """Raise unless the reply is the one."""
        told = f"{self.method} {self.path}: {reply}"
        assert reply.status == _of(self.status, major), told
        says = _of(self.says, major)
        assert says in _all_text(reply.body), f"not said: {says}; {told}"


@dataclass(frozen=True)
class Case:
    """Steps one after the other."""

    name: str
    steps: tuple[Step, ...]


def _of(value: Any, major: int) -> Any:
    return value.of(major) if isinstance(value, By) else value


def _all_text(body: Any) -> str:
    """Return all keys and values of a body, one per line."""
    if isinstance(body, dict):
        return "\n".join(f"{key}\n{_all_text(value)}" for key, value in body.items())
    if isinstance(body, list):
        return "\n".join(map(_all_text, body))
    return str(body)


_ONLY_V2 = object()
_BAD = By(400, 422)


def _case(name: str, *steps: Step) -> Case:
    return Case(name, steps)


def _get(path: str, status: Any = 200, says: Any = "", **more: Any) -> Step:
    return Step("GET", path, None, status, says, **more)


def _trigger(status: Any = 200, says: Any = "", **body: Any) -> Step:
    return Step("POST", _RUNS, {"logical_date": _ONLY_V2} | body, status, says)


def _mark(path: str, body: dict[str, Any], status: Any = 200, says: Any = "") -> Step:
    return Step("PATCH", f"{_RUNS}/{path}", body, status, says)


def _list(query: str, status: Any = 200, says: Any = "") -> Step:
    return _get(f"{_MANY}?{query}", status, says)


def _variable(status: Any, says: Any = "", **body: Any) -> Step:
    return Step("POST", "/variables", body, status, says)


def _change(key: str, body: dict[str, Any], status: Any = 200, says: Any = "") -> Step:
    return Step("PATCH", f"/variables/{key}", body, status, says)


def _clear(status: Any = 200, says: Any = "", dag: str = "contract_idle", **body: Any) -> Step:
    return Step("POST", f"/dags/{dag}/clearTaskInstances", body, status, says)


def prepare(leg: Leg) -> None:
    """Pause what is to be idle, and have a run of each DAG but those that wait."""
    for dag_id in ("contract_idle", "contract_many"):
        assert leg.ask("PATCH", f"/dags/{dag_id}", {"is_paused": True}).status == 200
    for dag_id, run_id in (
        ("contract_idle", "idle"),
        ("contract_many", "many"),
        ("contract_push", "push"),
    ):
        assert leg.trigger(dag_id, run_id, conf={"a": [1, None, {"b": True}], "t": "é"}).status == 200
    assert leg.wait_for("/dags/contract_push/dagRuns/push", "success", "failed")["state"] == "success"


CASES = (
    _case("version", _get("/version", login="")),
    _case("health", _get("/health", By(200, 404), login=""), _get("/monitor/health", By(404, 200), login="")),
    _case(
        "no login",
        _get("/dags", By(403, 401), By("Forbidden", "Not authenticated"), login=""),
        _get("/dags", By(403, 403), By("Forbidden", "Invalid JWT token"), login="Bearer x"),
        _get("/dags", By(403, 401), login="Basic YWRtaW46eA=="),
        _get("/dags", By(403, 401), login="garbage"),
        _get("/dags/nope", By(403, 401), login=""),
        _get("/dags?limit=abc", By(400, 401), login=""),
        Step("POST", _RUNS, {"bogus": 1}, By(403, 401), login=""),
        Step("POST", _RUNS, None, _BAD, raw=b"{", login=""),
    ),
    _case(
        "login",
        Step("POST", "!/auth/token", {"username": "admin", "password": "no"}, By(404, 401), login=""),
        Step("POST", "!/auth/token", {"username": "admin"}, By(404, 422), login=""),
        Step("POST", "!/auth/token", None, By(404, 500), raw=b"{", login=""),
        _get("!/auth/token", By(404, 403)),
    ),
    _case(
        "paths of the other version",
        _get("!/api/v1/version", By(200, 404), By("2.11", "has been removed in Airflow 3"), login=""),
        _get("!/api/v2/version", By(404, 200), login=""),
    ),
    _case(
        "unknown paths",
        _get("/nope", 404),
        _get("/dags/", 404),
        _get(f"{_RUNS}/idle/", 404),
        _get(f"{_RUNS}/a%2Fb", 404),
        Step("POST", "/nope", {}, By(404, 405)),
        Step("POST", "/dags", {}, 405),
        Step("DELETE", f"{_IDLE}/tasks", None, 405),
        Step("PUT", f"{_RUNS}/idle", {}, 405),
        _get(f"{_IDLE}/clearTaskInstances", By(405, 404)),
    ),
    _case("a dag", _get(_IDLE, says="never runs"), _get("/dags/nope", 404), _get("/dags/~", 404)),
    _case(
        "dags",
        _get("/dags"),
        _get("/dags?limit=1&offset=1"),
        _get("/dags?paused=true"),
        _get("/dags?tags=one"),
    ),
    _case("dags by a part of their name", _get("/dags?dag_id_pattern=PUSH", says="contract_push")),
    _case(
        "queries",
        *(
            _get(f"/dags?{query}", _BAD)
            for query in ("limit=abc", "limit=1.5", "limit=", "offset=x", "offset=-1")
        ),
        _get("/dags?limit=-1", _BAD, By("Page limit must be a positive integer", "greater_than_equal")),
        _get("/dags?limit=0"),
        _get("/dags?limit=1000"),
        _get("/dags?limit=99999999999999999999"),
        _get("/dags?limit=1&limit=2"),
        _get("/dags?bogus=1", By(400, 200)),
    ),
    _case("tasks", _get(f"{_IDLE}/tasks", says="all_done"), _get("/dags/nope/tasks", 404)),
    _case("import errors", _get("/importErrors", says="ValueError: broken on purpose")),
    _case(
        "pausing",
        Step("PATCH", _IDLE, {"is_paused": True}),
        Step("PATCH", f"{_IDLE}?update_mask=is_paused", {"is_paused": True}),
        Step("PATCH", "/dags/nope", {"is_paused": True}, 404),
        Step("PATCH", _IDLE, {"is_paused": "x"}, _BAD),
        Step("PATCH", _IDLE, {"is_paused": "true"}, By(400, 200)),
        Step("PATCH", _IDLE, {}, By(500, 422)),
        Step("PATCH", _IDLE, {"is_paused": True, "bogus": 1}, _BAD),
        Step("PATCH", _IDLE, None, _BAD),
        Step("PATCH", _IDLE, [1], _BAD),
    ),
    _case(
        "parsing",
        Step("PUT", "/parseDagFile/nonsense", None, 404, "File not found"),
    ),
    _case(
        "a run",
        _get(f"{_RUNS}/idle"),
        _get("/dags/contract_push/dagRuns/push", says="success"),
        _get(f"{_RUNS}/nope", 404),
        _get("/dags/nope/dagRuns/idle", 404),
        _get(f"{_RUNS}/a%20b", 404),
    ),
    _case(
        "a run's name",
        *(_trigger(By(500, 400), dag_run_id=name) for name in ("a b", "a/b", "é", "a'b", "a%b", "a\nb", ";")),
        _trigger(dag_run_id="named-A_z.0~"),
        _trigger(409, By("already exists", "Unique constraint violation"), dag_run_id="named-A_z.0~"),
        _trigger(By(200, 400), dag_run_id="named..dots"),
        _trigger(By(400, 200), dag_run_id="x" * 251),
        _trigger(_BAD, dag_run_id=5),
        _trigger(By(400, 200), dag_run_id=None),
        _trigger(says="manual__", dag_run_id=""),
        _trigger(says="manual__"),
    ),
    _case(
        "a run's logical date",
        Step("POST", _RUNS, {"dag_run_id": "no date"}, By(500, 422)),
        Step("POST", _RUNS, {"dag_run_id": "null", "logical_date": None}, By(400, 200)),
        _trigger(dag_run_id="dated1", logical_date="2026-01-02T03:04:05Z", says="2026-01-02T03:04:05"),
        _trigger(409, dag_run_id="dated2", logical_date="2026-01-02T03:04:05+00:00"),
        *(_trigger(_BAD, logical_date=date) for date in ("2026-01-02T03:04:06", "nonsense")),
        _trigger(
            By(400, 200), dag_run_id="dated3", logical_date=1767326645, says=By("", "2026-01-02T04:04:05Z")
        ),
    ),
    _case(
        "a run's conf",
        _trigger(dag_run_id="conf1", conf={"n": [1, None, {"b": True}], "t": "é"}),
        *(_trigger(_BAD, conf=conf) for conf in ([1], "x", 5, '{"q":1}')),
        _trigger(By(400, 200), dag_run_id="conf2", conf=None),
        Step(
            "POST",
            _RUNS,
            None,
            raw=b'{"conf": {"x": NaN}, "dag_run_id": "nan", "logical_date": "2026-01-03T03:04:05Z"}',
        ),
        _trigger(By(200, 500), dag_run_id="surrogate", conf={"x": "\ud800"}),
    ),
    _case(
        "bodies that are none",
        *(
            Step("POST", _RUNS, None, _BAD, raw=raw)
            for raw in (b"{", b"null", b"[1]", b'"x"', b"\xff\xfe", b"")
        ),
        Step("POST", _RUNS, None, By(415, 422), raw=b"{}", headers={"Content-Type": "text/plain"}),
    ),
    _case(
        "bodies with more",
        _trigger(_BAD, bogus=1),
        _trigger(_BAD, bogus=1, conf=5, dag_run_id=7, more=2),
        _trigger(_BAD, state="running"),
        _trigger(_BAD, data_interval_start="2030-01-01T00:00:00Z"),
        _trigger(dag_run_id="noted", note="hello", says="hello"),
    ),
    _case(
        "triggering what is not there",
        Step("POST", "/dags/nope/dagRuns", {"logical_date": _ONLY_V2}, 404),
        Step("POST", "/dags/nope/dagRuns", {"bogus": 1}, By(404, 422)),
    ),
    _case(
        "runs",
        _get("/dags/contract_push/dagRuns"),
        _get("/dags/contract_push/dagRuns?state=success&limit=1"),
        _get("/dags/contract_push/dagRuns?state=running&state=failed"),
        _get("/dags/contract_push/dagRuns?state=bogus", By(200, 422)),
        _get("/dags/contract_push/dagRuns?limit=0"),
        _get("/dags/contract_push/dagRuns?limit=-1", _BAD),
        _get("/dags/nope/dagRuns", By(200, 404)),
    ),
    _case(
        "marking a run",
        _trigger(dag_run_id="marked"),
        _mark("marked", {"state": "failed"}, says="failed"),
        _get(f"{_RUNS}/marked/taskInstances", says="skipped"),
        *(_mark("marked", {"state": state}, _BAD) for state in ("running", "bogus")),
        _mark("marked", {"state": None}, By(400, 200)),
        _mark("marked", {}, By(500, 200)),
        _mark("marked", {"state": "failed", "bogus": 1}, _BAD),
        _mark("marked", {"state": "queued"}, says="queued"),
        _get(f"{_RUNS}/marked/taskInstances", says="skipped"),
        _mark("nope", {"state": "failed"}, 404),
        _mark("nope", {"state": "bogus"}, _BAD),
        Step("DELETE", f"{_RUNS}/marked", None, 204),
        Step("DELETE", f"{_RUNS}/marked", None, 404),
        _get(f"{_RUNS}/marked/taskInstances", By(200, 404)),
    ),
    _case("task instances", _get(_TASKS), _get(f"{_RUNS}/nope/taskInstances", By(200, 404))),
    _case(
        "pages of task instances",
        *(
            _list(query)
            for query in ("", "limit=100", "limit=200", "limit=1000", "limit=0", "limit=5&limit=7")
        ),
        *(_list(query) for query in ("limit=100&offset=100", "offset=119", "offset=500")),
        _list("limit=-1", By(200, 422)),
        *(_list(query, _BAD) for query in ("limit=abc", "offset=-1", "offset=x")),
        _list("limit=99999999999999999999", By(500, 200)),
        _list("offset=99999999999999999999", 500),
    ),
    _case(
        "filters of task instances",
        *(_list(f"state={state}") for state in ("none", "queued", "none&state=running")),
        *(_list(f"state={state}", By(500, 422)) for state in ("null", "bogus", "")),
        *(_list(query) for query in ("pool=default_pool", "pool=x", "queue=x")),
        *(_list(query, By(400, 200)) for query in ("bogus=1", "task_id=t003")),
    ),
    _case(
        "a task instance",
        _get(f"{_TASKS}/a"),
        _get("/dags/contract_push/dagRuns/push/taskInstances/push", says="success"),
        _get(f"{_TASKS}/nope", 404),
        _get(f"{_RUNS}/nope/taskInstances/a", 404),
        _get(f"{_TASKS}/a/0", 404),
        _get(f"{_TASKS}/a/-1", By(404, 200)),
        _get(f"{_TASKS}/a/x", By(404, 422)),
    ),
    _case(
        "task instances by a body",
        Step("POST", _BATCH, {"dag_ids": ["contract_many"], "page_limit": 2}),
        Step("POST", _BATCH, {"dag_ids": ["contract_many"]}),
        Step("POST", _BATCH, {"dag_ids": ["contract_many"], "page_limit": 1000}),
        Step("POST", _BATCH, {"dag_run_ids": ["many"], "state": ["queued"]}),
        Step("POST", _BATCH, {"dag_run_ids": ["many"], "page_limit": 0}, By(400, 200)),
        *(Step("POST", _BATCH, body, _BAD) for body in ({"bogus": 1}, {"page_offset": -1}, {"dag_ids": "x"})),
        Step("POST", _BATCH, {"state": ["bogus"]}, _BAD),
    ),
    _case(
        "marking a task",
        _trigger(dag_run_id="tasks"),
        _mark("tasks/taskInstances/b", {"new_state": "failed", "dry_run": True}, By(200, 422)),
        _mark("tasks/taskInstances/b", {"new_state": "running"}, _BAD),
        _mark("tasks/taskInstances/b", {"new_state": None}, _BAD),
        _mark("tasks/taskInstances/b", {"new_state": "failed", "bogus": 1}, _BAD),
        _mark("tasks/taskInstances/b", {}, By(400, 200)),
        _get(f"{_RUNS}/tasks/taskInstances/b"),
        Step(
            "PATCH",
            f"{_RUNS}/tasks/taskInstances/b",
            By({"new_state": "failed", "dry_run": False}, {"new_state": "failed"}),
        ),
        _get(f"{_RUNS}/tasks/taskInstances/b", says="failed"),
        Step(
            "PATCH",
            f"{_RUNS}/tasks/taskInstances/b",
            By({"new_state": "failed", "dry_run": False}, {"new_state": "failed"}),
            By(200, 409),
        ),
        _mark("tasks/taskInstances/nope", {"new_state": "failed"}, 404),
        _mark("nope/taskInstances/a", {"new_state": "failed"}, 404),
        Step("PATCH", "/dags/nope/dagRuns/x/taskInstances/a", {"new_state": "failed"}, 404),
    ),
    _case(
        "clearing",
        _trigger(dag_run_id="cleared"),
        _mark("cleared", {"state": "failed"}),
        _clear(dag_run_id="cleared"),
        _clear(dag_run_id="cleared", only_failed=False),
        _clear(dag_run_id="cleared", only_failed=False, task_ids=["a"], include_downstream=True),
        _clear(dag_run_id="cleared", only_failed=False, task_ids=["c"], include_upstream=True),
        _clear(dag_run_id="cleared", task_ids=["zzz"]),
        _get(f"{_RUNS}/cleared/taskInstances", says="skipped"),
        _clear(dag_run_id="cleared", only_failed=False, dry_run=False),
        _get(f"{_RUNS}/cleared/taskInstances"),
        _get(f"{_RUNS}/cleared", says=By("failed", "queued")),
        Step("POST", f"{_RUNS}/cleared/clear", {}),
        Step("POST", f"{_RUNS}/cleared/clear", {"dry_run": False}, says="queued"),
    ),
    _case(
        "what clearing refuses",
        _clear(_BAD, bogus=1),
        _clear(_BAD, task_ids=[]),
        _clear(_BAD, task_ids="a"),
        _clear(_BAD, only_failed=True, only_running=True),
        _clear(_BAD, reset_dag_runs="x"),
        _clear(404, dag_run_id="nope"),
        _clear(404, dag="nope"),
        Step("POST", f"{_RUNS}/nope/clear", {}, 404),
    ),
    _case(
        "xcoms",
        _get(_XCOMS),
        *(
            _get(f"{_XCOMS}/{key}")
            for key in (
                "text",
                "json_text",
                "object",
                "list",
                "number",
                "fraction",
                "truth",
                "nothing",
                "a%2Fb",
            )
        ),
        _get(f"{_XCOMS}/return_value", says="done"),
        *(_get(f"{_XCOMS}/{key}?stringify=true") for key in ("text", "object", "number")),
        _get(f"{_XCOMS}/object?deserialize=true", By(400, 200)),
        _get(f"{_XCOMS}/text?map_index=-1"),
        _get(f"{_XCOMS}/text?map_index=0", 404),
        _get(f"{_XCOMS}/text?map_index=x", _BAD),
        _get(f"{_XCOMS}/text?bogus=1", By(400, 200)),
        _get(f"{_XCOMS}/none", 404),
        _get(f"{_XCOMS.replace('/push/', '/nope/', 1)}/text", 404),
    ),
    _case(
        "logs",
        _get("/dags/contract_push/dagRuns/push/taskInstances/nope/logs/1", 404),
        _get(
            "/dags/contract_push/dagRuns/push/taskInstances/push/logs/1",
            By(200, 406),
            headers={"Accept": "text/plain"},
            is_own=True,
        ),
        _get("/dags/contract_push/dagRuns/push/taskInstances/push/logs/x", By(404, 422)),
    ),
    _case(
        "new variables",
        _variable(By(200, 201), key="new", value="x"),
        _variable(By(200, 409), key="new", value="y"),
        _get("/variables/new", says=By("y", "x")),
        _variable(By(400, 201), key="object", value={"a": 1}),
        _variable(By(200, 201), key="json", value='{"a":1}'),
        _get("/variables/json", says=By('{"a":1}', '{"a": 1}')),
        _variable(_BAD, key="lacking"),
        _variable(_BAD, key="more", value="x", bogus=1),
        _variable(By(400, 201), key="null", value=None),
        _variable(By(400, 201), key="number", value=5),
        _variable(_BAD, key=5, value="x"),
        _variable(By(200, 201), key="described", value="x", description="d"),
        _variable(By(200, 201), key="my_password", value="hidden"),
        _get("/variables/my_password", says=By("hidden", "***")),
        _variable(By(200, 201), key="a/b c", value="é"),
        _get("/variables/a/b%20c", says="é"),
        _variable(By(200, 422), key="x" * 251, value="x"),
        _get("/variables?limit=1"),
    ),
    _case(
        "changed variables",
        _variable(By(200, 201), key="changed", value="x"),
        _change("changed", {"key": "changed", "value": "z"}),
        _change("changed?update_mask=value", {"key": "changed", "value": "w"}, By(400, 200)),
        _change("changed", {"key": "changed", "value": "z", "description": "d"}, says="d"),
        _change("none", {"key": "none", "value": "z"}, 404),
        _change("changed", {"key": "other", "value": "z"}, 400),
        _change("changed", {"value": "z"}, _BAD),
        _change("changed", {"key": "changed"}, _BAD),
        Step("DELETE", "/variables/changed", None, 204),
        Step("DELETE", "/variables/changed", None, 404),
        _get("/variables/changed", 404),
    ),
)
