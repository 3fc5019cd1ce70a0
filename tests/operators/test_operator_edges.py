"""The operator between two states: killed while it submits or resumes, resumed without trouble."""

import json
from typing import Any

import pytest

from lute.operators._compat import DAG, AirflowException
from lute.operators.jidoperators import JIDSlurmOperator
from tests.fakes import CONF
from tests.operators import test_jidoperators as steps
from tests.operators.test_jidoperators import BASE, JOB, FakeDagRun, FakeTaskInstance, execute, ok, paths

jid = steps.jid


def answer(jid: Any, path: str, callback: Any) -> None:
    jid.remove("POST", f"{BASE}/mfxl1000126/{path}")
    jid.add_callback("POST", f"{BASE}/mfxl1000126/{path}", callback=callback)


def context() -> dict[str, Any]:
    return {"ti": FakeTaskInstance(), "dag_run": FakeDagRun(CONF)}


def test_a_step_that_is_killed_while_it_is_submitted_is_not_deferred(jid: Any) -> None:
    operator = JIDSlurmOperator(task_id="Tester", deferrable=True)

    def killed_meanwhile(request: Any) -> tuple[int, dict[str, str], str]:
        if "--cancel" not in request.body.decode():
            operator.on_kill()
        return 200, {}, json.dumps(ok({"tool_id": "7", "status": "SUBMITTED"}))

    answer(jid, "start_job", killed_meanwhile)
    ti = execute(operator)
    assert type(ti.error) is AirflowException  # type: ignore[attr-defined]
    assert str(ti.error) == "Tester was stopped: Slurm job 7 was cancelled"  # type: ignore[attr-defined]
    assert paths(jid)[-1] == "/mfxl1000126/kill_job"


def test_a_kill_while_a_resumed_step_reads_its_log_cancels_the_job_by_its_id(jid: Any) -> None:
    operator = JIDSlurmOperator(task_id="Tester")

    def killed_meanwhile(_request: Any) -> tuple[int, dict[str, str], str]:
        operator.on_kill()
        return 200, {}, json.dumps(ok("the log"))

    answer(jid, "job_log_file", killed_meanwhile)
    operator.resume(context(), {"job": JOB})
    assert "/mfxl1000126/kill_job" in paths(jid)
    assert "/mfxl1000126/start_job" not in paths(jid), "its submission is not cancelled, for it has a job"


def test_a_wait_that_failed_still_tells_the_launcher_which_job_it_was(jid: Any) -> None:
    trouble = {"what": "x", "endpoint": "e", "http_status": None, "next_step": "", "again": True}
    given = context()
    with pytest.raises(AirflowException):
        JIDSlurmOperator(task_id="Tester").resume(given, {"job": JOB, "trouble": trouble})
    assert json.loads(given["ti"].xcoms["job"])["tool_id"] == "7"


def test_airflow_resumes_a_step_without_cancelling_anything(jid: Any) -> None:
    JIDSlurmOperator(task_id="Tester").resume_execution("resume", {"event": {"job": JOB}}, context())
    assert paths(jid) == ["/mfxl1000126/job_log_file"]


@pytest.mark.filterwarnings("ignore")
def test_who_imports_the_operator_may_give_a_dag_the_old_keyword() -> None:
    assert not DAG(dag_id="old", schedule_interval=None).timetable.can_be_scheduled
