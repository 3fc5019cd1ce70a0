"""Whole workflows by `dag.test()`: the real operators in the installed Airflow, real managed Tasks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.serve.ready import StackInfo
from tests.dags.conftest import AIRFLOW_VERSION, ROOT, DagTest

WORKFLOWS = ROOT / "workflows" / "airflow"

TEMPLATE = '''\
"""My workflow."""

from datetime import datetime
import os
from airflow import DAG
from lute.operators.jidoperators import JIDSlurmOperator

dag_id: str = f"lute_{os.path.splitext(os.path.basename(__file__))[0]}"
description: str = "My workflow"

dag: DAG = DAG(
    dag_id=dag_id,
    start_date=datetime(2024, 3, 18),
    schedule_interval=None,
    description=description,
)

tester: JIDSlurmOperator = JIDSlurmOperator(task_id="Tester", dag=dag)
binary_tester: JIDSlurmOperator = JIDSlurmOperator(max_cores=2, task_id="BinaryTester", dag=dag)
write_tester: JIDSlurmOperator = JIDSlurmOperator(task_id="WriteTester", dag=dag)
read_tester: JIDSlurmOperator = JIDSlurmOperator(task_id="ReadTester", dag=dag)

tester >> binary_tester
tester >> write_tester >> read_tester
'''
"""The site's documented template: Airflow 2's keyword, kept working on Airflow 3."""


def ask_slurm(stack: StackInfo, *words: str) -> str:
    env = stack.applied_to(os.environ)
    return subprocess.run(words, env=env, capture_output=True, text=True, check=True).stdout


def queue(stack: StackInfo) -> str:
    return ask_slurm(stack, "squeue", "-h")


def slurm_job(dag_test: DagTest, task_id: str) -> str:
    job_id = dag_test.xcom(task_id, "job")["tool_id"]
    return ask_slurm(dag_test.stack, "scontrol", "show", "job", job_id)


def test_the_workflow_test_succeeds(dag_test: DagTest) -> None:
    dag_test.run((WORKFLOWS / "test.py").read_text(), "test", "--partition=milano", "--ntasks=4")
    tasks = ["BinaryTester", "ReadTester", "SocketTester", "Tester", "WriteTester"]
    assert dag_test.states() == dict.fromkeys(tasks, "success"), dag_test.output
    assert dag_test.run_state() == "success"
    for task in tasks:
        log = dag_test.xcom(task, "log")
        assert '"status": "COMPLETED"' in log.rstrip().splitlines()[-1], log
        assert dag_test.xcom(task, "job")["status"] == "DONE"
    assert queue(dag_test.stack) == ""


def test_the_workflow_test_failure_fails_where_it_should(dag_test: DagTest) -> None:
    dag_test.run((WORKFLOWS / "test_failure.py").read_text(), "test_failure", "--partition=milano")
    assert dag_test.states() == {
        "Tester": "success",
        "BinaryTester": "success",
        "BinaryErrTester": "failed",
        "SocketTester": "upstream_failed",
        "WriteTester": "success",
        "ReadTester": "success",
    }, dag_test.output
    assert dag_test.run_state() == "failed"
    assert '"status": "FAILED"' in dag_test.xcom("BinaryErrTester", "log")
    assert dag_test.xcom("SocketTester", "job") is None
    assert queue(dag_test.stack) == ""


def test_the_sites_template_runs_letter_for_letter(dag_test: DagTest) -> None:
    dag_test.run(TEMPLATE, "my_workflow", "--partition=milano", "--ntasks=4")
    assert set(dag_test.states().values()) == {"success"}, dag_test.output
    assert len(dag_test.states()) == 4
    assert "NumCPUs=4" in slurm_job(dag_test, "Tester")
    assert "NumCPUs=2" in slurm_job(dag_test, "BinaryTester"), "max_cores=2 did not cap --ntasks=4"


@pytest.mark.skipif(AIRFLOW_VERSION.startswith("2"), reason="Airflow 2 knows the keyword itself")
def test_the_old_keyword_is_told_with_the_dag_file(tmp_path: Path) -> None:
    dag_file = tmp_path / "mine.py"
    dag_file.write_text(TEMPLATE)
    script = (
        "import runpy, sys, warnings; warnings.simplefilter('always'); runpy.run_path(sys.argv[1]);"
        "import importlib, lute.operators._compat as c; from airflow import DAG;"
        "first = DAG.__init__; c.teach_dag_the_old_keyword(); assert DAG.__init__ is first"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(dag_file)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    said = (done.stdout + done.stderr).splitlines()  # Airflow 3 turns warnings into lines of its log
    lines = [line for line in said if "schedule_interval" in line and str(dag_file) in line]
    assert len(lines) == 1, said
    assert "DeprecationWarning" in lines[0]


GROUPED = """
from datetime import datetime
from airflow import DAG
from airflow.utils.task_group import TaskGroup
from lute.operators.jidoperators import JIDSlurmOperator

with DAG(dag_id="lute_grouped", start_date=datetime(2024, 3, 18), schedule=None) as dag:
    with TaskGroup(group_id="outer"), TaskGroup(group_id="inner"):
        JIDSlurmOperator(task_id="Tester", require_partition="ampere", poke_interval=1)
    JIDSlurmOperator(task_id="BinaryTester", custom_slurm_params="-p milano -n 3 --comment='a b'")
"""


def test_groups_partitions_and_custom_arguments(dag_test: DagTest) -> None:
    dag_test.run(GROUPED, "grouped", "--partition=milano", "--ntasks=1")
    assert dag_test.states() == {"outer.inner.Tester": "success", "BinaryTester": "success"}, dag_test.output
    grouped = slurm_job(dag_test, "outer.inner.Tester")
    assert "JobName=Tester" in grouped
    assert "Partition=ampere" in grouped
    assert "NumCPUs=3" in slurm_job(dag_test, "BinaryTester")


ONE_STEP = """
from datetime import datetime
from airflow import DAG
from lute.operators.jidoperators import JIDSlurmOperator

dag = DAG(dag_id="lute_one", start_date=datetime(2024, 3, 18), schedule=None)
JIDSlurmOperator(task_id="Tester", dag=dag, retries=3)
"""


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ({"Authorization": "Bearer nonsense"}, "the JID refused the token (HTTP 401)"),
        ({"slurm_params": ["--partition=nosuch"]}, "invalid partition specified: nosuch"),
        ({"slurm_params": ["--partitoin=x"]}, "partition"),
        ({"lute_params": {"config_file": "/no/such.yaml"}}, "there is no configuration file /no/such.yaml"),
        ({"lute_location": "/nowhere"}, "/nowhere/scripts/submit_slurm.sh cannot be run"),
        ({"experiment": None}, "conf is missing or has wrong: experiment"),
    ],
)
def test_what_can_never_work_fails_at_once_and_says_why(
    dag_test: DagTest, conf: dict[str, object], said: str
) -> None:
    dag_test.run(ONE_STEP, "one", "--partition=milano", **conf)
    assert dag_test.states() == {"Tester": "failed"}, dag_test.output
    assert said in dag_test.xcom("Tester", "log")
    assert queue(dag_test.stack) == ""
    assert "Bearer nonsense" not in dag_test.output
