"""Reading DAG files, as Airflow's DAG processor does."""

import sys
import traceback
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from zlib import crc32

from lute.errors import LuteError
from simulators.dagrunner.installed import DAG, MappedOperator, check_cycle, conf, dags_in
from simulators.dagrunner.rules import RULES
from simulators.dagrunner.variables import connected_somehow, held, uses


class NotSimulatedError(LuteError):
    """A DAG needs something of Airflow that the dagrunner does not do."""

    exit_code = 2


@dataclass
class Loaded:
    """What a folder of DAG files holds.

    Attributes:
        dags: dag_id -> (Airflow's DAG object, its file).
        errors: file -> stack trace, for files that do not import.
    """

    dags: dict[str, tuple[Any, str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


_IN_DATABASE = frozenset(
    {
        "BranchMixIn",
        "BaseBranchOperator",
        "ShortCircuitOperator",
        "LatestOnlyOperator",
        "TriggerDagRunOperator",
        "ExternalTaskSensor",
    }
)
"""Operators that look at other tasks or runs, or change them; and their parents."""

_cache: dict[tuple[Any, ...], dict[str, Any] | str] = {}


def load_folder(folder: Path) -> Loaded:
    """Import every DAG file of a folder; files that do not change are imported once per process.

    As Airflow, it skips files that mention no DAG, and puts the folder on the path for their imports.
    """
    loaded = Loaded()
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    for path in sorted(folder.rglob("*.py")):
        load_file(path, loaded)
    return loaded


def load_file(path: Path, into: Loaded) -> None:
    """Import one DAG file, unless it is known; one that asks for Variables is known for what they were."""
    status = path.stat()
    # Operators read this setting when their DAG file is imported.
    deferrable = conf.getboolean("operators", "default_deferrable", fallback=False)
    key = (str(path), status.st_mtime_ns, status.st_size, deferrable)
    found = _cache.get(key)
    if found is None:
        found = _cache.get((*key, held()))
    if found is None:
        uses_before = uses()
        found = _import(path)
        _cache[key if uses() == uses_before else (*key, held())] = found
    if isinstance(found, str):
        into.errors[str(path)] = found
    else:
        into.dags |= {dag_id: (dag, str(path)) for dag_id, dag in found.items()}


def _import(path: Path) -> dict[str, Any] | str:
    try:
        found = import_dags(path)
        for dag in found.values():
            check_cycle(dag)
            check_simulated(dag)
    except (Exception, SystemExit):  # noqa: BLE001 - whatever a DAG file raises is its import error
        return traceback.format_exc()
    return found


def import_dags(path: Path) -> dict[str, Any]:
    """Import a DAG file and return its DAGs by id, even those that Airflow or the dagrunner would refuse.

    Raises:
        Exception, SystemExit: whatever the file raises.
    """
    text = path.read_text(encoding="utf-8", errors="replace").lower()
    if "dag" not in text or "airflow" not in text:  # Airflow's own `dag_discovery_safe_mode`
        return {}
    name = f"lute_dag_file_{crc32(str(path).encode()):08x}_{path.stem}"
    # Named with its loader: a DAG file may have any suffix that Airflow was told of.
    spec = spec_from_file_location(name, path, loader=SourceFileLoader(name, str(path)))
    assert spec is not None  # noqa: S101 - a loader was given
    assert spec.loader is not None  # noqa: S101
    module = module_from_spec(spec)
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.modules[name] = module  # where Airflow looks for it when a DAG registers itself
    try:
        with dags_in(name) as registered, connected_somehow():
            spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return registered | {value.dag_id: value for value in vars(module).values() if isinstance(value, DAG)}


def check_simulated(dag: Any) -> None:
    """Refuse what is not simulated, rather than run it wrongly: as an import error of its file.

    Raises:
        NotSimulatedError: the message names the step and what it asks for.
    """
    for argument in ("dagrun_timeout", "fail_stop", "fail_fast"):
        if getattr(dag, argument, None):
            raise NotSimulatedError(f"{dag.dag_id}: {argument} is not simulated")
    for task in dag.tasks:
        for argument in ("max_active_tis_per_dag", "max_active_tis_per_dagrun"):
            if getattr(task, argument, None):
                raise NotSimulatedError(f"{dag.dag_id}.{task.task_id}: {argument} is not simulated")
        kind = task.operator_class if is_mapped(task) else type(task)
        if not _IN_DATABASE.isdisjoint(ancestor.__name__ for ancestor in kind.__mro__):
            raise NotSimulatedError(
                f"{dag.dag_id}.{task.task_id}: {kind.__name__} is not simulated, it needs Airflow's database"
            )
        if task.get_closest_mapped_task_group() is not None:
            raise NotSimulatedError(f"{dag.dag_id}.{task.task_id}: mapped task groups are not simulated")
        if task.is_setup or task.is_teardown:
            raise NotSimulatedError(f"{dag.dag_id}.{task.task_id}: setup and teardown are not simulated")
        if task.depends_on_past or task.wait_for_downstream:
            raise NotSimulatedError(f"{dag.dag_id}.{task.task_id}: depends_on_past is not simulated")
        if str(getattr(task.trigger_rule, "value", task.trigger_rule)) not in RULES:
            raise NotSimulatedError(f"{dag.dag_id}.{task.task_id}: trigger rule {task.trigger_rule}")


def is_mapped(task: Any) -> bool:
    """True for a task that `expand` made."""
    return isinstance(task, MappedOperator)
