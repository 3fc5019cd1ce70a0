"""DAGs about trigger rules: each of them for each set of upstream states."""

import itertools
from datetime import UTC, datetime

from airflow import DAG
from airflow.providers.common.compat.sdk import TriggerRule
from contract_parts import Act

try:
    from airflow.providers.standard.operators.empty import EmptyOperator
except ImportError:
    from airflow.operators.empty import EmptyOperator

START = datetime(2024, 1, 1, tzinfo=UTC)
RULES = sorted(rule.value for rule in TriggerRule if rule.value != "all_done_setup_success")

for order in (("s", "k", "f"), ("f", "k", "s"), ("k", "f", "s")):
    # One after the other, so that in each world they end in the same order.
    with DAG(f"c_rules_{''.join(order)}", schedule=None, start_date=START):
        words = {"s": "succeed", "k": "skip", "f": "fail"}
        ends = {}
        for name in order:
            ends[name] = Act(task_id=name, script=words[name], trigger_rule="all_done")
        for before, after in itertools.pairwise(order):
            ends[before] >> ends[after]
        ends["u"] = Act(task_id="u")
        ends["f"] >> ends["u"]
        for rule in RULES:
            for count in range(1, 5):
                for chosen in itertools.combinations("skfu", count):
                    target = EmptyOperator(task_id=f"{rule}_{''.join(chosen)}", trigger_rule=rule)
                    [ends[name] for name in chosen] >> target

with DAG("c_rules_without_upstream", schedule=None, start_date=START):
    for rule in RULES:
        EmptyOperator(task_id=rule, trigger_rule=rule)
