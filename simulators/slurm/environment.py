"""The environment of a batch job: what `--export` lets through, and Slurm's own variables (measured)."""

import re
from collections.abc import Mapping

from simulators.slurm.hostlist import compress, compress_counts
from simulators.slurm.job import Job
from simulators.slurm.request import JobRequest
from simulators.slurm.state import Cluster

LOGIN_PATH = "/usr/local/bin:/usr/bin:/bin"
"""PATH of a job that exports nothing (assumed: the login default of Debian)."""


def batch_environment(
    job: Job, cluster: Cluster, site: Mapping[str, str], login_path: str = LOGIN_PATH
) -> dict[str, str]:
    """Return the whole environment of the script of `job`, except SLURM_TASK_PID.

    Args:
        site: what every process of the cluster has, such as the way to the controller.
        login_path: PATH of a job that exports nothing.
    """
    env = {**exported(job.request, login_path), **site, **slurm_variables(job, cluster)}
    env.setdefault("TMPDIR", "/tmp")  # noqa: S108
    return {**env, "ENVIRONMENT": "BATCH", "HOSTNAME": job.node_names[0]}


def exported(request: JobRequest, login_path: str = LOGIN_PATH) -> dict[str, str]:
    """Return what the job sees of its submitter's environment.

    SLURM_* always come along, those of an enclosing job too (measured).
    """
    env, export = dict(request.env), request.export
    if export is None or export == "ALL":
        return env
    items = [item for item in re.findall(r"""((?:"[^"]*"|'[^']*'|[^,"'])+)""", export) if item]
    chosen: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if equals:
            chosen[name] = re.sub(r"""^(["'])(.*)\1$""", r"\2", value, flags=re.DOTALL)
        elif name == "ALL":
            chosen = {**env, **chosen}
        elif name in env and name not in ("NONE", "NIL"):
            chosen[name] = env[name]
    if "ALL" in items:
        return chosen
    person = request.person
    base = {
        "HOME": person.home,
        "USER": person.user,
        "LOGNAME": person.user,
        "SHELL": person.shell,
        "MAIL": f"/var/mail/{person.user}",
        "PATH": login_path,
        "SHLVL": "1",
    }
    slurm = {name: value for name, value in env.items() if name.startswith("SLURM_")}
    return {**base, **slurm, **chosen}


def slurm_variables(job: Job, cluster: Cluster) -> dict[str, str]:
    """Return the SLURM_* variables of the script of `job`."""
    request, geometry, person = job.request, job.request.geometry, job.request.person
    nodes, first = compress(job.node_names), job.shares[0]
    cpus = compress_counts(share.cpus for share in job.shares)
    variables = {
        "SLURMD_NODENAME": job.node_names[0],
        "SLURM_CLUSTER_NAME": cluster.name,
        "SLURM_CPUS_ON_NODE": str(first.cpus),
        "SLURM_GTIDS": "0",
        "SLURM_JOBID": str(job.id),
        "SLURM_JOB_ID": str(job.id),
        "SLURM_JOB_CPUS_PER_NODE": cpus,
        "SLURM_JOB_GID": str(person.gid),
        "SLURM_JOB_NAME": request.name,
        "SLURM_JOB_NODELIST": nodes,
        "SLURM_NODELIST": nodes,
        "SLURM_JOB_NUM_NODES": str(len(job.shares)),
        "SLURM_NNODES": str(len(job.shares)),
        "SLURM_JOB_PARTITION": job.partition,
        "SLURM_JOB_UID": str(person.uid),
        "SLURM_JOB_USER": person.user,
        "SLURM_LOCALID": "0",
        "SLURM_NODEID": "0",
        "SLURM_PROCID": "0",
        "SLURM_PRIO_PROCESS": "0",
        "SLURM_NODE_ALIASES": "(null)",
        "SLURM_SUBMIT_DIR": request.submit_dir,
        "SLURM_SUBMIT_HOST": request.submit_host,
        "SLURM_TASKS_PER_NODE": compress_counts(share.tasks for share in job.shares),
        "SLURM_TOPOLOGY_ADDR": job.node_names[0],
        "SLURM_TOPOLOGY_ADDR_PATTERN": "node",
        "SLURM_WORKING_CLUSTER": f"{cluster.name}:127.0.0.1:6817:9728:109",
    }
    if request.account:
        variables["SLURM_JOB_ACCOUNT"] = request.account
    if cluster.conf.accounting:
        variables["SLURM_JOB_QOS"] = request.qos or "normal"
    if job.restarts:
        variables["SLURM_RESTART_COUNT"] = str(job.restarts)
    if geometry.gpus_per_node:
        variables["SLURM_GPUS_ON_NODE"] = str(geometry.gpus_per_node)
    if geometry.ntasks is not None or geometry.ntasks_per_node is not None:
        # measured: without -n they are not set, so those of an enclosing job stay
        variables["SLURM_NTASKS"] = variables["SLURM_NPROCS"] = str(job.num_tasks)
    if geometry.cpus_per_task is not None:
        variables["SLURM_CPUS_PER_TASK"] = str(geometry.cpus_per_task)
    if geometry.ntasks_per_node is not None:
        variables["SLURM_NTASKS_PER_NODE"] = str(geometry.ntasks_per_node)
    if request.memory_env is not None:
        name, megabytes = request.memory_env
        variables[name] = str(megabytes)
    return variables | _array_variables(job)


def _array_variables(job: Job) -> dict[str, str]:
    array, spec = job.array, job.request.array
    if array is None or spec is None:
        return {}
    return {
        "SLURM_ARRAY_JOB_ID": str(array.job_id),
        "SLURM_ARRAY_TASK_ID": str(array.task_id),
        "SLURM_ARRAY_TASK_COUNT": str(len(spec.tasks)),
        "SLURM_ARRAY_TASK_MAX": str(spec.tasks[-1]),
        "SLURM_ARRAY_TASK_MIN": str(spec.tasks[0]),
        "SLURM_ARRAY_TASK_STEP": str(spec.step),
    }
