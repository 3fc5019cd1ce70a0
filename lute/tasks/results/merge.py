"""What merging gave: the reflections, and the two half sets that tell how good they are."""

from lute.errors import TaskFailed
from lute.io.header import Header
from lute.tasks.models.sfx import MergePartialatorParameters
from lute.tasks.result import TaskResult, TaskStatus
from lute.tasks.results.reflections import read_reflections

HALVES = ("1", "2")
"""What partialator puts behind the name of its output for each half set."""


def merging_result(parameters: MergePartialatorParameters, header: Header) -> TaskResult:
    """Return the figures of the reflections that MergePartialator wrote.

    Raises:
        TaskFailed: the merged set or a half set is missing, breaks off or is empty.
        OSError: one cannot be read.
    """
    merged = header.work_dir / parameters.out_file
    sets = [read_reflections(merged.with_name(merged.name + half)) for half in ("", *HALVES)]
    for half, reflections in zip(("", *HALVES), sets, strict=True):
        if not any(reflection.is_finite for reflection in reflections.values()):
            raise TaskFailed(
                f"{parameters.out_file}{half} has no reflection with an intensity",
                next_step="too few crystals, or 'min_measurements' "
                f"({parameters.min_measurements}), 'min_res' or 'push_res' leave none",
            )
    observations = sum(reflection.measurements for reflection in sets[0].values())
    return TaskResult(
        TaskStatus.COMPLETED,
        {
            "unique reflections": len(sets[0]),
            "observations": observations,
            "observations per reflection": round(observations / len(sets[0]), 1),
        },
    )
