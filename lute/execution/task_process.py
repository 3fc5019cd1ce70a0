"""The process of a Task: runs it and tells the Executor its result."""

import io
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from lute.errors import LuteError
from lute.execution.job import Job
from lute.execution.messages import Result, Started
from lute.execution.messenger import ChannelMessenger, RankMessenger
from lute.seams import Runtime
from lute.settings import environment
from lute.tasks.registry import registered_task
from lute.tasks.result import TaskResult, TaskStatus

_RANK_VARIABLES = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK")


def main(job_file: str) -> int:
    """Run the Task that a job file describes.

    Returns:
        Exit code: 0 when the Task completed, else 1.
    """
    job = Job.read(Path(job_file))
    # Whole lines, so that what the Task prints and what it reports as an error keep their order.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    messenger = _messenger(job, environment())
    try:
        task_class = registered_task(job.task).task_class()
        parameters = registered_task(job.task).parameters_class().model_validate(job.parameters)
        task = task_class(parameters, job.header, messenger, Runtime())
        messenger.send(Started(reports_result=task_class.reports_result))
        result = task.run()
    except LuteError as error:
        sys.stderr.write(f"error: {error}\n")
        result = TaskResult(TaskStatus.FAILED, str(error))
    except Exception as error:  # noqa: BLE001 - whatever a Task raises is its failure
        traceback.print_exc()
        result = TaskResult(TaskStatus.FAILED, f"{type(error).__name__}: {error}")
    message = _message(result)
    messenger.send(message)
    if message.status is TaskStatus.COMPLETED:
        return 0
    _end_other_ranks()
    return 1


def _end_other_ranks() -> None:
    """End the other processes of a parallel Task, which may wait for this one for ever; and this one."""
    mpi = sys.modules.get("mpi4py.MPI")
    if mpi is not None and mpi.Is_initialized() and mpi.COMM_WORLD.Get_size() > 1:
        mpi.COMM_WORLD.Abort(1)


def _messenger(job: Job, env: Mapping[str, str]) -> ChannelMessenger | RankMessenger:
    """Return the way to the Executor; of the processes that `mpirun` starts the first speaks for all."""
    if job.pipe is not None:
        # A program that replaces this process, or that it starts, has no business with the pipe.
        os.set_inheritable(job.pipe, False)
    elif any(env.get(variable, "0") != "0" for variable in _RANK_VARIABLES):
        return RankMessenger(job.address)
    return ChannelMessenger(job.pipe, job.address)


def _message(result: TaskResult) -> Result:
    try:
        # Checked here: the summary and payload are the Task's own, and may hold anything.
        return Result.model_validate(
            {"status": result.status, "summary": result.summary, "payload": result.payload}
        )
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        text = f"the Task's result cannot be passed on: {where}: {problem['msg']}"
        return Result(status=TaskStatus.FAILED, summary=text, payload={})
