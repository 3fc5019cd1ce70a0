from itertools import islice

import pytest

from simulators.kernel.seeds import Seeds
from simulators.workload.generate import random_load


def test_the_same_seed_gives_the_same_load() -> None:
    loads = [list(random_load(Seeds(seed), jobs=50, load=0.7, cpus=512)) for seed in (1, 1, 2)]
    assert loads[0] == loads[1] != loads[2]


def test_a_load_is_drawn_as_it_is_used() -> None:
    assert len(list(islice(random_load(Seeds(1), jobs=10**12, load=0.7, cpus=512), 3))) == 3


def test_jobs_are_as_asked() -> None:
    jobs = list(random_load(Seeds(3), jobs=20_000, load=0.8, cpus=1000, max_procs=16, mean_run_s=600))
    assert {job.procs for job in jobs} == set(range(1, 17))
    assert all(job.limit_s > job.run_s for job in jobs)
    assert [job.submit_s for job in jobs] == sorted(job.submit_s for job in jobs)
    offered = sum(job.procs * job.run_s for job in jobs) / jobs[-1].submit_s / 1000
    assert offered == pytest.approx(0.8, rel=0.05)


@pytest.mark.parametrize("wrong", [{"load": 0}, {"cpus": 0}, {"max_procs": 0}])
def test_nonsense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a load needs cores"):
        next(random_load(Seeds(1), **({"jobs": 1, "load": 1, "cpus": 1} | wrong)))  # type: ignore[arg-type]
