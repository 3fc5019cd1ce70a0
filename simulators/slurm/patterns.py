"""File name patterns of `--output`, `--error` and `--input`, for batch jobs (measured)."""

import re
from pathlib import PurePosixPath

from simulators.slurm.job import Job

DEFAULT_OUTPUT = "slurm-%j.out"
DEFAULT_ARRAY_OUTPUT = "slurm-%A_%a.out"
_NO_TASK = 4294967294


def expand(pattern: str, job: Job, host: str) -> str:
    """Return `pattern` with the values of `job`, as an absolute path in its working directory.

    Unknown letters are kept. A backslash anywhere switches all expansion off (manual page).

    Args:
        host: short name of the computer that runs the script: that, not the node's name, is `%N`.
    """
    if "\\" in pattern:
        return _absolute(pattern.replace("\\", ""), job)
    values = {**_shown_values(job), "J": str(job.id), "N": host, "n": "0", "t": "0", "s": "batch", "%": "%"}

    def replace(match: re.Match[str]) -> str:
        width, letter = match.groups()
        if letter not in values:
            return match.group()
        value = values[letter]
        return value.zfill(min(int(width), 10)) if width and letter in "jAJant" else value

    return _absolute(re.sub(r"%([0-9]*)(.)", replace, pattern, flags=re.ASCII | re.DOTALL), job)


def shown(pattern: str, job: Job) -> str:
    """Return `pattern` as `scontrol show job` does: only `%j %A %a %x %u` have their values (measured)."""
    values = _shown_values(job)
    text = re.sub(r"%(.)", lambda match: values.get(match[1], match[0]), pattern, flags=re.DOTALL)
    return _absolute(text, job)


def output_pattern(job: Job) -> str:
    """Return the pattern of the standard output of `job`."""
    return job.request.stdout or (DEFAULT_ARRAY_OUTPUT if job.array else DEFAULT_OUTPUT)


def error_pattern(job: Job) -> str:
    """Return the pattern of the standard error of `job`: with the output, unless asked otherwise."""
    return job.request.stderr or output_pattern(job)


def stdout_path(job: Job, host: str) -> str:
    """Return where the standard output of `job` goes."""
    return expand(output_pattern(job), job, host)


def stderr_path(job: Job, host: str) -> str:
    """Return where the standard error of `job` goes."""
    return expand(error_pattern(job), job, host)


def stdin_path(job: Job, host: str) -> str:
    """Return where the standard input of `job` comes from."""
    return expand(job.request.stdin, job, host) if job.request.stdin else "/dev/null"


def _shown_values(job: Job) -> dict[str, str]:
    array = job.array
    task = array.task_id if array and array.task_id is not None else _NO_TASK
    return {
        "j": str(job.id),
        "A": str(array.job_id if array else job.id),
        "a": str(task),
        "x": job.request.name,
        "u": job.request.person.user,
    }


def _absolute(text: str, job: Job) -> str:
    return str(PurePosixPath(job.request.work_dir) / text)
