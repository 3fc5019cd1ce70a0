"""As workflows were once made from a Variable: whoever set it last decided for everybody."""

from airflow.decorators import dag
from airflow.models import Variable
from airflow.utils.dates import days_ago

from operators.jidoperators import JIDSlurmOperator

STEPS = ["Tester", "WriteTester"]


def create(wanted):
    before = None
    for step in wanted:
        now = JIDSlurmOperator(task_id=step, poke_intervall=5)
        if before:
            before >> now
        before = now


@dag(schedule_interval=None, start_date=days_ago(1), concurrency=4)
def lute_old_dynamic():
    create(Variable.get("user_workflow", default_var=STEPS))


lute_old_dynamic()
