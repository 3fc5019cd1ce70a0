"""Which nodes and cores a job gets: facts, section 5, and the sixty cases measured beside them."""

import re
from collections.abc import Iterator

import pytest

from simulators.slurm.hostlist import expand
from tests.contract.slurm.cluster import Slurm
from tests.contract.slurm.script import Script
from tests.simulators.slurm.test_placement import CASES, NOT_SIMULATED, read_cases

_CORES = 128


@pytest.fixture
def filled(slurm: Slurm, request: pytest.FixtureRequest) -> Iterator[Slurm]:
    """The cluster with so many cores of each node free; left so for the next test that wants the same."""
    wanted: list[int] = request.node.callspec.params["free"]
    leg = slurm.leg
    if leg.free_cores != wanted:
        leg.forget_jobs()
        for index, free in enumerate(wanted, start=1):
            if free < _CORES:
                slurm.running(None, "-w", f"sdfmilan{index:03d}", f"-n{_CORES - free}")
        leg.free_cores = wanted
    yield slurm


@pytest.mark.keeps_jobs
@pytest.mark.parametrize(("free", "arguments", "expected"), read_cases(CASES))
def test_measured(filled: Slurm, free: list[int], arguments: str, expected: str) -> None:
    if arguments == NOT_SIMULATED and filled.leg.name != "real":
        pytest.skip("the fake does not hold cores that hold no task (docs/simulated.md)")
    wanted = {
        name: int(cores)
        for part in expected.split()
        for names, _, cores in [part.rpartition(":")]
        for name in expand(f"sdfmilan{names}")
    }
    job = filled.submit(Script(sleep_s=600), *arguments.split())
    filled.wait(job, "RUNNING")
    taken = cores_of(filled, job)
    filled.run("scancel", job)
    filled.finished(job)
    assert {name: len(cores) for name, cores in taken.items()} == wanted


def test_cores_come_from_both_sockets(slurm: Slurm) -> None:
    first = slurm.running(None, "-n30")
    second = slurm.running(None, "-n7")
    assert core_text(slurm, first) == "Nodes=sdfmilan001 CPU_IDs=0-14,64-78"
    assert core_text(slurm, second) == "Nodes=sdfmilan001 CPU_IDs=15-18,79-81"


def core_text(slurm: Slurm, job: str) -> str:
    """Return the line that tells which cores a job has."""
    text = slurm.run("scontrol", "-d", "show", "job", job).out
    return " ".join(re.findall(r"Nodes=\S+ CPU_IDs=\S+", text))


def cores_of(slurm: Slurm, job: str) -> dict[str, set[int]]:
    """Return the cores of a job on each of its nodes."""
    found: dict[str, set[int]] = {}
    for names, cores in re.findall(
        r"Nodes=(\S+) CPU_IDs=(\S+)", slurm.run("scontrol", "-d", "show", "job", job).out
    ):
        ids = {
            core
            for part in cores.split(",")
            for first, _, last in [part.partition("-")]
            for core in range(int(first), int(last or first) + 1)
        }
        found.update(dict.fromkeys(expand(names), ids))
    return found
