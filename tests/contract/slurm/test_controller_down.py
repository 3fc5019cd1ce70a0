"""A controller that does not answer, and one that comes back: facts, section 4."""

import pytest

from tests.contract.slurm.cluster import Slurm
from tests.contract.slurm.profiles import Profile
from tests.contract.slurm.script import Script

NO_CONTACT = "Unable to contact slurm controller (connect failure)"
FRAGILE = Profile("fragile")


@pytest.mark.profile(FRAGILE)
def test_down_and_up_again(slurm: Slurm) -> None:
    """One test for all commands, because each waits for 9 s and longer."""
    running, held = slurm.running(Script(sleep_s=20, text="once")), slurm.submit(Script(), "--hold")
    done = slurm.submit(Script(exit_code=3))
    slurm.finished(done)
    slurm.leg.pass_time(3)  # so that real slurmctld has saved its state
    script = slurm.script(Script())
    slurm.leg.stop_controller()
    try:
        answer = slurm.run("scontrol", "ping")
        assert (answer.code, answer.err) == (1, "")
        assert answer.out.startswith(f"Slurmctld(primary) at {slurm.leg.host} is DOWN\n")
        failed = f"sbatch: error: Batch job submission failed: {NO_CONTACT}\n"
        assert slurm.run("sbatch", script) == (1, "", failed)
        assert slurm.run("squeue") == (1, "", f"slurm_load_jobs error: {NO_CONTACT}\n")
        assert slurm.run("sinfo") == (1, "", f"slurm_load_partitions: {NO_CONTACT}\n")
        assert slurm.run("scontrol", "show", "job", running) == (
            1,
            "",
            f"slurm_load_jobs error: {NO_CONTACT}\n",
        )
        answer = slurm.run("scancel", running)
        assert answer.code == 8
        assert NO_CONTACT in answer.err
    finally:
        slurm.leg.start_controller()
    assert slurm.state(held).startswith("PENDING JobHeld")
    assert slurm.state(done) == "FAILED NonZeroExitCode 3:0"
    assert slurm.finished(running, 60) == "COMPLETED None 0:0"
    assert slurm.leg.output(f"slurm-{running}.out") == "once\n"
    slurm.run("scontrol", "release", held)
    assert slurm.finished(held) == "COMPLETED None 0:0"
    after = slurm.submit(Script())
    assert int(after) > int(held)
    assert slurm.finished(after) == "COMPLETED None 0:0"
