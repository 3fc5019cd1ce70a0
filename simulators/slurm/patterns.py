"""File name patterns of `--output`, `--error` and `--input`, for batch jobs (measured)."""

import re
from pathlib import PurePosixPath

from simulators.slurm.state import Job

DEFAULT_OUTPUT = "slurm-%j.out"


def expand(pattern: str, job: Job, host: str) -> str:
    """Return `pattern` with the values of `job`, as an absolute path in its working directory.

    Unknown letters are kept. A backslash anywhere switches all expansion off (manual page).

    Args:
        host: short name of the computer that runs the script: that, not the node's name, is `%N`.
    """
    if "\\" in pattern:
        text = pattern.replace("\\", "")
    else:
        values = {
            **dict.fromkeys("jAJ", str(job.id)),
            "x": job.request.name,
            "u": job.request.person.user,
            "N": host,
            "a": "4294967294",
            "n": "0",
            "t": "0",
            "s": "batch",
            "%": "%",
        }

        def replace(match: re.Match[str]) -> str:
            width, letter = match.groups()
            if letter not in values:
                return match.group()
            value = values[letter]
            return value.zfill(min(int(width), 10)) if width and letter in "jAJant" else value

        text = re.sub(r"%([0-9]*)(.)", replace, pattern, flags=re.ASCII | re.DOTALL)
    return str(PurePosixPath(job.request.work_dir) / text)


def stdout_path(job: Job, host: str) -> str:
    """Return where the standard output of `job` goes."""
    return expand(job.request.stdout or DEFAULT_OUTPUT, job, host)


def stderr_path(job: Job, host: str) -> str:
    """Return where the standard error of `job` goes: with the output, unless asked otherwise."""
    return expand(job.request.stderr, job, host) if job.request.stderr else stdout_path(job, host)


def stdin_path(job: Job, host: str) -> str:
    """Return where the standard input of `job` comes from."""
    return expand(job.request.stdin, job, host) if job.request.stdin else "/dev/null"
