"""The Task in the processes that the Executor starts: one, or several by `mpirun`."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lute.errors import ConfigError
from lute.execution.inbox import Inbox
from lute.execution.messages import Message, Result
from lute.execution.messenger import RankMessenger
from lute.execution.mpi import MPIExecutor
from lute.io.config import load_config
from lute.tasks.result import TaskStatus

SPOTS = tuple(12 if event % 3 else 0 for event in range(40))
HITS = [event for event, spots in enumerate(SPOTS) if spots]


@pytest.fixture
def executor(tmp_path: Path) -> Callable[..., MPIExecutor]:
    """Return what makes an Executor for a number of processes, with an output of its own."""

    def make(tasks: str | None = None, section: str = "", **env: str) -> MPIExecutor:
        config = tmp_path / "config.yaml"
        config.write_text(
            f"experiment: xpptest123\nrun: 12\nwork_dir: {tmp_path}/work\ntask_timeout: 60\n---\n"
            "FindPeaksPyAlgos: {det_name: Rayonix, tag: t, photon_energy_eV: 9500, "
            f"pedestal_file: {tmp_path}/pedestals.npy, {section}}}\n"
        )
        variables = dict(os.environ) | {"SIT_PSDM_DATA": f"{tmp_path}/data"} | env
        # As in a job of Slurm whose `srun` must not be called.
        variables |= {"SLURM_JOB_ID": "5", "SLURM_NODELIST": "node1", "SLURM_JOB_NODELIST": "node1"}
        variables |= {"SLURM_NTASKS": tasks} if tasks is not None else {}
        return MPIExecutor(
            "FindPeaksPyAlgos",
            managed_task="PeakFinderPyAlgos",
            config=load_config(config, {}),
            env=variables,
            stdout=os.open(tmp_path / "stdout", os.O_CREAT | os.O_WRONLY | os.O_TRUNC),
        )

    return make


def stdout(tmp_path: Path) -> str:
    return (tmp_path / "stdout").read_text()


# How many processes


@pytest.mark.parametrize("tasks", [None, "1", "2"])
def test_few_processes_are_one_and_need_no_mpirun(
    executor: Callable[..., MPIExecutor], tasks: str | None
) -> None:
    assert "mpirun" not in " ".join(executor(tasks, PATH="/nowhere").command(Path("job")))


def test_mpirun_is_that_beside_this_python_or_that_of_the_path(
    executor: Callable[..., MPIExecutor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("beside", "path"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mpirun").touch(0o755)
    monkeypatch.setattr(sys, "executable", f"{tmp_path}/beside/python")
    with_path = executor("3", PATH=f"{tmp_path}/path")
    assert with_path.command(Path("job"))[:3] == [f"{tmp_path}/beside/mpirun", "-n", "3"]
    (tmp_path / "beside" / "mpirun").unlink()
    assert with_path.command(Path("job"))[:3] == [f"{tmp_path}/path/mpirun", "-n", "3"]
    with pytest.raises(ConfigError, match="there is no mpirun beside"):
        executor("3", PATH="/nowhere").run()


@pytest.mark.parametrize("tasks", ["many", "0", "-1", ""])
def test_what_is_no_number_of_processes(executor: Callable[..., MPIExecutor], tasks: str) -> None:
    with pytest.raises(ConfigError, match=f"SLURM_NTASKS is '{tasks}'"):
        executor(tasks).run()


def test_help_and_the_executor_import_no_psana(executor: Callable[..., MPIExecutor], tmp_path: Path) -> None:
    executor()
    for code in (
        "import lute.help; lute.help.main(['-t', 'FindPeaksPyAlgos'])",
        f"from lute.run_task import main; main(['-c', '{tmp_path}/config.yaml', '-t', 'PeakFinderPyAlgos'])",
        "from lute.tasks.registry import TASKS; TASKS['FindPeaksPyAlgos'].task_class()",
    ):
        code += "\nimport sys; print({'psana', 'mpi4py', 'h5py'} & sys.modules.keys())"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert done.stdout.splitlines()[-1] == "set()", done.stderr


def test_the_other_processes_tell_progress_and_failures_only(tmp_path: Path) -> None:
    import numpy as np

    told: list[Message] = []
    with Inbox(tmp_path, lambda message, _: told.append(message)) as inbox:
        other = RankMessenger(inbox.address)
        other.log("not told")
        other.send_array("not told", np.ones(1))
        other.send(Result(status=TaskStatus.COMPLETED, summary="not told", payload={}))
        other.progress({"events": 5})
        other.send(Result(status=TaskStatus.FAILED, summary="told", payload={}))
        inbox.finish()
    assert [message.kind for message in told] == ["progress", "result"]
    RankMessenger(tmp_path / "nobody").send(Result(status=TaskStatus.FAILED, summary="", payload={}))


# What they do


def write_run(tmp_path: Path, spots: tuple[int, ...] = SPOTS) -> Path:
    """Write a run and its pedestals; return its xtc2 file. Skip the test where there is no psana."""
    pytest.importorskip("psana")
    import numpy as np

    from tests.sfx.small_run import SmallRun

    run = SmallRun(spots=spots)
    np.save(tmp_path / "pedestals.npy", run.pedestals())
    return run.write(tmp_path / "data")


def master(tmp_path: Path) -> Path:
    return tmp_path / "work" / "xpptest123_12_t.cxi"


def datasets(file: Path) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}
    with h5py.File(file) as opened:
        opened.visititems(
            lambda name, item: found.update({name: item[:]}) if isinstance(item, h5py.Dataset) else None
        )
    return found


def processes(tmp_path: Path) -> dict[int, bytes]:
    """Return the environments of the living processes that work on the run, by their ids."""
    found: dict[int, bytes] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment = (folder / "environ").read_bytes()
            if f"SIT_PSDM_DATA={tmp_path}/data".encode() in environment:
                found[int(folder.name)] = environment
    return found


def assert_none_left(tmp_path: Path) -> None:
    """Once mpirun has gone, its helpers end by themselves."""
    deadline = time.monotonic() + 10
    while left := processes(tmp_path):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_several_processes_give_the_same_as_one(executor: Callable[..., MPIExecutor], tmp_path: Path) -> None:
    write_run(tmp_path)
    assert executor("2").run() == 0
    assert "runs as one process: SLURM_NTASKS asks for 2" in stdout(tmp_path)
    figures = "events 40, hits 26, hit rate 65.0 %, median peaks per hit 12"
    assert figures in stdout(tmp_path)
    one = datasets(master(tmp_path))
    assert one["LCLS/eventNumber"].tolist() == HITS

    assert executor("4").run() == 0
    assert "runs as 4 processes by " in stdout(tmp_path)
    assert figures in stdout(tmp_path)
    several = datasets(master(tmp_path))
    assert several.keys() == one.keys()
    assert all((several[name] == one[name]).all() for name in one)
    # The first two only hand events out; and the file of the search before is gone.
    names = sorted(path.name for path in master(tmp_path).parent.glob("*.cxi"))
    assert set(names) <= {f"xpptest123_12_{end}.cxi" for end in ("2_t", "3_t", "t")}
    assert (master(tmp_path).parent / "xpptest123_12_t.lst").read_text() == f"{master(tmp_path)}\n"


def test_several_processes_share_the_events_of_a_file(
    executor: Callable[..., MPIExecutor], tmp_path: Path
) -> None:
    file = write_run(tmp_path)
    assert executor("3", f'xtc_files: ["{file}"], n_events: 20').run() == 0
    assert "events 20, hits 13" in stdout(tmp_path)
    assert datasets(master(tmp_path))["LCLS/eventNumber"].tolist() == [hit for hit in HITS if hit < 20]
    # To the first came every third event, and none of those has a spot.
    names = sorted(path.name for path in master(tmp_path).parent.glob("*.cxi"))
    assert names == [f"xpptest123_12_{end}.cxi" for end in ("1_t", "2_t", "t")]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("pv_camera_length: CAMERA", "no process variable 'CAMERA'"),  # the first process finds out
        ("mask_file: pedestals.npy", "mask_file"),  # those that have frames do
    ],
)
def test_a_failure_of_one_process_ends_all_and_is_told(
    executor: Callable[..., MPIExecutor], tmp_path: Path, section: str, message: str
) -> None:
    import numpy as np

    write_run(tmp_path)
    (tmp_path / "work").mkdir()
    np.save(tmp_path / "work" / "pedestals.npy", np.ones(3))
    assert executor("4", section).run() == 1
    verdict = stdout(tmp_path).splitlines()[-1]
    assert verdict.startswith("LUTE-VERDICT")
    assert message in verdict
    assert not list((tmp_path / "work").glob("*.lst"))
    assert_none_left(tmp_path)


def when_hits_are_written(tmp_path: Path, do: Callable[[], None]) -> threading.Thread:
    """Start what calls `do` once the last process has written a hit."""

    def wait() -> None:
        deadline = time.monotonic() + 30
        while not (master(tmp_path).parent / "xpptest123_12_3_t.cxi").exists():
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)
        do()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


SLOW = "min_peaks: 0, dr: 60"
"""The ring of the background is so wide that a frame takes some 50 ms."""


def test_one_process_is_killed(executor: Callable[..., MPIExecutor], tmp_path: Path) -> None:
    write_run(tmp_path, SPOTS * 10)

    def kill() -> None:
        for pid, env in processes(tmp_path).items():
            if b"PMI_RANK=3\0" in env:
                os.kill(pid, signal.SIGKILL)

    thread = when_hits_are_written(tmp_path, kill)
    assert executor("4", SLOW).run() == 1
    thread.join()
    assert '"status": "FAILED"' in stdout(tmp_path).splitlines()[-1]
    assert "ended with exit code 9" in stdout(tmp_path).splitlines()[-1]
    assert not list((tmp_path / "work").glob("*.lst"))
    assert_none_left(tmp_path)


def test_cancelling_leaves_no_process(executor: Callable[..., MPIExecutor], tmp_path: Path) -> None:
    write_run(tmp_path, SPOTS * 10)
    thread = when_hits_are_written(tmp_path, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert executor("4", SLOW).run() == 1
    thread.join()
    assert '"status": "CANCELLED"' in stdout(tmp_path).splitlines()[-1]
    assert not list((tmp_path / "work").glob("*.lst"))
    assert_none_left(tmp_path)


def test_a_full_disk(
    executor: Callable[..., MPIExecutor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path, SPOTS * 5)
    full = executor()
    command = full.command(Path("JOB"))
    limited = ["bash", "-c", 'ulimit -f 5000; exec "$@"', "bash"]  # KiB a file
    monkeypatch.setattr(full, "command", lambda job: [*limited, *command[:-1], str(job)])
    assert full.run() == 1
    verdict = stdout(tmp_path).splitlines()[-1]
    assert "xpptest123_12_0_t.cxi cannot be written: File too large" in verdict
    assert not [path for path in (tmp_path / "work").iterdir() if path.suffix in (".cxi", ".lst")]
