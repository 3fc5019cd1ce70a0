"""Input that nobody sane would give: every command answers it, and nothing is left behind."""

import pytest

from tests.simulators.slurm.world import World

NINES = "9" * 400
HOSTILE = [
    f"sbatch -t {NINES} --wrap=x",
    "sbatch -t 99999999999999999999 --wrap=x",
    f"sbatch -d afterok:{'9' * 5000} --wrap=x",
    "sbatch -b now+999999999weeks --wrap=x",
    "sbatch -b now+999999weeks --wrap=x",
    "sbatch -w a[1-99999999] --wrap=x",
    "sbatch -w a[] --wrap=x",
    "sbatch -w [1-3] --wrap=x",
    "sbatch --gres=gpu:² --wrap=x",
    f"sbatch --gres=gpu:{NINES} --wrap=x",
    f"sbatch --mem={NINES} --wrap=x",
    f"sbatch -n {NINES} --wrap=x",
    f"sbatch --nice={NINES} --wrap=x",
    f"sbatch --array={NINES} --wrap=x",
    "sbatch --array=1-99999999 --wrap=x",
    "sbatch -p , --wrap=x",
    "sbatch -d 1 --wrap=x",
    "sbatch -d AFTEROK:1_2 --wrap=x",
    "sbatch --wait --array=1-2 --wrap=x",
    "squeue -w a[1,]",
    "squeue -w a[1-99999999]",
    "squeue -o %.2000000000i",
    "squeue -o %99999999999999999999i",
    f"squeue -j {NINES}",
    "sinfo -n a[",
    "sacct -o jobid%",
    "sacct -o jobid%abc",
    "sacct -o jobid%-",
    "sacct -S now-1day",
    f"scancel {NINES}",
    "scancel 1_2_3",
    f"scontrol hold {NINES}",
    f"scontrol requeue {NINES}",
    f"scontrol update jobid=1 timelimit={NINES}",
    "scontrol update jobid=1",
    "scontrol update nodename= state=drain reason=x",
    "scontrol update nodename=a[] state=drain reason=x",
    "scontrol update jobid= timelimit=5",
    "scontrol update",
]


@pytest.mark.parametrize("command", HOSTILE, ids=[command[:60] for command in HOSTILE])
def test_every_command_answers(command: str) -> None:
    world = World(accounting=True)
    first = world.wrap("-t", "5")
    world.ask(*command.split())
    world.pass_time(200)
    for question in ("squeue -o %i|%S|%e|%E", "scontrol show job", "sacct", "squeue --json", "sinfo"):
        assert world.ask(*question.split()).exit_code == 0
    after = world.wrap()
    world.ended(first)
    world.pass_time(1)
    assert after.state.value == "RUNNING"


@pytest.mark.parametrize("zone", ["America", "x" * 5000, "../../etc/passwd", "\0"])
def test_a_zone_that_is_none(zone: str) -> None:
    world = World(accounting=True)
    world.wrap()
    for command in ("squeue", "sacct", "scontrol show job"):
        assert world.ask(*command.split(), env={"TZ": zone}).exit_code == 0


def test_a_huge_time_limit_is_none() -> None:
    assert "TimeLimit=UNLIMITED" in _limit("99999999999999999999")


def _limit(text: str) -> str:
    world = World()
    world.wrap("--hold", "-t", text)
    return world.ask("scontrol", "-o", "show", "job", "1").stdout


def test_variables_stand_for_options() -> None:
    world = World()
    world.wrap("-J", "one")
    held = world.wrap("--hold", "-J", "two")
    shown = world.ask("squeue", "-h", "-o", "%j", env={"SQUEUE_STATES": "PD"}).stdout
    assert shown == "two\n"
    assert world.ask("squeue", "-h", "-o", "%j", "-t", "R", env={"SQUEUE_STATES": "PD"}).stdout == "one\n"
    world.ask("scancel", str(held.id), env={"SCANCEL_STATE": "RUNNING"})
    assert held.state.value == "PENDING"


def test_times_of_day_are_the_callers() -> None:
    world = World()
    job = world.wrap("--begin=2027-01-01T00:00", env={"TZ": "America/Los_Angeles"})
    assert job.eligible_s == 1798790400.0
