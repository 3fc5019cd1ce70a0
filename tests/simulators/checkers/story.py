"""Traces made by hand, line by line."""

from typing import Any, Self

from simulators.checkers.all import CHECKERS
from simulators.checkers.history import History, read_history
from simulators.checkers.model import Facts

FACTS = Facts(deadline_s=3600.0, start_s=0.0)
RUN = "exp_r1"


class Story:
    """A trace that grows; each method adds an entry at a moment in seconds."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def add(self, at_s: float, actor: str, event: str, **fields: Any) -> Self:
        self.entries.append({"t": at_s, "actor": actor, "event": event, **fields})
        return self

    def run(self, at_s: float, state: str, run_id: str = RUN) -> Self:
        return self.add(at_s, "airflow", "run", dag_id="lute_test", run_id=run_id, state=state)

    def task(
        self, at_s: float, state: str, number: int = 1, label: str = "Tester", run_id: str = RUN
    ) -> Self:
        fields = {"dag_id": "lute_test", "run_id": run_id, "task": label, "state": state, "try": number}
        return self.add(at_s, "airflow", "task", **fields)

    def job(
        self,
        at_s: float,
        state: str,
        job_id: int = 1,
        *,
        task: str = "Tester",
        number: int = 1,
        cpus: int = 4,
        nodes: dict[str, int] | None = None,
    ) -> Self:
        more = {} if nodes is None else {"nodes": nodes}
        fields = {"job": job_id, "name": "Tester", "state": state, "reason": "None", "cpus": cpus}
        return self.add(at_s, "slurm", "job", **fields, task=task, **{"try": number}, **more)

    def ran(self, from_s: float, to_s: float, job_id: int = 1, end: str = "COMPLETED", **more: Any) -> Self:
        """Add a job from its submission to its end."""
        return self.job(from_s, "PENDING", job_id, **more).job(to_s, end, job_id, **more)

    def launched(self, at_s: float = 0.0, name: str = "launcher", run_id: str = RUN) -> Self:
        self.add(at_s, name, "start", argv=[])
        return self.says(at_s, f"Workflow test launched: DAG run {run_id}, experiment exp", name)

    def says(self, at_s: float, text: str, name: str = "launcher") -> Self:
        return self.add(at_s, name, "print", text=text)

    def ended(self, at_s: float, code: int | None, name: str = "launcher", **more: Any) -> Self:
        return self.add(at_s, name, "end", exit_code=code, **more)

    def http(
        self,
        at_s: float,
        client: str = "launcher",
        endpoint: str = "airflow.get_run",
        status: int | None = 200,
        failure: str | None = None,
    ) -> Self:
        fields = {"endpoint": endpoint, "status": status, "failure": failure, "sent_s": at_s}
        return self.add(at_s, client, "http", **fields)

    def fault(self, at_s: float, what: str, where: str = "jid.*", target: str | None = None) -> Self:
        return self.add(at_s, "faults", "fault", what=what, where=where, target=target, detail="")

    def log(self, at_s: float, client: str, text: str) -> Self:
        return self.add(at_s, client, "log", level="INFO", text=text)

    @property
    def history(self) -> History:
        return read_history(self.entries)


def broken(name: str, story: Story, facts: Facts = FACTS) -> list[str]:
    """Return what one checker says of a story."""
    return list(CHECKERS[name].check(story.history, facts))
