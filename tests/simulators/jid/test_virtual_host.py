"""The virtual batch host: what it runs, and that its short way to a job's record is no other way."""

from dataclasses import replace
from typing import Any

import pytest

from lute.errors import ConfigError, TransientError
from lute.slurm.commands import SlurmCommands
from lute.slurm.records import SlurmJob
from lute.slurm.states import SlurmState
from simulators.jid import virtual_host
from simulators.jid.host import HostError, TimedHost
from simulators.slurm.conf import SlurmConf
from simulators.slurm.job import TRANSITIONS
from simulators.slurm.models import JobModel
from tests.simulators.jid.virtual_world import SCRIPT, SITE_WANTS, World

ARGUMENTS = f"-c /data/a.yaml -t Tester {SITE_WANTS}"


def test_it_is_a_host_that_tells_the_time() -> None:
    assert isinstance(World().host, TimedHost)


def test_the_submitted_job_has_the_scripts_arguments_and_environment() -> None:
    world = World()
    job_id = world.host.submit(SCRIPT, f"{ARGUMENTS} --comment='a b' --debug", {"RUN_NUM": "12_x"})
    request = world.slurm.job(int(job_id)).request
    assert (request.name, request.comment, request.account) == ("Tester", "a b", "lcls:x")
    assert request.arguments == ("/opt/lute/scripts", "-c", "/data/a.yaml", "-t", "Tester", "--debug")
    assert request.command.startswith("/opt/lute/scripts/job_task.sh /opt/lute/scripts -c")
    assert request.stdout == "Tester_none_r0012_2027-01-15_08-00-00_%J.out"
    env = request.env
    assert (env["RUN"], env["KEPT"], env["PYTHONPATH"]) == ("12", "yes", "/opt/lute")
    assert world.host.take_took_s() == 0


@pytest.mark.parametrize(
    ("executable", "parameters", "said"),
    [
        ("/opt/lute/scripts/other.sh", ARGUMENTS, "other.sh cannot be run: No such file or directory"),
        ("/opt/lute/xsubmit_slurm.sh", ARGUMENTS, "cannot be run: No such file"),
        (SCRIPT, "--x='open", "the parameters are no command line: No closing quotation"),
        (SCRIPT, "-t 'a\0b'", "the parameters are no command line: embedded null byte"),
        (SCRIPT, "-t Tester", "exit code 2: submit_slurm.sh: error: -c CONFIG is missing"),
        (SCRIPT, f"{ARGUMENTS} --partition=none", "exit code 1: sbatch: error: invalid partition specified"),
        (SCRIPT, f"{ARGUMENTS} --parsable", "reported no 'Submitted batch job N'"),
        (SCRIPT, "--help", "reported no 'Submitted batch job N'"),
    ],
)
def test_what_submits_nothing_is_an_error_in_the_words_of_the_real_host(
    executable: str, parameters: str, said: str
) -> None:
    world = World()
    with pytest.raises(HostError) as caught:
        world.host.submit(executable, parameters, {})
    assert said in str(caught.value)


def test_a_zero_byte_in_the_environment_starts_nothing() -> None:
    with pytest.raises(HostError, match="embedded null byte"):
        World().host.submit(SCRIPT, ARGUMENTS, {"EXPERIMENT": "a\0b"})


def test_a_configuration_that_is_not_there_is_refused() -> None:
    world = World()
    world.existing = {"/data/b.yaml"}
    with pytest.raises(HostError, match=r"there is no configuration file /data/a\.yaml"):
        world.host.submit(SCRIPT, ARGUMENTS, {})
    world.existing = {"/data/a.yaml"}
    assert world.host.submit(SCRIPT, ARGUMENTS, {}) == "1"


def test_the_warnings_of_the_script_come_before_sbatchs_error() -> None:
    with pytest.raises(HostError, match=r"(?s)no --partition given.*no --account given.*sbatch: error"):
        World().host.submit(SCRIPT, "-c /a -t Tester --nice=x", {})


def test_a_silent_controller_costs_its_clients_time() -> None:
    world = World()
    world.slurm.is_down = True
    with pytest.raises(HostError, match="Unable to contact slurm controller"):
        world.host.submit(SCRIPT, ARGUMENTS, {})
    assert 9 <= world.host.take_took_s() <= 18
    with pytest.raises(TransientError, match="does not answer"):
        world.host.jobs(["1", "2"])
    assert 9 <= world.host.take_took_s() <= 18, "the first failure ends it"
    with pytest.raises(TransientError):
        world.host.cancel("1")
    assert 9 <= world.host.take_took_s() <= 18
    assert world.host.take_took_s() == 0


def test_a_script_that_takes_longer_than_the_jid_gives_it_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(virtual_host, "START_LIMIT_S", 7.0)
    world.slurm.is_down = True
    with pytest.raises(HostError, match="did not return within 7 s"):
        world.host.submit(SCRIPT, ARGUMENTS, {})
    assert world.host.take_took_s() == 7


def test_output_is_text_whatever_its_bytes() -> None:
    world = World({"Tester": JobModel(1, log="a\udcffé\n")})
    world.host.submit(SCRIPT, f"{ARGUMENTS} --output=/l/x", {})
    world.pass_time(10)
    assert world.host.read_text("/l/x") == "a�é\n"
    with pytest.raises(HostError, match="/l/y cannot be read: No such file or directory"):
        world.host.read_text("/l/y")


def test_ids_that_are_none_are_refused_and_unknown_ones_left_out() -> None:
    world = World()
    assert world.host.jobs(["1", "77777777777"]) == {}
    with pytest.raises(ConfigError, match="is not a Slurm job id"):
        world.host.jobs(["-o"])


def test_the_record_of_a_job_is_what_scontrol_says_in_every_state() -> None:
    """Text asks first: it lets the scheduler look at who waits, as `scontrol` does here."""
    world = World(
        {
            "Ok": JobModel(40),
            "Code": JobModel(20, exit_code=3),
            "Signal": JobModel(20, exit_signal=9),
            "Memory": JobModel(20, is_out_of_memory=True),
            "NoLaunch": JobModel(fails_to_launch=True),
            "Stubborn": JobModel(1e6, ignores_term=True),
        },
        SlurmConf(partitions={"milano": {"n1": 16, "n2": 8}}, min_job_age_s=1e6, limit_sweep_s=5),
    )
    ids = {}
    for name, more in {
        "Ok": "--output=/l/%x-%j-%J.out -w n1",
        "Code": "-n2 -w n1",
        "Signal": "-w n1 --comment='JobState=RUNNING'",
        "Memory": "-w n1 --export=NONE",
        "NoLaunch": "-w n1",
        "Stubborn": "--time=1 -w n1",
        "Long": "-n 8 -w n2 --no-requeue",
        "Later": "--begin=now+3600",
        "Held": "--hold",
        "After": "--dependency=afterok:1",
        "Preempted": "--no-requeue -w n1",
        "Again": "--requeue -w n1",
        "Cancelled": "--hold",
        "Waits": "-N2 --exclusive --time=1-0",
    }.items():
        world.models.setdefault(name, JobModel(1e6))
        ids[name] = world.host.submit(SCRIPT, f"-c /a -t {name} {SITE_WANTS} {more}", {})
    text = SlurmCommands(world.slurm, world.slurm.env)
    seen: set[SlurmState] = set()
    for second in range(140):
        for job_id in ids.values():
            told = text.job(job_id)
            assert told is not None
            assert world.host.jobs([job_id]) == {job_id: told}, f"job {job_id} after {second} s"
            assert told.state is not None
            seen.add(told.state)
        if second == 15:
            world.slurm.preempt(int(ids["Preempted"]))
            world.slurm.requeue(int(ids["Again"]))
            world.host.cancel(ids["Cancelled"])
        if second == 30:
            world.slurm.fail_node("n2")
        world.pass_time(1)
    assert seen == set(TRANSITIONS).union(*TRANSITIONS.values())


def test_a_record_is_kept_only_while_nothing_about_the_job_changes() -> None:
    model = JobModel(1e6)
    world = World({"Tester": model}, SlurmConf(partitions={"milano": {"n1": 4}}))
    text = SlurmCommands(world.slurm, world.slurm.env)
    runs, waits, later = (
        world.host.submit(SCRIPT, f"{ARGUMENTS} {more}", {})
        for more in ("--time=10", "--time=1 --exclusive", "--begin=now+1000")
    )
    controller = world.slurm.controller

    def records() -> list[SlurmJob]:
        """Return the three records, which are those of the text."""
        told = [text.job(job_id) for job_id in (runs, waits, later)]
        found = list(world.host.jobs([runs, waits, later]).values())
        assert found == told
        return found

    world.pass_time(20)
    first = records()
    again = records()
    assert all(before is after for before, after in zip(first, again, strict=True))
    controller.set_time_limit(int(runs), 20)
    second = records()
    assert second[0] != first[0], "its end"
    assert second[1] != first[1], "its expected start, behind the other"
    controller.set_begin(int(later), world.agenda.now_s + 5000)
    third = records()
    assert third[2] != second[2], "its start"
    world.slurm.requeue(int(runs))
    world.pass_time(300)
    assert records()[0] == replace(third[0], **_times(records()[0])), "it ran again, and nobody saw it wait"
    assert records()[0].start_time != third[0].start_time


def _times(job: SlurmJob) -> dict[str, Any]:
    return {"submit_time": job.submit_time, "start_time": job.start_time, "end_time": job.end_time}


def test_of_an_array_the_first_record_counts() -> None:
    world = World({"Tester": JobModel(1e6)})
    job_id = world.host.submit(SCRIPT, f"{ARGUMENTS} --array=1-2", {})
    text = SlurmCommands(world.slurm, world.slurm.env)
    for _ in range(2):
        for shown in (job_id, f"{job_id}_2"):
            told = text.job(shown)
            assert told is not None
            assert world.host.jobs([shown]) == {shown: told}
        world.pass_time(10)
