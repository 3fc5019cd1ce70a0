"""The installed Airflow: importing it without touching anybody's home, and what differs between 2 and 3.

The only module here that knows where things lie in either version. Import it before anything of Airflow.
"""

import atexit
import contextlib
import importlib
import importlib.metadata
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from simulators.environ import set_defaults

VERSION = importlib.metadata.version("apache-airflow")
MAJOR = int(VERSION.partition(".")[0])


def _own_home() -> None:
    """Give Airflow a folder of its own: importing it writes a configuration file, and must read nobody's."""
    home = tempfile.mkdtemp(prefix="lute-airflow-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    set_defaults(
        {
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
            "AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY": "True",  # else 2.11 warns at every import
        }
    )


_own_home()

from airflow import DAG  # noqa: E402 - after its home is set
from airflow.providers.common.compat.sdk import (  # noqa: E402
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    BaseOperator,
    TaskDeferred,
    conf,
)

if MAJOR >= 3:
    from airflow.sdk.bases.operator import ExecutorSafeguard
    from airflow.sdk.definitions.mappedoperator import MappedOperator
    from airflow.sdk.definitions.xcom_arg import PlainXComArg
    from airflow.sdk.exceptions import (
        AirflowRescheduleException,
        AirflowSensorTimeout,
        AirflowTaskTerminated,
        AirflowTaskTimeout,
        UnmappableXComTypePushed,
        XComForMappingNotPushed,
    )
    from airflow.sdk.serde import deserialize, serialize
else:
    from airflow.exceptions import (
        AirflowRescheduleException,
        AirflowSensorTimeout,
        AirflowTaskTerminated,
        AirflowTaskTimeout,
        UnmappableXComTypePushed,
        XComForMappingNotPushed,
    )
    from airflow.models.baseoperator import ExecutorSafeguard
    from airflow.models.mappedoperator import MappedOperator
    from airflow.models.xcom_arg import PlainXComArg
    from airflow.utils.json import XComDecoder, XComEncoder

__all__ = [
    "DAG",
    "MAJOR",
    "VERSION",
    "AirflowException",
    "AirflowFailException",
    "AirflowRescheduleException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "AirflowTaskTerminated",
    "AirflowTaskTimeout",
    "BaseOperator",
    "MappedOperator",
    "PlainXComArg",
    "TaskDeferred",
    "UnmappableXComTypePushed",
    "XComForMappingNotPushed",
    "check_cycle",
    "conf",
    "dags_in",
    "give_log",
    "in_runner",
    "own_secrets",
    "read_xcom",
    "run_hook",
    "write_xcom",
]

# Whoever calls `execute` outside of Airflow's task runner is warned; here the dagrunner is the task runner.
ExecutorSafeguard.test_mode = True
for _name in ("airflow", "airflow.task", "airflow.processor"):
    logging.getLogger(_name).setLevel(logging.ERROR)


@contextlib.contextmanager
def dags_in(module: str) -> Iterator[dict[str, Any]]:
    """Collect the DAGs that a module makes by `with DAG(...)` or `@dag` while it is imported, by id.

    Args:
        module: its name in `sys.modules`.
    """
    if MAJOR >= 3:
        from airflow.sdk.definitions._internal.contextmanager import DagContext
    else:
        from airflow.models.dag import DagContext
    found: dict[str, Any] = {}
    before = set(DagContext.autoregistered_dags)
    DagContext.current_autoregister_module_name = module
    try:
        yield found
    finally:
        DagContext.current_autoregister_module_name = None
        made = set(DagContext.autoregistered_dags) - before
        for dag, maker in sorted(made, key=lambda pair: pair[0].dag_id):  # a set has another order each time
            found[dag.dag_id] = dag
            DagContext.autoregistered_dags.discard((dag, maker))


def check_cycle(dag: Any) -> None:
    """Raise Airflow's own error if tasks of a DAG wait for each other; groups of tasks may."""
    if MAJOR >= 3:
        dag.check_cycle()
        return
    from airflow.utils.dag_cycle_tester import check_cycle as check

    check(dag)


@contextlib.contextmanager
def own_secrets() -> Iterator[None]:
    """Forget at the end what operators told Airflow to mask meanwhile.

    It looks for all secrets of a process by one regular expression, compiled anew for each.
    """
    name = "airflow.sdk._shared.secrets_masker" if MAJOR >= 3 else "airflow.utils.log.secrets_masker"
    masker = importlib.import_module(name)._secrets_masker()
    before = set(masker.patterns), masker.replacer
    try:
        yield
    finally:
        masker.patterns, masker.replacer = before


def in_runner(operator: Any, arguments: Mapping[str, Any] | None) -> Any:
    """Return the object that runs one try: a copy, as each try is a process of its own in Airflow.

    Args:
        arguments: of one element of a mapped task; None for a task that is not mapped.
    """
    if arguments is None:
        return operator.prepare_for_execution()
    if hasattr(operator, "op_kwargs_expand_input"):  # of a `@task` function
        arguments = {"op_kwargs": arguments}
    unmapped = operator.unmap(arguments)
    unmapped.dag = operator.dag
    return unmapped.prepare_for_execution()


def write_xcom(value: Any) -> Any:
    """Return what the JSON in Airflow's database holds for a value.

    Raises:
        TypeError, ValueError: Airflow cannot store it.
    """
    return serialize(value) if MAJOR >= 3 else json.loads(json.dumps(value, cls=XComEncoder))


def read_xcom(stored: Any) -> Any:
    """Return the value for what the JSON in Airflow's database holds."""
    return deserialize(stored) if MAJOR >= 3 else json.loads(json.dumps(stored), cls=XComDecoder)


def run_hook(operator: Any, name: str, context: Any, *more: Any) -> None:
    """Run an operator's `pre_execute` or `post_execute`, and the hook that its DAG file gave it."""
    if MAJOR < 3:
        getattr(operator, name)(context, *more)
        return
    hook = getattr(operator, f"_{name}_hook")
    if hook is not None:
        hook(context, *more)
    getattr(operator, name)(context)  # read: 3.3 does not tell `post_execute` the result


def _let_tasks_resolve() -> None:
    """Let a `ti` of the dagrunner resolve references to XComs: Airflow's own way leads to its database."""
    original = PlainXComArg.resolve

    def resolve(self: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        own = getattr(context["ti"], "resolve_xcom_arg", None)
        return original(self, context, *args, **kwargs) if own is None else own(self)

    PlainXComArg.resolve = resolve


_let_tasks_resolve()


def give_log(operator: Any, log: object) -> None:
    """Let `operator.log` be `log`."""
    setattr(operator, "_cached_logger" if MAJOR >= 3 else "_log", log)
