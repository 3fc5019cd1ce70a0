"""The cases that both Airflows run, and what is looked at of each."""

import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lute.launch.arguments import parse_launch_arguments
from lute.launch.conf import build_conf
from lute.settings import load_settings
from simulators.facility import CONFIG, EXPERIMENT, RUN, SITE, WORKFLOWS, Facility
from simulators.faults.kinds import parse_fault
from simulators.scenario.schema import Scenario, TaskModel

DAGS = Path(__file__).parent / "dags"


@dataclass(frozen=True)
class Case:
    """One run of one DAG."""

    name: str
    dag_id: str
    scenario: Scenario = field(default_factory=Scenario)


@dataclass
class Seen:
    """How a run ended.

    Attributes:
        tasks: label -> state, try_number, max_tries.
        xcoms: label -> key -> value, as JSON has it; job ids are left out.
        journal: what the DAG's operators noted, by task.
        jobs: task -> how many jobs it had.
    """

    run: str
    tasks: dict[str, list[Any]]
    xcoms: dict[str, dict[str, Any]]
    journal: dict[str, list[str]]
    jobs: dict[str, int]


def _faults(*given: dict[str, Any]) -> Scenario:
    return Scenario(faults=tuple(parse_fault(fault) for fault in given))


_FAILS = TaskModel(duration_s=20.0, exit_code=1)
_GOOD = TaskModel(duration_s=20.0)
_FAILURE = {"BinaryErrTester": (_FAILS,)}

CASES = (
    *(
        Case(dag_id.removeprefix("c_"), dag_id)
        for dag_id in (
            "c_rules_skf",
            "c_rules_fks",
            "c_rules_kfs",
            "c_rules_without_upstream",
            "c_chain",
            "c_broken_chain",
            "c_skipped_chain",
            "c_failure_in_the_middle",
            "c_retries",
            "c_ends",
            "c_groups",
            "c_time_limits",
            "c_rescheduled",
            "c_hooks",
            "c_values",
            "c_pulls",
            "c_taskflow",
            "c_variables",
            "c_mapped",
            "c_deferred",
            "c_jid_mapped",
        )
    ),
    Case("jid_fails_once", "c_jid_retry", Scenario(tasks={"Tester": (_FAILS, _GOOD)})),
    Case("jid_fails_twice", "c_jid_retry", Scenario(tasks={"Tester": (_FAILS, _FAILS)})),
    Case("jid_out_of_time", "c_jid_time_limit", Scenario(tasks={"*": (TaskModel(hangs=True),)})),
    Case("workflow_test", "lute_test"),
    Case("workflow_test_failure", "lute_test_failure", Scenario(tasks=_FAILURE)),
    Case("workflow_pyalgos_sfx", "lute_pyalgos_sfx"),
    Case(
        "submission_reply_lost",
        "lute_pyalgos_sfx",
        _faults({"what": "reset", "where": "jid.start_job", "task": "CrystFELIndexer"}),
    ),
    Case(
        "jid_down_for_a_minute",
        "lute_pyalgos_sfx",
        _faults({"what": "refused", "where": "jid.*", "at_s": 5, "for_s": 60}),
    ),
    Case(
        "proxy_errors",
        "lute_pyalgos_sfx",
        _faults({"what": "http_error", "where": "jid.job_statuses", "status": 502, "calls": 4}),
    ),
    Case("log_missing", "lute_pyalgos_sfx", _faults({"what": "log", "task": "HKLComparer"})),
    Case("log_not_utf8", "lute_test", _faults({"what": "log", "task": "Tester", "content": "not_utf8"})),
    Case("log_nul", "lute_test", _faults({"what": "log", "task": "Tester", "content": "nul"})),
    Case(
        "job_cancelled",
        "lute_test",
        _faults({"what": "cancel", "task": "SocketTester", "after": "job_running", "delay_s": 3}),
    ),
    Case(
        "status_word_of_slurm",
        "lute_test",
        _faults({"what": "status_word", "task": "Tester", "word": "PENDING", "calls": 3}),
    ),
    Case("token_of_somebody_else", "lute_test", _faults({"what": "wrong_user"})),
)


def copied_dags(folder: Path) -> Path:
    """Return a folder with all DAG files of the cases: Airflow writes beside them what it has compiled."""
    for source in (DAGS, WORKFLOWS):
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def conf_of(world: Facility, workflow: str) -> dict[str, Any]:
    """Return what the launcher would give to the run."""
    token = world.tokens.issue(world.token_user, EXPERIMENT, lifetime_min=world.token_lifetime_min)
    env = {
        "LUTE_SITE": str(SITE),
        "EXPERIMENT": EXPERIMENT,
        "RUN_NUM": RUN,
        "Authorization": f"Bearer {token}",
        "ARP_JOB_ID": f"{1:024x}",
    }
    argv = ["-c", str(CONFIG), "-w", workflow, *world.scenario.slurm_args]
    return build_conf(parse_launch_arguments(argv), env, load_settings(env), world.runtime()).to_conf()


def seen(world: Facility, run: str, tasks: dict[str, list[Any]], xcoms: dict[str, dict[str, Any]]) -> Seen:
    """Put together what is looked at."""
    journal: dict[str, list[str]] = {}
    for task, what in sys.modules["contract_parts"].JOURNAL:
        if what != "trigger cleanup":  # which `dag.test()` leaves out
            journal.setdefault(task, []).append(what)
    jobs = {task: len(ids) for task, ids in world.jobs.by_task.items()}
    known = {label: {key: _shown(value) for key, value in of.items()} for label, of in xcoms.items() if of}
    return Seen(run, tasks, known, journal, jobs)


def _shown(value: Any) -> Any:
    """Return a value as JSON has it, without job ids; what JSON has not, as Python's text."""
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _shown(item) for key, item in value.items()}
    if not isinstance(value, str):
        return value if value is None or isinstance(value, bool | int) else repr(value)
    value = re.sub(r'"tool_id": "\d+"', '"tool_id": "#"', value)
    value = re.sub(r"\d{4}-\d\d-\d\d[T_]\d\d[-:]\d\d[-:]\d\d", "(time)", value)
    return re.sub(r"(?i)(job |_)\d+\b(?!:)", r"\1#", value)
