"""Real processes under a clock that the test moves: time limits without waiting for them."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lute.slurm.states import SlurmState
from simulators.slurm.controller import Controller
from simulators.slurm.processes import ProcessLauncher
from simulators.slurm.request import JobRequest
from simulators.slurm.state import DEFAULT_PARTITIONS, new_cluster
from tests.simulators.slurm.world import ME


async def run_past_its_limit(folder: Path, command: str) -> str:
    """Start a job of one minute, let two minutes pass once it is ready, and return how it ended."""
    moment = datetime(2026, 11, 22, 10, 4, 27, tzinfo=UTC)
    cluster = new_cluster(DEFAULT_PARTITIONS)
    launcher = ProcessLauncher(
        folder / "spool", cluster, "vm", lambda: moment, site_env={"PATH": "/usr/bin:/bin"}, kill_wait_s=0.3
    )
    controller = launcher.controller = Controller(cluster, lambda: moment, launcher)
    ended = asyncio.Event()
    controller.on_end.append(lambda _: ended.set())
    job = controller.submit(
        JobRequest(
            name="long",
            script=f"#!/bin/sh\n{command}\ntouch ready\nsleep 600 & wait\nsleep 600\n",
            person=ME,
            partitions=("milano",),
            work_dir=str(folder),
            time_limit_min=1,
        )
    )
    async with asyncio.timeout(20):
        while not (folder / "ready").exists():
            await asyncio.sleep(0.01)
        controller.tick()
        assert job.state is SlurmState.RUNNING
        moment += timedelta(minutes=2)
        controller.tick()
        await ended.wait()
    await launcher.close()
    return f"{job.state} {job.reason} {job.exit_code}:{job.exit_signal}"


def test_out_of_time(tmp_path: Path) -> None:
    assert asyncio.run(run_past_its_limit(tmp_path, ":")) == "TIMEOUT TimeLimit 0:15"
    text = (tmp_path / "slurm-1.out").read_text()
    assert text.startswith("slurmstepd: error: *** JOB 1 ON sdfmilan001 CANCELLED AT 2026-11-22T")
    assert text.endswith(" DUE TO TIME LIMIT ***\n")


def test_out_of_time_and_deaf_to_sigterm(tmp_path: Path) -> None:
    assert asyncio.run(run_past_its_limit(tmp_path, "trap '' TERM")) == "TIMEOUT TimeLimit 0:9"
    assert not list((tmp_path / "spool").glob("job*"))


def test_stopped_before_it_has_a_process(tmp_path: Path) -> None:
    async def run() -> SlurmState:
        cluster = new_cluster(DEFAULT_PARTITIONS)
        launcher = ProcessLauncher(
            tmp_path / "spool", cluster, "vm", lambda: datetime(2026, 11, 22, tzinfo=UTC), site_env={}
        )
        controller = launcher.controller = Controller(
            cluster, lambda: datetime(2026, 11, 22, tzinfo=UTC), launcher
        )
        request = JobRequest(
            "n", "#!/bin/sh\n/usr/bin/touch ran\n", ME, partitions=("milano",), work_dir=str(tmp_path)
        )
        job = controller.submit(request)
        controller.cancel(job.id)
        async with asyncio.timeout(20):
            while not job.state.is_final:
                await asyncio.sleep(0.01)
        return job.state

    assert asyncio.run(run()) is SlurmState.CANCELLED
    assert not (tmp_path / "ran").exists()
