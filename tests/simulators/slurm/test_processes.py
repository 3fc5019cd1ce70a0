"""Real processes under a clock that the test moves: time limits without waiting for them."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lute.slurm.states import SlurmState
from simulators.kernel.events import Agenda
from simulators.slurm.conf import Latencies, SlurmConf
from simulators.slurm.controller import Controller
from simulators.slurm.job import Job
from simulators.slurm.processes import STEPD, ProcessLauncher
from simulators.slurm.request import JobRequest
from simulators.slurm.state import new_cluster
from tests.simulators.slurm.world import ME, START


def controller_of(folder: Path) -> tuple[Controller, ProcessLauncher]:
    """Return a controller that reacts at once, and its launcher."""
    cluster = new_cluster(SlurmConf(kill_wait_s=0.3, latencies=Latencies(background_s=0)))
    launcher = ProcessLauncher(folder / "spool", cluster, "vm", site_env={"PATH": "/usr/bin:/bin"})
    launcher.controller = Controller(cluster, Agenda(START.timestamp()), launcher)
    return launcher.controller, launcher


def request(folder: Path, script: str) -> JobRequest:
    """Return a job of one minute."""
    return JobRequest("n", script, ME, partitions=("milano",), work_dir=str(folder), time_limit_min=1)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def ended(job: Job) -> str:
    """Return how a job ended."""
    return f"{job.state} {job.reason} {job.exit_code}:{job.exit_signal}"


async def run_past_its_limit(folder: Path, command: str) -> str:
    """Start a job of one minute, let two minutes pass once it is ready, and return how it ended."""
    controller, launcher = controller_of(folder)
    job = controller.submit(
        request(folder, f"#!/bin/sh\n{command}\ntouch ready\nsleep 600 & wait\nsleep 600\n")
    )
    agenda = controller.agenda
    agenda.advance(agenda.now_s)
    await until((folder / "ready").exists)
    assert job.state is SlurmState.RUNNING
    agenda.advance(agenda.now_s + 120)
    await until(lambda: job.state.is_final)
    await launcher.close()
    return ended(job)


def test_out_of_time(tmp_path: Path) -> None:
    assert asyncio.run(run_past_its_limit(tmp_path, ":")) == "TIMEOUT TimeLimit 0:15"
    text = (tmp_path / "slurm-1.out").read_text()
    assert text.startswith("slurmstepd: error: *** JOB 1 ON sdfmilan001 CANCELLED AT 2026-11-22T")
    assert text.endswith(" DUE TO TIME LIMIT ***\n")


def test_out_of_time_and_deaf_to_sigterm(tmp_path: Path) -> None:
    assert asyncio.run(run_past_its_limit(tmp_path, "trap '' TERM")) == "TIMEOUT TimeLimit 0:9"
    assert not list((tmp_path / "spool").glob("job*"))


def test_stopped_before_it_has_a_process(tmp_path: Path) -> None:
    async def run() -> str:
        controller, _ = controller_of(tmp_path)
        job = controller.submit(request(tmp_path, "#!/bin/sh\n/usr/bin/touch ran\n"))
        controller.agenda.advance(controller.agenda.now_s)
        controller.cancel(job.id)
        await until(lambda: job.state.is_final)
        return ended(job)

    assert asyncio.run(run()) == "CANCELLED None 0:15"
    assert not (tmp_path / "ran").exists()


def test_a_stepd_that_is_killed_counts_as_a_killed_job(tmp_path: Path) -> None:
    async def run() -> str:
        controller, launcher = controller_of(tmp_path)
        job = controller.submit(request(tmp_path, "#!/bin/sh\ntouch ready\nsleep 600\n"))
        controller.agenda.advance(controller.agenda.now_s)
        await until((tmp_path / "ready").exists)
        stepd = int((tmp_path / "spool" / "job00001" / "stepd").read_text())
        os.kill(stepd, 9)
        await until(lambda: job.state.is_final)
        await launcher.close()
        return ended(job)

    assert asyncio.run(run()) == "FAILED JobLaunchFailure 0:9"


@pytest.mark.parametrize("left", ["nothing", "an order", "an order and a stepd"])
def test_a_job_whose_controller_died_at_its_start_runs_once(tmp_path: Path, left: str) -> None:
    async def run() -> str:
        first, launcher = controller_of(tmp_path)
        job = first.submit(request(tmp_path, "#!/bin/sh\necho x >>ran\n"))
        first.agenda.advance(first.agenda.now_s)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()  # the controller dies before it has done anything
        await asyncio.sleep(0)
        folder = tmp_path / "spool" / "job00001"
        if left != "nothing":
            launcher._prepare(launcher._runs[job.id])
        if left == "an order and a stepd":
            argv = [sys.executable, "-I", "-S", STEPD, folder]
            await asyncio.create_subprocess_exec(*argv, env={}, start_new_session=True)
        second = ProcessLauncher(tmp_path / "spool", first.cluster, "vm", site_env={"PATH": "/usr/bin:/bin"})
        second.controller = Controller(first.cluster, first.agenda, second)
        second.adopt(job)
        await until(lambda: job.state.is_final)
        return ended(job)

    assert asyncio.run(run()) == "COMPLETED None 0:0"
    assert (tmp_path / "ran").read_text() == "x\n"
