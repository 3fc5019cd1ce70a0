"""A stand-in for scripts/submit_slurm.sh, for worlds without processes. Pure.

`tests/contract/submit_script` runs the same cases over this and over the script itself. What the stand-in
leaves out: the site file with its environment script, and symbolic links.
"""

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from simulators.jid.submit_once import Once

USAGE = """\
usage: submit_slurm.sh -c CONFIG -t TASK [--debug] [--submission-id ID --try N] SLURM_ARGS...

  -c, --config CONFIG   YAML file with the Tasks' parameters
  -t, --task TASK       managed Task to run (--taskname is accepted too)
  --debug               more messages
  --submission-id ID    RUN/TASK/INDEX: submit it once, however often it is asked for
  --try N               which try of it; a later one goes on with a job that runs or has succeeded
  --cleared-at N        the tries up to N are to be done again
  --known-job JOB       only tell how JOB, which is this try's, is now
  --cancel              cancel this try instead, now and for ever
  -h, --help            this text

All other arguments go to sbatch as they are.
"""
NAME = "submit_slurm.sh"
_NAME = "[A-Za-z0-9_~:+%@=-][A-Za-z0-9_.~:+%@=-]*"


@dataclass(frozen=True)
class Submission:
    """The call of sbatch with which the script ends, and what it printed before.

    Attributes:
        argv: of sbatch, its name included.
        env: the whole environment of sbatch.
        stderr: warnings.
        once: how to submit it once; None for submitting it at each call.
    """

    argv: tuple[str, ...]
    env: dict[str, str]
    stderr: str
    once: Once | None = None


@dataclass(frozen=True)
class Refusal:
    """The script's end without a submission."""

    exit_code: int
    stdout: str = ""
    stderr: str = ""


class _WrongUse(Exception):
    """The arguments are not the script's; the text says why."""


@dataclass
class _Given:
    """What the arguments say."""

    config: str = ""
    task: str = ""
    submission: str = ""
    number: str = "1"
    cleared_at: str = "0"
    known_job: str = ""
    cancel: bool = False
    task_args: tuple[str, ...] = ()
    slurm_args: tuple[str, ...] = ()
    wants_help: bool = False


def submit(
    argv: Sequence[str],
    env: Mapping[str, str],
    now: datetime,
    *,
    cwd: str,
    is_file: Callable[[str], bool] = lambda _path: True,
) -> Submission | Refusal:
    """Return what the script would do.

    Args:
        argv: the script's absolute path, which tells where LUTE lies, and its arguments.
        now: the time, in the zone of the computer it runs on.
        cwd: the working directory, absolute.
        is_file: tells whether there is a file at an absolute path.
    """
    try:
        given = _read(argv[1:])
        if given.wants_help:
            return Refusal(0, stdout=USAGE)
        _check(given)
    except _WrongUse as wrong:
        return _refusal(wrong)
    # The shell's $(...) drops line ends at the end of a path.
    config = _normal(posixpath.join(cwd, given.config)).rstrip("\n")
    no_config = None if is_file(config) else _refusal(f"there is no configuration file {config}")
    if no_config and not given.submission:
        return no_config
    scripts = posixpath.dirname(_normal(argv[0]))
    changed = _environment(env, posixpath.dirname(scripts), cwd)
    log = _log_file(given.task, changed, now)
    options = (f"--job-name={given.task}", f"--output={log}", f"--error={log}")
    job: tuple[str, ...] = (f"{scripts}/job_task.sh", scripts)
    once = None
    slurm_args = given.slurm_args
    if given.submission:
        once = Once(
            given.submission,
            int(given.number),
            int(given.cleared_at),
            known_job=given.known_job,
            cancel=given.cancel,
            refusal=no_config.stderr if no_config else "",
        )
        records = env.get("LUTE_SUBMISSIONS_DIR") or f"{cwd}/.lute/submissions"
        record = f"{records}/{once.submission}/try-{once.number}"
        slurm_args += (f"--comment={once.mark(once.number)}",)
        job += ("--record", record, once.submission, str(once.number))
    words = ("sbatch", *options, *slurm_args, *job, "-c", config, "-t", given.task, *given.task_args)
    return Submission(words, changed, _warnings(given.slurm_args, env), once)


def _read(words: Sequence[str]) -> _Given:
    given = _Given()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in ("-c", "--config", "-t", "--task", "--taskname"):
            if not rest:
                raise _WrongUse(f"{word} needs a value")
            value = rest.pop(0)
            if word in ("-c", "--config"):
                given.config = value
            else:
                given.task = value
        elif word in ("--submission-id", "--try", "--cleared-at", "--known-job"):
            if not rest:
                raise _WrongUse(f"{word} needs a value")
            value = rest.pop(0)
            if word == "--submission-id":
                given.submission = value
            elif word == "--try":
                given.number = value
            elif word == "--known-job":
                given.known_job = value
            else:
                given.cleared_at = value
        elif word == "--cancel":
            given.cancel = True
        elif equals and name == "--config":
            given.config = value
        elif equals and name in ("--task", "--taskname"):
            given.task = value
        elif word == "--debug":
            given.task_args += (word,)
        elif word in ("-h", "--help"):
            given.wants_help = True
            break
        else:
            given.slurm_args += (word,)
    return given


def _refusal(why: object) -> Refusal:
    return Refusal(2, stderr=f"{NAME}: error: {why}\n{USAGE}")


def _check(given: _Given) -> None:
    if not given.config:
        raise _WrongUse("-c CONFIG is missing")
    if not given.task:
        raise _WrongUse("-t TASK is missing")
    if not re.fullmatch("[A-Za-z0-9_]+", given.task):
        raise _WrongUse(f"'{given.task}' is not the name of a managed Task")
    for value, pattern in ((given.number, "[1-9][0-9]{0,3}"), (given.cleared_at, "0|[1-9][0-9]{0,3}")):
        if not re.fullmatch(pattern, value):
            raise _WrongUse(f"'{value}' is not the number of a try")
    if not re.fullmatch("[0-9]*", given.known_job):
        raise _WrongUse(f"'{given.known_job}' is not the number of a job")
    if given.submission and not re.fullmatch(f"{_NAME}/{_NAME}/{_NAME}", given.submission):
        raise _WrongUse(f"'{given.submission}' is not RUN/TASK/INDEX")
    if (given.cancel or given.known_job) and not given.submission:
        raise _WrongUse("--cancel and --known-job need --submission-id")


def _normal(path: str) -> str:
    """Return an absolute path without `..`, `.` and needless slashes, as `realpath -m` does."""
    return "/" + posixpath.normpath(path).lstrip("/")


def _warnings(slurm_args: Sequence[str], env: Mapping[str, str]) -> str:
    lines = ""
    for name, prefixes, variable in (
        ("partition", ("-p", "--part"), "SBATCH_PARTITION"),
        ("account", ("-A", "--acc"), "SBATCH_ACCOUNT"),
    ):
        if not env.get(variable) and not any(word.startswith(prefixes) for word in slurm_args):
            lines += f"{NAME}: warning: no --{name} given: S3DF needs one\n"
    return lines


def _environment(env: Mapping[str, str], lute: str, cwd: str) -> dict[str, str]:
    """Return the environment that sbatch gets: without an enclosing job, with the run's number alone."""
    kept = {
        name: value
        for name, value in env.items()
        if name == "SLURM_CONF" or not re.fullmatch("SLURM_[A-Za-z0-9_]*", name)
    }
    path = env.get("PYTHONPATH")
    kept["PYTHONPATH"] = f"{lute}:{path}" if path else lute
    kept["PWD"] = cwd
    run = env.get("RUN_NUM") or env.get("RUN")
    if run:
        kept["RUN"] = run.partition("_")[0]
    return kept


def _log_file(task: str, env: Mapping[str, str], now: datetime) -> str:
    run = (env.get("RUN_NUM") or env.get("RUN") or "0").partition("_")[0]
    number = int(run) if re.fullmatch("[0-9]+", run) else 0
    return f"{task}_{env.get('EXPERIMENT') or 'none'}_r{number:04d}_{now:%Y-%m-%d_%H-%M-%S}_%J.out"
