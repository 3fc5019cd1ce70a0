"""The same seed gives the same schedule, another seed another one."""

from simulators.kernel.seeds import Seeds
from simulators.kernel.trace import Trace
from simulators.slurm.job import Job
from tests.properties.slurm_loads import PARTITIONS, draw_load, plan_load
from tests.simulators.slurm.virtual import Virtual


def run(seed: int) -> str:
    """Return the digest of all starts and ends under a load drawn with `seed`."""
    virtual, trace = Virtual(PARTITIONS), Trace()

    def note(job: Job) -> None:
        trace.note(
            virtual.agenda.now_s,
            "slurm",
            job.state.value,
            job=job.id,
            nodes=job.node_names,
            cores=job.cores,
            reason=job.reason,
        )

    virtual.controller.life.on_change.append(note)
    plan_load(virtual, draw_load(Seeds(seed).stream("load"), 60, longest=1.5))
    virtual.agenda.run()
    assert trace.length > 3 * 40
    return trace.digest


def test_a_seed_decides_everything_and_no_two_seeds_the_same() -> None:
    digests = [run(seed) for seed in range(5)]
    assert [run(seed) for seed in range(5)] == digests
    assert len(set(digests)) == 5
