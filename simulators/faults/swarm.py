"""Drawing a run from a seed: first which kinds of fault exist at all and how strong, then the faults.

A world in which everything fails a little finds less than many worlds in each of which few things fail
often: so each seed switches most kinds off (swarm testing).
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from simulators.faults.kinds import parse_fault
from simulators.kernel.seeds import Seeds
from simulators.scenario.schema import ClusterModel, Scenario, TaskModel

Maker = Callable[[Random, Sequence[str]], dict[str, Any]]

_RUN_S = (60.0, 200.0, 400.0)
"""Faults at a time of their own begin within so many seconds: most runs last as long."""
_DEADLINE_S = 3 * 3600.0
"""No run needs longer, whatever of this happens to it."""
_NEVER_S = 24 * 3600.0
_POLLED = ("jid.job_statuses", "jid.job_log_file")
_BODIES = ("html", "empty", "null", "not_utf8", "no_value", "wrong_types", "truncated")


def _task(draw: Random, tasks: Sequence[str]) -> dict[str, Any]:
    return {"task": draw.choice(tasks)}


def _window(draw: Random, longest_s: float) -> dict[str, Any]:
    return {
        "at_s": _when(draw),
        "for_s": round(draw.uniform(1, longest_s), 1),
        "calls": None,
    }


def _when(draw: Random) -> float:
    """Return a moment of a run, in seconds after its start; runs differ in length."""
    return round(draw.uniform(0, draw.choice(_RUN_S)), 1)


def _moment(draw: Random, tasks: Sequence[str], *moments: str) -> dict[str, Any]:
    return {
        **_task(draw, tasks),
        "after": draw.choice(moments),
        "delay_s": round(draw.choice([0.0, draw.uniform(0, 2), draw.uniform(0, 30)]), 2),
    }


def _calls(draw: Random) -> dict[str, Any]:
    return {"call": draw.randint(1, 12), "calls": draw.randint(1, 4)}


MAKERS: Mapping[str, Maker] = {
    "jid_down": lambda draw, _: {"what": "refused", "where": "jid.*", **_window(draw, 300)},
    "airflow_down": lambda draw, _: {"what": "refused", "where": "airflow.*", **_window(draw, 300)},
    "poll_reset": lambda draw, tasks: {
        "what": "reset", "where": draw.choice(_POLLED), **_task(draw, tasks), **_calls(draw),
        "direction": draw.choice(["before", "after"]),
    },
    "poll_timeout": lambda draw, tasks: {
        "what": "timeout", "where": draw.choice(_POLLED), **_task(draw, tasks), **_calls(draw),
        "direction": draw.choice(["before", "after"]),
    },
    "poll_error": lambda draw, tasks: {
        "what": "http_error", "where": draw.choice(_POLLED), **_task(draw, tasks), **_calls(draw),
        "status": draw.choice([429, 500, 502, 503, 504]), "body": draw.choice(["html", "json", "empty"]),
    },
    "poll_malformed": lambda draw, tasks: {
        "what": "malformed", "where": "jid.job_statuses", **_task(draw, tasks), **_calls(draw),
        "body": draw.choice(_BODIES),
    },
    "poll_slow": lambda draw, tasks: {
        "what": "slow", "where": "jid.*", **_task(draw, tasks), **_calls(draw),
        "delay_s": round(draw.uniform(1, 25), 1),
    },
    "airflow_error": lambda draw, _: {
        "what": "http_error", "where": draw.choice(["airflow.list_task_instances", "airflow.get_run"]),
        **_calls(draw), "status": draw.choice([500, 502, 503]),
    },
    "airflow_reset": lambda draw, _: {
        "what": "reset", "where": "airflow.*", **_calls(draw), "direction": draw.choice(["before", "after"]),
    },
    "status_word": lambda draw, tasks: {
        "what": "status_word", **_task(draw, tasks), "call": draw.randint(1, 12),
        "calls": draw.choice([1, 3, None]),
        "word": draw.choice(["PENDING", "COMPLETED", "", "weird", "done"]),
    },
    "empty_list": lambda draw, tasks: {
        "what": "empty_list", **_task(draw, tasks), "call": draw.randint(1, 12),
        "calls": draw.choice([1, 3, None]),
    },
    "stale_status": lambda draw, tasks: {"what": "stale_status", **_task(draw, tasks), **_calls(draw)},
    "slurm_refusal": lambda draw, tasks: {
        "what": "refusal", "where": "jid.job_statuses", **_task(draw, tasks), **_calls(draw),
    },
    "lost_submit": lambda draw, tasks: {
        "what": draw.choice(["reset", "timeout"]), "where": "jid.start_job", **_task(draw, tasks),
        "direction": draw.choice(["before", "after"]),
    },
    "submit_error": lambda draw, tasks: {
        "what": "http_error", "where": "jid.start_job", **_task(draw, tasks),
        "status": draw.choice([429, 500, 502, 503]), "direction": draw.choice(["before", "after"]),
    },
    "controller_down": lambda draw, _: {
        "what": "controller_down", "at_s": _when(draw),
        "for_s": round(draw.uniform(5, 200), 1),
    },
    "node_down": lambda draw, tasks: {"what": "node_down", **_moment(draw, tasks, "job_running")},
    "preempt": lambda draw, tasks: {"what": "preempt", **_moment(draw, tasks, "job_running")},
    "cancel": lambda draw, tasks: {"what": "cancel", **_moment(draw, tasks, "submitted", "job_running")},
    "vanish": lambda draw, tasks: {"what": "vanish", **_moment(draw, tasks, "job_running", "job_ended")},
    "log": lambda draw, tasks: {
        "what": "log", **_task(draw, tasks), "size_mib": 1.0,
        "content": draw.choice(["missing", "empty", "huge", "not_utf8", "nul"]),
    },
    "disk_full": lambda draw, _: {"what": "disk_full", "at_s": _when(draw)},
    "scheduler_restart": lambda draw, _: {
        "what": "scheduler_restart", "at_s": _when(draw),
        "for_s": round(draw.uniform(5, 200), 1),
    },
    "mark_task": lambda draw, tasks: {
        "what": "mark_task", **_moment(draw, tasks, "running", "submitted", "remembered", "job_running"),
    },
    "mark_run": lambda draw, tasks: {"what": "mark_run", **_moment(draw, tasks, "remembered", "job_running")},
    "clear_task": lambda draw, tasks: {
        "what": "clear_task", **_moment(draw, tasks, "remembered", "job_running"),
    },
    "worker_killed": lambda draw, tasks: {
        "what": "worker_killed", **_moment(draw, tasks, "running", "submitted", "job_running"),
        "whole": draw.choice(["host", "process"]),
    },
    "launcher_signal": lambda draw, _: {
        "what": "launcher_signal", "at_s": _when(draw),
        "signal": draw.choice(["SIGTERM", "SIGINT", "SIGHUP"]),
    },
    "launcher_killed": lambda draw, _: {
        "what": "launcher_signal", "at_s": _when(draw), "signal": "SIGKILL",
    },
    "launcher_time_limit": lambda draw, _: {"what": "launcher_time_limit", "at_s": _when(draw)},
    "partition_down": lambda draw, _: {
        "what": "partition_down", "at_s": _when(draw), "for_s": round(draw.uniform(5, 300), 1),
    },
    "triggerer_restart": lambda draw, _: {
        "what": "triggerer_restart", "at_s": _when(draw), "for_s": round(draw.uniform(5, 200), 1),
    },
    "delete_run": lambda draw, tasks: {
        "what": "delete_run", **_moment(draw, tasks, "remembered", "job_running"),
    },
    "duplicate_poll": lambda draw, tasks: {
        "what": "duplicate", "where": draw.choice(_POLLED), **_task(draw, tasks), **_calls(draw),
    },
    "duplicate_submit": lambda draw, tasks: {
        "what": "duplicate", "where": "jid.start_job", **_task(draw, tasks),
    },
    "socket_timeout": lambda draw, tasks: {
        "what": "socket_timeout", **_moment(draw, tasks, "running"), "delay_s": 0.0,
        "accepted": draw.random() < 0.5,
    },
    "wrong_user": lambda _draw, _tasks: {"what": "wrong_user"},
    "dag_import_error": lambda _draw, _tasks: {"what": "dag_import_error"},
    "short_token": lambda draw, _: {"what": "short_token", "lifetime_min": round(draw.uniform(1, 6), 2)},
    "dag_paused": lambda _draw, _tasks: {"what": "dag_paused"},
}  # fmt: skip
"""Kind of trouble -> what draws one fault of it."""

EARLY_PURGE = "early_purge"
"""No fault but a cluster that forgets ended jobs soon, as real ones do after MinJobAge, 300 s by default."""

NOT_YET: frozenset[str] = frozenset()
"""What production does not survive yet: left out unless asked for."""


def draw_scenario(
    seed: int, workflow: str, tasks: Sequence[str], kinds: Sequence[str], caps: Mapping[str, int]
) -> Scenario:
    """Return the scenario that belongs to a seed.

    Args:
        tasks: labels of the workflow's tasks.
        kinds: the kinds of trouble that may exist, names of `MAKERS` or `EARLY_PURGE`.
        caps: task -> most cores that its operator allows; the Slurm arguments go beyond them.
    """
    seeds = Seeds(seed)
    options = seeds.stream("swarm.options")
    share = options.choice([0.0, 0.1, 0.2, 0.4])
    enabled = [kind for kind in kinds if options.random() < share]
    forgets = EARLY_PURGE in enabled
    enabled = [kind for kind in enabled if kind != EARLY_PURGE]
    count = options.choice([1, 2, 3, 5, 8]) if enabled else 0
    faults = []
    for number in range(count):
        draw = seeds.stream(f"swarm.fault.{number}")
        faults.append(parse_fault(MAKERS[draw.choice(enabled)](draw, tasks)))
    is_short = any(fault.what == "short_token" for fault in faults)
    return Scenario(
        name=f"swarm-{seed}",
        workflow=workflow,
        # Only there the launcher can renew it; half of the other runs have it, too.
        token_channel="variable" if is_short else seeds.stream("swarm.token").choice(["conf", "variable"]),
        slurm_args=_slurm_args(seeds.stream("swarm.arguments"), max(caps.values(), default=4)),
        cluster=ClusterModel(min_job_age_s=options.uniform(2, 300) if forgets else _NEVER_S),
        retries=options.choice([0, 0, 0, 1, 2]),
        deferrable=seeds.stream("swarm.form").choice([False, True]),
        retry_delay_s=options.choice([0.0, 30.0, 300.0]),
        tasks=_task_models(seeds.stream("swarm.tasks"), tasks),
        faults=tuple(faults),
        deadline_s=_DEADLINE_S,
    )


def _slurm_args(draw: Random, cap: int) -> tuple[str, ...]:
    """Return Slurm arguments in one of the many ways to write them; some ask for more than the cap."""
    tasks = draw.choice([1, 4, cap, cap + 1, 128])
    ways = (
        [f"--ntasks={tasks}"], ["--ntasks", str(tasks)], ["-n", str(tasks)], [f"-n{tasks}"],
        ["--ntasks=3", f"--ntasks={tasks}"],
        [f"--ntasks={max(1, tasks // 2)}", "--cpus-per-task=2"],
    )  # fmt: skip
    return ("--partition=milano", "--account=lcls:virtual", *draw.choice(ways))


def _task_models(draw: Random, tasks: Sequence[str]) -> dict[str, tuple[TaskModel, ...]]:
    """Return what the jobs do: most succeed, some fail in one of the ways in which jobs fail."""
    longest_s = draw.choice([5.0, 30.0, 120.0])
    models: dict[str, tuple[TaskModel, ...]] = {"*": (TaskModel(duration_s=(0.0, longest_s)),)}
    if draw.random() < 0.3:
        bad = draw.choice(
            [
                TaskModel(duration_s=5.0, exit_code=1),
                TaskModel(duration_s=5.0, signal=11),
                TaskModel(duration_s=5.0, out_of_memory=True),
                TaskModel(fails_to_launch=True),
                TaskModel(duration_s=60.0, ignores_term=True),
            ]
        )
        models[draw.choice(tasks)] = (bad, TaskModel(duration_s=10.0))
    return models
