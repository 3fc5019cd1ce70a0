"""`squeue --json`: all jobs in memory, whatever the filters say (measured, openapi v0.0.38)."""

import json
from pathlib import PurePosixPath
from typing import Any

from simulators.slurm import dependency
from simulators.slurm.commands.fields import View, end_time_s, limit_min, num_nodes, start_time_s
from simulators.slurm.hostlist import compress
from simulators.slurm.job import Job
from simulators.slurm.request import UNLIMITED_MIN


def jobs_document(view: View) -> str:
    """Return the document."""
    document = {
        "meta": {
            "plugin": {"type": "openapi/v0.0.38", "name": "Slurm OpenAPI v0.0.38"},
            "Slurm": {"version": {"major": 22, "micro": 8, "minor": 5}, "release": "22.05.8"},
        },
        "errors": [],
        "jobs": [_job(job, view) for job in view.cluster.jobs.values()],
    }
    return json.dumps(document, indent=2) + "\n"


def _job(job: Job, view: View) -> dict[str, Any]:
    request, array = job.request, job.array
    limit = limit_min(job, view.cluster)
    shown_dependency = dependency.show(job, view.cluster.jobs)
    return {
        "account": request.account,
        "array_job_id": array.job_id if array else 0,
        "array_task_id": array.task_id if array else None,
        "batch_host": job.node_names[0] if job.shares else "",
        "comment": request.comment,
        "command": "" if request.command == "(null)" else request.command,
        "cluster": view.cluster.name,
        "cpus": job.num_cpus,
        "current_working_directory": request.work_dir,
        "dependency": "" if shown_dependency == "(null)" else shown_dependency,
        "end_time": int(end_time_s(job, view.cluster) or 0),
        # raw wait status (measured: exit code 3 is 768, SIGTERM is 15)
        "exit_code": job.exit_code << 8 | job.exit_signal,
        "job_id": job.id,
        "job_state": job.state.value,
        "name": request.name,
        "node_count": num_nodes(job, view.cluster),
        "nodes": compress(job.node_names),
        "partition": job.partition,
        "priority": job.priority,
        "requeue": request.requeue if request.requeue is not None else view.cluster.conf.job_requeue,
        "restart_cnt": job.restarts,
        "standard_error": request.stderr or "",
        "standard_output": str(PurePosixPath(request.work_dir) / request.stdout) if request.stdout else "",
        "start_time": int(start_time_s(job) or 0),
        "state_reason": job.reason,
        "submit_time": int(job.submit_s),
        "tasks": job.num_tasks,
        "time_limit": None if limit == UNLIMITED_MIN else limit,
        "user_id": request.person.uid,
        "user_name": request.person.user,
    }
