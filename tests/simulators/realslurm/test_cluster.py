"""The real thing: started, used, stopped, and gone."""

import multiprocessing
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lute.seams import Runtime, SystemClock
from simulators.realslurm import RealSlurm, RealSlurmOptions, missing
from simulators.serve.components import StackError
from tests.served import processes_of

pytestmark = [pytest.mark.served, pytest.mark.skipif(bool(missing()), reason=missing())]

_LIMIT_S = 30


def run(slurm: RealSlurm, *argv: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    env = os.environ | slurm.environment
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=_LIMIT_S, check=check)


def submit(slurm: RealSlurm, folder: Path, script: str, *options: str) -> str:
    done = run(slurm, "sbatch", "--parsable", f"--output={folder}/%j.out", *options, "--wrap", script)
    return done.stdout.strip()


def state(slurm: RealSlurm, job_id: str) -> str:
    return re.findall(r"JobState=(\w+)", run(slurm, "scontrol", "show", "job", job_id).stdout)[0]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)  # a real process in real time


def test_a_job_runs_and_afterwards_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "slurm"
    with RealSlurm(folder) as slurm:
        job_id = submit(slurm, tmp_path, "echo $SLURM_NTASKS on $SLURMD_NODENAME", "--ntasks=129")
        wait_for(lambda: state(slurm, job_id) == "COMPLETED")
        assert (tmp_path / f"{job_id}.out").read_text() == "129 on sdfmilan001\n"
        nodes = run(slurm, "sinfo", "-h", "-o", "%P %D %c %T").stdout
        assert nodes == "milano* 4 128 idle\nampere 2 64 idle\n"
        refused = run(slurm, "sacct", check=False)
        assert "Slurm accounting storage is disabled" in refused.stdout + refused.stderr
        assert processes_of(folder)
        run_dir = Path(re.findall("AuthInfo=socket=(.*)/", (folder / "slurm.conf").read_text())[0])
    assert processes_of(folder) == []
    assert run_dir.is_relative_to(folder) or not run_dir.exists()
    slurm.stop()


def test_jobs_that_run_wait_or_hide_end_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "slurm"
    with RealSlurm(folder, RealSlurmOptions(kill_wait_s=1)) as slurm:
        stubborn = submit(slurm, tmp_path, "trap '' TERM; while :; do sleep 0.1; done", "--ntasks=128")
        hidden = submit(slurm, tmp_path, "setsid sleep 300 & exit 0", "--partition=ampere")
        submit(slurm, tmp_path, "sleep 300", "--nodes=4", "--exclusive")
        submit(slurm, tmp_path, "sleep 300", "--array=1-3", "--hold")
        wait_for(lambda: state(slurm, stubborn) == "RUNNING" and state(slurm, hidden) == "COMPLETED")
    assert processes_of(folder) == []


def test_jobs_end_with_it_although_no_daemon_can_end_them(tmp_path: Path) -> None:
    folder = tmp_path / "slurm"
    with RealSlurm(folder) as slurm:
        job_id = submit(slurm, tmp_path, "sleep 300")
        # squeue says RUNNING before slurmstepd has started the script.
        wait_for(lambda: any("sleep 300" in line for line in processes_of(folder)))
        assert state(slurm, job_id) == "RUNNING"
        slurm.stop_node("sdfmilan001")
        slurm.kill_controller()
        assert any("sleep 300" in line for line in processes_of(folder))
    assert processes_of(folder) == []


def test_two_run_side_by_side(tmp_path: Path) -> None:
    with RealSlurm(tmp_path / "a") as first, RealSlurm(tmp_path / "b") as second:
        job_id = submit(first, tmp_path, "sleep 300", "--job-name=only_in_a")
        assert "only_in_a" in run(first, "squeue", "-t", "all", "-o", "%j").stdout
        assert "only_in_a" not in run(second, "squeue", "-t", "all", "-o", "%j").stdout
        second.stop()
        wait_for(lambda: state(first, job_id) == "RUNNING")
    assert processes_of(tmp_path) == []


def test_the_controller_comes_back_to_jobs_that_went_on(tmp_path: Path) -> None:
    with RealSlurm(tmp_path / "slurm") as slurm:
        job_id = submit(slurm, tmp_path, "sleep 2")
        wait_for(lambda: state(slurm, job_id) == "RUNNING")
        slurm.stop_controller()
        assert run(slurm, "scontrol", "ping", check=False).returncode == 1
        slurm.start_controller()
        slurm.check_alive()
        wait_for(lambda: state(slurm, job_id) == "COMPLETED")


def test_a_node_comes_back(tmp_path: Path) -> None:
    with RealSlurm(tmp_path / "slurm") as slurm:
        slurm.stop_node("sdfmilan002")
        slurm.start_node("sdfmilan002")
        job_id = submit(slurm, tmp_path, "hostname", "--nodelist=sdfmilan002")
        wait_for(lambda: state(slurm, job_id) == "COMPLETED")


def test_gpus_are_counted(tmp_path: Path) -> None:
    options = RealSlurmOptions(node_gres={"sdfampere001": "gpu:a100:4"})
    with RealSlurm(tmp_path / "slurm", options) as slurm:
        job_id = submit(slurm, tmp_path, "echo $SLURM_GPUS_ON_NODE", "--partition=ampere", "--gres=gpu:2")
        wait_for(lambda: state(slurm, job_id) == "COMPLETED")
        assert (tmp_path / f"{job_id}.out").read_text() == "2\n"
        assert (
            run(slurm, "sbatch", "-p", "ampere", "--gres=gpu:5", "--wrap", "true", check=False).returncode
            == 1
        )


@pytest.mark.skipif(bool(missing(with_accounting=True)), reason=missing(with_accounting=True))
def test_accounting_knows_jobs_and_accounts(tmp_path: Path) -> None:
    options = RealSlurmOptions(accounting=True, accounts=("lcls:a", "lcls:b"), enforce="associations")
    with RealSlurm(tmp_path / "slurm", options) as slurm:
        refused = run(slurm, "sbatch", "--account=nope", "--wrap", "true", check=False)
        assert "Invalid account or account/partition combination specified" in refused.stderr
        ids = [submit(slurm, tmp_path, "true"), submit(slurm, tmp_path, "exit 3", "--account=lcls:b")]
        wanted = [f"{ids[0]}|lcls:a|COMPLETED", f"{ids[1]}|lcls:b|FAILED"]
        sacct = ["sacct", "-X", "-n", "-P", "-o", "JobID,Account,State"]
        wait_for(lambda: run(slurm, *sacct).stdout.splitlines() == wanted)
    assert processes_of(tmp_path) == []


def test_a_start_that_fails_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    options = RealSlurmOptions(conf_lines=("SelectType=select/nonsense",))
    with pytest.raises(StackError, match=r"slurmctld ended with exit code 1:(.|\n)*select/nonsense"):
        RealSlurm(tmp_path / "slurm", options).start()
    assert processes_of(tmp_path) == []


def test_a_start_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    class Interrupted(SystemClock):
        """Somebody presses Ctrl-C while the daemons come up."""

        def sleep(self, duration_s: float) -> None:
            super().sleep(duration_s)
            if any("slurm" in line for line in processes_of(tmp_path)):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        RealSlurm(tmp_path / "slurm", runtime=replace(Runtime(), clock=Interrupted())).start()
    assert processes_of(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_no_rights_of_root_are_needed() -> None:
    folder = Path(tempfile.mkdtemp(prefix="lute-test-"))  # an ordinary user cannot reach pytest's
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    try:
        child = multiprocessing.get_context("fork").Process(target=_as_user, args=(nobody, folder))
        child.start()
        child.join(2 * _LIMIT_S)
        assert child.exitcode == 0
        assert (folder / "1.out").read_text() == "nobody\n"
        assert processes_of(folder) == []
    finally:
        shutil.rmtree(folder)


def _as_user(user: pwd.struct_passwd, folder: Path) -> None:
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    with RealSlurm(folder / "slurm") as slurm:
        job_id = submit(slurm, folder, "id -un", f"--chdir={folder}")
        wait_for(lambda: state(slurm, job_id) == "COMPLETED")
