"""Slurm in process: its commands, and what can go wrong with it."""

import pytest

from lute.errors import TransientError
from lute.seams import CommandRunner
from lute.seams.commands import CommandTimeout
from lute.slurm.commands import SlurmCommands
from lute.slurm.states import SlurmState
from simulators.kernel.events import Agenda
from simulators.slurm.conf import SlurmConf
from simulators.slurm.controller import UnknownJobError
from simulators.slurm.models import JobModel
from simulators.slurm.virtual import GIVE_UP_S, MESSAGE_TIMEOUT_S, VirtualSlurm

TIMED_OUT = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n"
START_S = 1_800_000_000.0


class Cluster(VirtualSlurm):
    """A cluster of jobs that all do the same."""

    def __init__(self, model: JobModel | None = None, **conf: object) -> None:
        super().__init__(Agenda(START_S), SlurmConf(**conf), lambda _job: model or JobModel(60, log="done\n"))  # type: ignore[arg-type]
        self.ask = SlurmCommands(self, self.env)

    def pass_time(self, seconds: float) -> None:
        self.agenda.advance(self.agenda.now_s + seconds)

    def submit(self, *words: str) -> int:
        done = self.run(["sbatch", *words, "/opt/job.sh"])
        assert done.stdout.startswith("Submitted batch job "), done
        return int(done.stdout.split()[-1])

    def state(self, job_id: int) -> SlurmState | None:
        job = self.ask.job(str(job_id))
        return job.state if job else None


def test_a_job_runs_and_prints_in_virtual_time() -> None:
    slurm = Cluster()
    job_id = slurm.submit("--output=/l/%j.out")
    assert slurm.state(job_id) is SlurmState.PENDING
    slurm.pass_time(10)
    assert slurm.state(job_id) is SlurmState.RUNNING
    slurm.pass_time(60)
    assert slurm.state(job_id) is SlurmState.COMPLETED
    assert slurm.files == {f"/l/{job_id}.out": "done\n"}
    assert slurm.took_s == 0


def test_it_is_a_command_runner() -> None:
    runner: CommandRunner = Cluster()
    assert runner.run(["/usr/bin/squeue", "-h"], timeout_s=1).exit_code == 0
    with pytest.raises(FileNotFoundError, match="bash"):
        runner.run(["bash", "-c", "true"], timeout_s=1)
    with pytest.raises(NotImplementedError, match="no processes"):
        runner.spawn(["sbatch"])


def test_the_script_that_sbatch_submits_comes_from_the_caller() -> None:
    texts = {"/w/a.sh": "#!/bin/sh\n#SBATCH --job-name=from-the-script\n", "-": "#!/bin/sh\n"}
    slurm = VirtualSlurm(Agenda(START_S), script_of=texts.get)
    assert slurm.run(["sbatch", "/w/a.sh"]).stdout == "Submitted batch job 1\n"
    assert slurm.job(1).request.name == "from-the-script"
    assert slurm.run(["sbatch"]).stdout == "Submitted batch job 2\n"
    missing = slurm.run(["sbatch", "b.sh"])
    assert (missing.exit_code, missing.stderr) == (1, "sbatch: error: Unable to open file b.sh\n")


def test_of_standard_input_nothing_comes_unless_said_otherwise() -> None:
    assert Cluster().run(["sbatch"]).stderr == "sbatch: error: Batch script is empty!\n"


def test_a_controller_that_is_down_keeps_its_clients_waiting_in_vain() -> None:
    slurm = Cluster()
    job_id = slurm.submit()
    slurm.is_down = True
    done = slurm.run(["sbatch", "/opt/job.sh"], timeout_s=30)
    assert done.stderr.startswith("sbatch: error: Batch job submission failed: Unable to contact slurm")
    assert GIVE_UP_S[0] <= slurm.took_s <= GIVE_UP_S[1]
    with pytest.raises(TransientError, match="does not answer"):
        slurm.ask.job(str(job_id))
    assert slurm.run(["sacct"]).exit_code == 1, "there is no database"
    assert slurm.took_s == 0, "sacct asks the database"
    slurm.pass_time(100)
    slurm.is_down = False
    assert slurm.state(job_id) is SlurmState.COMPLETED, "jobs go on"
    assert len(slurm.cluster.jobs) == 1


def test_a_client_is_ended_that_takes_longer_than_its_caller_waits() -> None:
    slurm = Cluster()
    slurm.is_down = True
    with pytest.raises(CommandTimeout, match="squeue was still running after 5 s"):
        slurm.run(["squeue"], timeout_s=5)
    assert slurm.took_s == 5


def test_waiting_for_the_end_of_a_job_takes_longer_than_anybody_has() -> None:
    slurm = Cluster()
    with pytest.raises(CommandTimeout):
        slurm.run(["sbatch", "--wait", "/opt/job.sh"], timeout_s=30)
    assert len(slurm.cluster.jobs) == 1


@pytest.mark.parametrize("accepts", [False, True])
def test_a_submission_without_a_reply_may_have_had_its_effect(accepts: bool) -> None:
    slurm = Cluster()
    slurm.socket_timeout_submits, slurm.socket_timeout_accepts = 2, accepts
    for number in (1, 2):
        done = slurm.run(["sbatch", "/opt/job.sh"], timeout_s=30)
        assert (done.exit_code, done.stdout, done.stderr) == (1, "", TIMED_OUT)
        assert slurm.took_s == MESSAGE_TIMEOUT_S
        assert len(slurm.cluster.jobs) == (number if accepts else 0)
    slurm.submit()


def test_on_a_full_disk_new_files_stay_empty_and_old_ones_as_they_are() -> None:
    slurm = Cluster(JobModel(3600, log="begin\n"))
    early = slurm.submit("--output=/l/early")
    slurm.pass_time(10)
    slurm.refuse_writes = True
    slurm.submit("--output=/l/late")
    slurm.pass_time(10)
    slurm.run(["scancel", str(early)])
    slurm.pass_time(10)
    assert slurm.files == {"/l/early": "begin\n", "/l/late": ""}
    slurm.refuse_writes = False
    slurm.submit("--output=/l/late")
    slurm.pass_time(10)
    assert slurm.files["/l/late"] == "begin\n"


def test_on_a_full_disk_a_file_that_is_opened_anew_is_empty() -> None:
    slurm = Cluster(JobModel(1, log="same\n"))
    slurm.submit("--output=/l/x")
    slurm.pass_time(10)
    slurm.refuse_writes = True
    slurm.submit("--output=/l/x")
    slurm.pass_time(10)
    assert slurm.files == {"/l/x": ""}


def test_a_purged_job_is_unknown_at_once_and_only_ended_ones_are_purged() -> None:
    slurm = Cluster(min_job_age_s=120)
    first, second = slurm.submit(), slurm.submit()
    with pytest.raises(ValueError, match="PENDING"):
        slurm.purge(first)
    slurm.pass_time(70)
    forgotten: list[int] = []
    slurm.controller.life.on_forget.append(forgotten.append)
    slurm.purge(first)
    assert (slurm.state(first), slurm.state(second)) == (None, SlurmState.COMPLETED)
    with pytest.raises(UnknownJobError):
        slurm.purge(first)
    slurm.pass_time(600)
    assert forgotten == [first, second], "the regular purge goes on"


def test_nodes_fail_and_come_back_and_jobs_are_preempted_and_requeued() -> None:
    slurm = Cluster(JobModel(1e6), partitions={"milano": {"n1": 4}})
    killed, preempted, again = (slurm.submit("--no-requeue", "-n1") for _ in range(3))
    slurm.pass_time(10)
    slurm.preempt(preempted)
    slurm.requeue(again)
    slurm.pass_time(10)
    assert slurm.state(preempted) is SlurmState.PREEMPTED
    assert slurm.state(again) is SlurmState.PENDING
    slurm.fail_node("n1")
    slurm.pass_time(10)
    assert slurm.state(killed) is SlurmState.NODE_FAIL
    slurm.pass_time(300)
    assert slurm.state(again) is SlurmState.PENDING, "its node is down"
    slurm.resume_node("n1")
    slurm.pass_time(60)
    assert slurm.state(again) is SlurmState.RUNNING


def test_there_is_a_database_where_the_conf_says_so() -> None:
    slurm = Cluster(accounting=True)
    job_id = slurm.submit()
    slurm.pass_time(100)
    slurm.is_down = True
    assert f"{job_id}|COMPLETED\n" in slurm.run(["sacct", "-nXP", "-o", "JobID,State"]).stdout


def test_two_clusters_alike_behave_alike() -> None:
    def waits() -> list[float]:
        slurm = Cluster()
        slurm.is_down = True
        found = []
        for _ in range(3):
            slurm.run(["squeue"])
            found.append(slurm.took_s)
        return found

    first = waits()
    assert first == waits()
    assert len(set(first)) == 3
