"""One bad file for each code, each a small change to a good one; and changes that are fine."""

from dataclasses import dataclass, field

GOOD = '''\
"""A workflow."""

from datetime import datetime
from pathlib import Path

from airflow import DAG

from lute.operators.jidoperators import JIDSlurmOperator

dag = DAG(dag_id=f"lute_{Path(__file__).stem}", start_date=datetime(2024, 3, 18), schedule=None)

first = JIDSlurmOperator(task_id="Tester", max_cores=8, dag=dag)
second = JIDSlurmOperator(task_id="WriteTester", dag=dag)
third = JIDSlurmOperator(task_id="ReadTester", dag=dag)

first >> second >> third
'''

DAG_ID = 'dag_id=f"lute_{Path(__file__).stem}"'
START = "start_date=datetime(2024, 3, 18)"
SCHEDULE = ", schedule=None"
TAIL = "first >> second >> third\n"
CORES = "max_cores=8"
IMPORT = "from lute.operators.jidoperators import JIDSlurmOperator"


@dataclass(frozen=True)
class Case:
    """A change to the good file.

    Attributes:
        old: what is replaced; empty to replace all.
        new: by what.
        line: where the finding stands.
        fine: other replacements, which are not found.
        needs_import: True where only importing the file tells.
    """

    code: str
    old: str
    new: str
    line: int
    fine: list[str] = field(default_factory=list)
    needs_import: bool = False

    def bad(self) -> str:
        """Return the file with the fault."""
        return changed(self.old, self.new)


def changed(old: str, new: str) -> str:
    """Return the good file with one change."""
    assert not old or GOOD.count(old) == 1, old
    return GOOD.replace(old, new) if old else new


ASK = "from airflow.models import Variable as V\ndef ask():\n    V.get('x')\n0 and ask()"


def top(line: str) -> tuple[str, str]:
    """Return the change that adds a line at the end of the imports."""
    return IMPORT, f"{IMPORT}\n{line}"


def custom(words: str) -> str:
    """Return an argument for the first step."""
    return f'custom_slurm_params="{words}"'


CASES = [
    Case("LUTE001", "", "def broken(:\n", 1),
    Case("LUTE001", START, "start_date=datetime(2024, 3, 18", 10),
    Case("LUTE001", "", "dag airflow\0", 1),
    Case("LUTE002", *top("import no_such_module"), 9, [f"{IMPORT}\nimport json"], needs_import=True),
    Case("LUTE002", *top("DAG.no_such_name"), 9, needs_import=True),
    Case("LUTE003", "", "# no airflow dag here\n", 1),
    Case("LUTE003", "", "", 1),
    Case("LUTE004", CORES, "depends_on_past=True", 10, needs_import=True),
    Case("LUTE101", SCHEDULE, ", schedule_interval=None", 10),
    Case("LUTE102", *top("from airflow.utils.decorators import apply_defaults"), 9),
    Case("LUTE102", *top("import airflow.utils.dates"), 9),
    Case("LUTE103", "from airflow import DAG", "from airflow.models.dag import DAG", 6,
         ["from airflow.models import DAG"]),
    Case("LUTE104", "from airflow import DAG", "from airflow.sdk import DAG", 6,
         ["from airflow.providers.common.compat.sdk import DAG",
          "try:\n    from airflow.sdk import DAG\nexcept ImportError:\n    from airflow import DAG"]),
    Case("LUTE105", SCHEDULE, ", schedule=None, concurrency=4", 10, [", schedule=None, max_active_tasks=4"]),
    Case("LUTE105", SCHEDULE, ", schedule=None, fail_fast=False", 10, [", schedule=None, tags=['a']"]),
    Case("LUTE105", CORES, "retry_policy=None", 12, ["retries=1"]),
    Case("LUTE106", IMPORT, "from plugins.jidoperators import JIDSlurmOperator", 8),
    Case("LUTE106", IMPORT, f"{IMPORT}\nimport operators.jidoperators", 9,
         [f"{IMPORT}\nimport lute.operators.jidoperators"]),
    Case("LUTE107", IMPORT, IMPORT + ", RequestOperator", 8),
    Case("LUTE201", DAG_ID, 'dag_id="mine"', 10),
    Case("LUTE201", DAG_ID, '"mine"', 10, ['"lute_" + Path(__file__).stem']),
    Case("LUTE202", DAG_ID, 'dag_id="lute_other"', 10, ['dag_id="lute_case"']),
    Case("LUTE203", SCHEDULE, ", schedule=None, descripton='x'", 10, [", schedule=None, description='x'"]),
    Case("LUTE204", SCHEDULE, "", 10),
    Case("LUTE205", SCHEDULE, ", schedule='@daily'", 10),
    Case("LUTE206", START, "start_date=datetime(2999, 1, 1)", 10, ["start_date=datetime(2020, 1, 1)"]),
    Case("LUTE207", START, "start_date=datetime.today()", 10, ["start_date=datetime(2024, 1, 1)"]),
    Case("LUTE208", SCHEDULE, ", schedule=None, catchup=True", 10, [", schedule=None, catchup=False"]),
    Case("LUTE301", CORES, "max_core=8", 12, ["poke_interval=5", "user='x'", "retries=2", "queue='q'"]),
    Case("LUTE301", 'task_id="WriteTester", ', "", 13),
    Case("LUTE301", 'task_id="WriteTester"', '"WriteTester"', 13),
    Case("LUTE302", 'task_id="WriteTester"', 'task_id="WriteTestr"', 13, ['task_id="SocketTester"']),
    Case("LUTE303", 'task_id="WriteTester"', 'task_id="Tester"', 13),
    Case("LUTE304", CORES, "max_cores=0", 12, ["max_cores=1", "max_cores=None"]),
    Case("LUTE304", CORES, "max_nodes=-1", 12),
    Case("LUTE304", CORES, "max_cores='8'", 12),
    Case("LUTE304", CORES, "max_cores=True", 12),
    Case("LUTE305", CORES, custom("-n 4") + ", max_cores=8", 12, [custom("-n 4"), custom("-n 4 -p milano")]),
    Case("LUTE305", CORES, custom("-n 4") + ", require_partition='milano'", 12),
    Case("LUTE306", CORES, "require_partition=''", 12,
         ["require_partition='milano'", "require_partition=None"]),
    Case("LUTE306", CORES, "require_partition='milano ampere'", 12),
    Case("LUTE307", CORES, custom("--partitoin=milano"), 12, [custom("--partition=milano")]),
    Case("LUTE307", CORES, custom("--comment='x"), 12, [custom("--comment='a b'"), custom("")]),
    Case("LUTE307", CORES, custom("--array=1-4"), 12),
    Case("LUTE307", CORES, custom("-N many") + ", max_nodes=4", 12),
    Case("LUTE307", CORES, "custom_slurm_params=['-n', '4']", 12),
    Case("LUTE308", CORES, custom("-N 4") + ", max_nodes=2", 12, [custom("--nodes=4")]),
    Case("LUTE308", CORES, custom("-n 16") + ", max_cores=8", 12),
    Case("LUTE308", CORES, custom("-p milano") + ", require_partition='ampere'", 12),
    Case("LUTE308", CORES, "max_cores=2, max_nodes=4", 12, ["max_cores=4, max_nodes=4"]),
    Case("LUTE309", CORES, "trigger_rule='all_dun'", 12, ["trigger_rule='all_done'"]),
    Case("LUTE309", CORES, "trigger_rule='none_failed_or_skipped'", 12),
    Case("LUTE309", CORES, "trigger_rule='all_done_min_one_success'", 12),
    Case("LUTE401", TAIL, TAIL + "third >> first\n", 12, ["first >> [second, third]\n"], needs_import=True),
    Case("LUTE402", TAIL, "first >> second\n", 14, needs_import=True),
    Case("LUTE403", TAIL, TAIL + """
from airflow.providers.common.compat.sdk import TaskGroup

with TaskGroup("again", dag=dag):
    first >> JIDSlurmOperator(task_id="ReadTester", dag=dag)
""", 14, [TAIL + """
from airflow.providers.common.compat.sdk import TaskGroup

with TaskGroup("again", dag=dag):
    third >> JIDSlurmOperator(task_id="ReadTester", dag=dag)
"""], needs_import=True),
    Case("LUTE501", *top("import requests\nif False: requests.get('http://x')"), 10,
         [f"{IMPORT}\nimport requests\ndef later():\n    requests.get('http://x')\n"]),
    Case("LUTE502", *top("from airflow.models import Variable\nif False: Variable.get('x')"), 10,
         [f"{IMPORT}\nfrom airflow.models import Variable\nlater = lambda: Variable.get('x')"]),
    Case("LUTE502", *top(ASK), 11),
    Case("LUTE503", *top("import sys\nsys.exit(1)"), 10,
         [f"{IMPORT}\nimport sys\nif __name__ == '__main__':\n    sys.exit(1)"]),
    Case("LUTE503", *top("raise SystemExit"), 9),
    Case("LUTE504", *top("import time\ntime.sleep(0)"), 10,
         [f"{IMPORT}\nimport time\nclass Later:\n    def run(self):\n        time.sleep(0)"]),
    Case("LUTE505", *top("password = 'hunter2'"), 9,
         [f"{IMPORT}\npassword = None", f"{IMPORT}\ntoken_channel = 'variable'",
          f"{IMPORT}\ntoken = '{{{{ x }}}}'",
          f"{IMPORT}\npassword = open", f"{IMPORT}\ndef f():\n    'give Bearer authentication'"]),
    Case("LUTE505", *top("url = 'http://me:pw12345@host/'"), 9, [f"{IMPORT}\nurl = 'http://host:80/'"]),
    Case("LUTE505", *top("headers = {'Authorization': 'abcdef'}"), 9),
    Case("LUTE505", *top("headers = dict(token='abcdef')"), 9),
    Case("LUTE505", *top("headers = {}\nheaders['Authorization'] = 'abcdef'"), 10),
    Case("LUTE505", *top("class Site:\n    secret: str = 'abcdef'"), 10),
]  # fmt: skip
