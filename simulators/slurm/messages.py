"""What slurmstepd writes into a job's error output (measured)."""

from datetime import datetime, tzinfo

from simulators.slurm.conf import SlurmConf
from simulators.slurm.job import Job


def step_line(conf: SlurmConf, job: Job, text: str) -> str:
    """Return one line of slurmstepd."""
    prefix = conf.step_prefix.format(node=job.node_names[0])
    return f"{prefix}: error: {text}\n"


def cancelled_line(conf: SlurmConf, job: Job, now_s: float, cause: str, zone: tzinfo | None = None) -> str:
    """Return what a job's output says when Slurm ends it.

    Args:
        cause: empty, or starts with ` DUE TO`.
        zone: of the time in it; None for this computer's.
    """
    when = datetime.fromtimestamp(now_s).astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
    return step_line(conf, job, f"*** JOB {job.id} ON {job.node_names[0]} CANCELLED AT {when}{cause} ***")


def oom_line(conf: SlurmConf, job: Job) -> str:
    """Return what a job's output says when the kernel killed something of it for memory."""
    return step_line(
        conf,
        job,
        f"Detected 1 oom-kill event(s) in StepId={job.id}.batch. Some of your processes may have been killed"
        " by the cgroup out-of-memory handler.",
    )
