"""The name under which one try of one step is submitted, so that it is never submitted twice.

`scripts/submission.sh` keeps a record per try, and marks the Slurm job with a comment that holds this name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

_LONGEST = 200


@dataclass(frozen=True)
class Submission:
    """One try of one step of one DAG run.

    Attributes:
        dag_id: of the DAG: two DAGs may have runs of the same id.
        map_index: -1 for a task that is not mapped.
        number: of the try, from 1.
        cleared_at: the tries up to this one are to be done again, because somebody cleared the task after
            it; 0 for none.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    number: int = 1
    cleared_at: int = 0

    def words(self, *, cancel: bool = False) -> Sequence[str]:
        """Return what the submit script's command line says of it."""
        name = f"{_run_name(self.dag_id, self.run_id)}/{_as_name(self.task_id)}/{self.map_index}"
        words = ["--submission-id", name, "--try", str(self.number)]
        if self.cleared_at:
            words += ["--cleared-at", str(self.cleared_at)]
        return [*words, "--cancel"] if cancel else words


def mark_prefix(dag_id: str, run_id: str) -> str:
    """Return how the comment of every job of a DAG run begins."""
    return f"lute:{_run_name(dag_id, run_id)}/"


def step_mark_prefix(dag_id: str, run_id: str, task_id: str, map_index: int) -> str:
    """Return how the comment of every job of a step begins."""
    return f"{mark_prefix(dag_id, run_id)}{_as_name(task_id)}/{map_index}:"


def _run_name(dag_id: str, run_id: str) -> str:
    return _as_name(f"{run_id}@{dag_id}")  # no id of a DAG has an @ in it


def _as_name(text: str) -> str:
    """Return a file name for any text, the text itself where that is one."""
    name = quote(text, safe="@")
    if name.startswith("."):
        name = f"%2E{name[1:]}"
    if len(name) > _LONGEST:
        name = f"{name[:100].rstrip('%')}~{sha256(text.encode()).hexdigest()[:16]}"
    return name
