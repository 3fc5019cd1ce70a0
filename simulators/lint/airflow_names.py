"""What Airflow 2.11.2 and 3.3.2 call things, and the names that both take.

Tried on both versions; the tests try it again on the one installed.
"""

BOTH = "airflow.providers.common.compat.sdk"
"""The module of both installations that gives the names of either."""

_SAME = f"from {BOTH} import {{}}"
"""What to write instead where the name stays: `{}` stands for it."""

REMOVED: dict[str, str] = {
    "airflow.utils.decorators.apply_defaults": "nothing: leave it out, it has no effect since Airflow 2.0",
    "airflow.utils.dates": "start_date=datetime(2024, 1, 1), a fixed date",
    "airflow.utils.log.secrets_masker.mask_secret": _SAME,
    "airflow.utils.helpers.chain": _SAME,
    "airflow.utils.helpers.cross_downstream": _SAME,
    "airflow.utils.dag_parsing_context": _SAME,
    "airflow.datasets": f"from {BOTH} import Asset",
    "airflow.hooks.base_hook": _SAME,
    "airflow.operators.dummy": "a JIDSlurmOperator, or `>>` between the steps themselves",
    "airflow.operators.dummy_operator": "a JIDSlurmOperator, or `>>` between the steps themselves",
    "airflow.operators.python_operator": f"from {BOTH} import task, and @task over the function",
    "airflow.operators.bash_operator": f"from {BOTH} import task, and @task.bash over a function",
    "airflow.operators.subdag": f"from {BOTH} import TaskGroup",
    "airflow.contrib": "the module of a provider",
}
"""Modules and names that Airflow 2.11 has and Airflow 3 has not -> what to write instead."""

DEPRECATED: dict[str, str] = {
    "airflow.models.dag.DAG": "from airflow import DAG",
    "airflow.models.baseoperator": _SAME,
    "airflow.hooks.base": _SAME,
    "airflow.sensors.base": _SAME,
    "airflow.decorators": _SAME,
    "airflow.utils.context": _SAME,
    "airflow.utils.trigger_rule": _SAME,
    "airflow.utils.task_group": _SAME,
    "airflow.models.xcom.XCom": _SAME,
    "airflow.models.param": _SAME,
    "airflow.operators.python": f"from {BOTH} import task, and @task over the function",
    "airflow.operators.bash": f"from {BOTH} import task, and @task.bash over a function",
    "airflow.operators.empty": "a JIDSlurmOperator, or `>>` between the steps themselves",
    "airflow.exceptions.AirflowFailException": _SAME,
    "airflow.exceptions.AirflowSkipException": _SAME,
    "airflow.exceptions.TaskDeferred": _SAME,
}
"""Modules and names that Airflow 3 still has, with a warning -> what to write instead."""

ONLY_3: dict[str, str] = {
    "airflow.sdk": _SAME,
    "airflow.providers.standard": f"from {BOTH} import task, or a JIDSlurmOperator",
}
"""Modules that Airflow 2.11 has not -> what to write instead."""

DAG_KEYWORDS_2: dict[str, str] = {
    "concurrency": "max_active_tasks=",
    "default_view": "nothing: leave it out",
    "fail_stop": "nothing: no keyword for it is known to both versions",
    "full_filepath": "nothing: leave it out",
    "orientation": "nothing: leave it out",
    "timetable": "schedule=",
}
"""Keywords of DAG that only Airflow 2.11 knows, but for schedule_interval -> what to write instead."""

DAG_KEYWORDS_3: dict[str, str] = {
    "allowed_run_types": "nothing: leave it out",
    "deadline": "execution_timeout= of the steps",
    "disable_bundle_versioning": "nothing: leave it out",
    "fail_fast": "nothing: no keyword for it is known to both versions",
    "rerun_with_latest_version": "nothing: leave it out",
    "task_group": "with TaskGroup(...): around the steps",
}
"""Keywords of DAG that only Airflow 3.3 knows -> what to write instead."""

STEP_KEYWORDS_2: dict[str, str] = {"task_concurrency": "max_active_tis_per_dag="}
"""Keywords of operators that only Airflow 2.11 knows -> what to write instead."""

STEP_KEYWORDS_3: dict[str, str] = {
    "render_template_as_native_obj": "nothing: leave it out",
    "retry_policy": "retries= and retry_delay=",
}
"""Keywords of operators that only Airflow 3.3 knows -> what to write instead."""

TRIGGER_RULES_BOTH = frozenset(
    {
        "all_done",
        "all_done_setup_success",
        "all_failed",
        "all_skipped",
        "all_success",
        "always",
        "none_failed",
        "none_failed_min_one_success",
        "none_skipped",
        "one_done",
        "one_failed",
        "one_success",
    }
)
"""Trigger rules of both versions."""

TRIGGER_RULES_2: dict[str, str] = {
    "dummy": "always",
    "none_failed_or_skipped": "none_failed_min_one_success",
}
"""Trigger rules that only Airflow 2.11 knows -> what to write instead."""

TRIGGER_RULES_3: dict[str, str] = {"all_done_min_one_success": "all_done or none_failed_min_one_success"}
"""Trigger rules that only Airflow 3.3 knows -> what to write instead."""


def entry(table: dict[str, str], name: str) -> str | None:
    """Return what a table says about a name: about itself, or about a module that it lies in."""
    while name:
        if name in table:
            return table[name]
        name = name.rpartition(".")[0]
    return None
