"""Why a step failed, as far as its job and its log tell."""

import re

from lute.airflow_api.models import TaskState
from lute.execution.verdict import failure_message
from lute.launch.steps import Step
from lute.slurm.states import SlurmState

_BY_SLURM: dict[SlurmState, str] = {
    SlurmState.OUT_OF_MEMORY: "out of memory: ask for more (--mem, --mem-per-cpu) or fewer tasks per node",
    SlurmState.TIMEOUT: "its time limit: ask for more (--time)",
    SlurmState.DEADLINE: "its deadline in Slurm",
    SlurmState.NODE_FAIL: "its node failed: launch again",
    SlurmState.BOOT_FAIL: "its node did not start: launch again",
    SlurmState.PREEMPTED: "preempted by a job of more priority: launch again, or with another --qos",
    SlurmState.CANCELLED: "cancelled in Slurm, by a user or an administrator",
}
_IN_LOG: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), cause)
    for pattern, cause in (
        (r"oom[-_ ]?kill|out of memory|MemoryError|cannot allocate memory|bad_alloc", "out of memory"),
        (r"DUE TO TIME LIMIT", "its time limit: ask for more (--time)"),
        (r"DUE TO NODE FAILURE", "its node failed: launch again"),
        (r"DUE TO PREEMPTION", "preempted by a job of more priority: launch again"),
        (r"disk quota exceeded", "a disk quota: make room, or write elsewhere"),
        (r"no space left on device", "a full disk: make room, or write elsewhere"),
        (r"(?:ModuleNotFoundError: .*|ImportError: .*)", "a Python module is missing: {0}"),
        (r"error while loading shared libraries: (.*)", "a library is missing: {1}"),
        (r"(\S+): command not found", "a program is missing: {1}"),
        (r"(?:No such file or directory:? ?.*|FileNotFoundError: .*)", "a file is missing: {0}"),
        (r".*(?:Failed to read|Couldn't open file|truncated file).*", "a file cannot be read: {0}"),
        (r"Permission denied:? ?.*", "a permission is missing: {0}"),
        (r"bus error", "a bus error: often a full /dev/shm, or a file that became shorter"),
        (r"segmentation fault|segfault", "a crash of a program (segmentation fault)"),
        (r"Illegal instruction", "a program built for other processors: another --partition may help"),
        (r"MPI_ABORT was invoked|application called MPI_Abort", "an MPI rank gave up: its message is above"),
        (r"token.{0,20}expired", "the token expired: launch again"),
        (r"the JID refused the token", "the JID refused the token: launch again with a new one"),
        (r"sbatch: error: (.*)", "Slurm refused the job: {1}"),
        (r"DUE TO SIGNAL|CANCELLED AT", "cancelled in Slurm, by a user or an administrator"),
        (r"^\[no log: (.*)\]$", "{1}"),
    )
)
_OTHERS: dict[TaskState, str] = {
    TaskState.UPSTREAM_FAILED: "a step before it failed",
    TaskState.REMOVED: "no longer in the DAG file",
}
_UNTOLD = re.compile(r"ended with exit code \d+(?: \([^()]*\))?$|ended without a result$")
"""Verdicts of a Task whose log tells more than they do."""
_LONGEST, _LONGEST_OWN = 160, 400


def likely_cause(step: Step) -> str:
    """Return in a few words why a step failed; empty for one that did not, or where nothing tells."""
    if step.state is not TaskState.FAILED:
        return _OTHERS.get(step.state, "")
    state = step.slurm.state if step.slurm is not None else None
    if state in _BY_SLURM:
        return _BY_SLURM[state]
    message = failure_message(step.last_lines)
    own = "" if _UNTOLD.search(message) else " ".join(message.split())[:_LONGEST_OWN]
    return _from_log(message) or own or _from_log(step.last_lines) or message or _from_exit(step)


def exit_code(step: Step) -> str:
    """Return how the script of a step's job ended: a number, `signal N`, or empty where it has not."""
    job = step.slurm
    if job is None or job.state is None or not job.state.is_final:
        return ""
    code, _, number = job.exit_code.partition(":")
    return f"signal {number}" if number not in ("", "0") else code


def _from_log(text: str) -> str:
    # The last line that tells something: a traceback ends with what it is about.
    for line in reversed(text.splitlines()):
        for pattern, cause in _IN_LOG:
            if found := pattern.search(line):
                groups = [str(part or "") for part in (found[0], *found.groups())]
                return cause.format(*groups).strip()[:_LONGEST]
    return ""


def _from_exit(step: Step) -> str:
    code = exit_code(step)
    if code not in ("", "0"):
        return f"its script ended with {code if code.startswith('signal') else f'exit code {code}'}"
    if not step.has_spoken:
        return "stopped from outside: marked or killed in Airflow, or its worker died"
    return ""
