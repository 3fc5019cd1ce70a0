"""A small Airflow behind the REST service, whose parts other than the service do as little as possible."""

import base64
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import SimpleNamespace
from typing import Any

from lute.airflow_api.models import RunState, TaskState
from simulators.dagrunner.service import AirflowServer
from simulators.dagrunner.state import AirflowState, DagEntry, DagRun, ImportFailure, TaskInstance
from simulators.net.messages import HttpReply, HttpRequest

START = datetime(2026, 11, 24, 22, 7, 45, 163301, tzinfo=UTC)
VERSIONS = ("2.11.2", "3.3.2")
USER, PASSWORD = "admin", "se:cret"


class Rule(Enum):
    """Stands for Airflow's TriggerRule."""

    ALL_SUCCESS = "all_success"


@dataclass
class Task:
    """What the service reads of one of Airflow's operators."""

    task_id: str
    downstream_task_ids: set[str] = field(default_factory=set)
    upstream_task_ids: set[str] = field(default_factory=set)
    task_type: str = "Nothing"
    operator_name: str = "Nothing"
    depends_on_past: bool = False
    doc_md: str | None = None
    end_date: datetime | None = None
    execution_timeout: timedelta | None = None
    owner: str = "airflow"
    pool: str = "default_pool"
    pool_slots: int = 1
    priority_weight: int = 1
    queue: str = "default"
    retries: int = 2
    retry_delay: timedelta = timedelta(days=1, seconds=30, microseconds=5)
    retry_exponential_backoff: bool = False
    start_date: datetime | None = datetime(2024, 1, 1, tzinfo=UTC)
    template_fields: tuple[str, ...] = ("conf",)
    trigger_rule: Rule = Rule.ALL_SUCCESS
    ui_color: str = "#fff"
    ui_fgcolor: str = "#000"
    wait_for_downstream: bool = False
    others: dict[str, "Task"] = field(default_factory=dict)

    @property
    def operator_class(self) -> type["Task"]:
        return Task

    def get_flat_relative_ids(self, *, upstream: bool) -> set[str]:
        near = self.upstream_task_ids if upstream else self.downstream_task_ids
        return near.union(*(self.others[name].get_flat_relative_ids(upstream=upstream) for name in near))


class MappedTask(Task):
    """A task that `expand` made: its class is not that of the operator."""


def dag_of(*tasks: Task, description: str | None = None, tags: Sequence[str] = ()) -> Any:
    """Return what the service reads of one of Airflow's DAGs; the tasks run one after the other."""
    known = {task.task_id: task for task in tasks}
    for before, behind in itertools.pairwise(tasks):
        before.downstream_task_ids.add(behind.task_id)
        behind.upstream_task_ids.add(before.task_id)
    for task in tasks:
        task.others = known
    return SimpleNamespace(
        task_dict=known,
        description=description,
        tags=set(tags),
        owner="airflow",
        max_active_runs=16,
        max_active_tasks=16,
    )


class Orders:
    """Does at once what is asked, and keeps a list of it."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.state = AirflowState(users={USER: PASSWORD}, dags_folder="/dags")
        self.time = START
        self.asked: list[tuple[Any, ...]] = []
        self.components: dict[str, str | None] = {
            "scheduler": "healthy",
            "triggerer": None,
            "dag_processor": None,
        }

    def now(self) -> datetime:
        return self.time

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any], user: str) -> DagRun:
        self.asked.append(("trigger", dag_id, run_id, conf, user))
        run = self.state.runs[dag_id, run_id] = DagRun(
            dag_id, run_id, dict(conf), queued=self.time, user=user
        )
        for task_id in self.state.dags[dag_id].dag.task_dict:
            task = TaskInstance(dag_id, run_id, task_id, operator="Nothing", max_tries=2)
            run.tasks[task.key] = task
        return run

    def set_paused(self, dag_id: str, is_paused: bool) -> None:
        self.asked.append(("set_paused", dag_id, is_paused))
        self.state.dags[dag_id].is_paused = is_paused

    def set_run_state(self, run: DagRun, state: RunState) -> None:
        self.asked.append(("set_run_state", run.run_id, state))
        run.state = state

    def delete_run(self, run: DagRun) -> None:
        del self.state.runs[run.dag_id, run.run_id]

    def set_task_state(self, run: DagRun, tasks: Sequence[TaskInstance], state: TaskState) -> None:
        self.asked.append(("set_task_state", run.run_id, [task.label for task in tasks], state))
        for task in tasks:
            task.state = state

    def clear(self, run: DagRun, tasks: Sequence[TaskInstance]) -> None:
        self.asked.append(("clear", run.run_id, [task.label for task in tasks]))
        for task in tasks:
            task.state = TaskState.NONE

    def reparse(self, file: str) -> None:
        self.asked.append(("reparse", file))
        self.state.parse_requests.add(file)

    def health(self) -> Mapping[str, str | None]:
        return self.components


@dataclass(frozen=True)
class Answer:
    """A reply, read."""

    status: int
    kind: str
    body: Any
    reply: HttpReply


class World:
    """One Airflow with the DAGs `flow` (a, b, c) and `many` (120 tasks) and a broken file; a client of it.

    Attributes:
        x: what the body of a trigger needs besides in this version.
    """

    def __init__(self, version: str) -> None:
        self.orders = Orders(version)
        self.is_2 = version.startswith("2")
        self.x: dict[str, Any] = {} if self.is_2 else {"logical_date": None}
        state = self.orders.state
        flow = dag_of(Task("a"), Task("b"), Task("c"), description="a flow", tags=["t2", "t1"])
        state.dags["flow"] = DagEntry("flow", flow, "/dags/sub/flow.py", created=START, parsed=START)
        many = dag_of(*(Task(f"t{number:03}") for number in range(120)))
        state.dags["many"] = DagEntry("many", many, "/dags/many.py", is_paused=True)
        state.import_errors.append(ImportFailure("/dags/broken.py", "Traceback\nValueError: x\n", START))
        self.server = AirflowServer(self.orders)
        self.login = self.new_login()

    def new_login(self) -> str:
        if self.is_2:
            return "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        answer = self.ask("POST", "http://af/auth/token", {"username": USER, "password": PASSWORD}, login="")
        return f"Bearer {answer.body['access_token']}"

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        login: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpRequest:
        """Return a request.

        Args:
            path: below the API's base, or a whole URL.
            raw: the body as it is, instead of `body` as JSON.
            login: the Authorization header; empty for none.
        """
        login = self.login if login is None else login
        sent = dict(headers or {}) | ({"authorization": login} if login else {})
        if raw is None and body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("content-type", "application/json")
        base = "http://af/api/v1" if self.is_2 else "http://af/api/v2"
        return HttpRequest(method, path if "://" in path else base + path, sent, raw or b"")

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """Send a request; see `request`."""
        reply = self.server.handle(self.request(method, path, body, **more))
        is_json = reply.body and reply.content_type in ("application/json", "application/problem+json")
        read = json.loads(reply.body) if is_json else reply.body.decode()
        return Answer(reply.status, reply.content_type, read, reply)

    def run(self, run_id: str = "r", dag_id: str = "flow") -> DagRun:
        """Start a run over REST and return it."""
        answer = self.ask("POST", f"/dags/{dag_id}/dagRuns", {"dag_run_id": run_id, **self.x})
        assert answer.status == 200, answer
        return self.orders.state.runs[dag_id, run_id]
