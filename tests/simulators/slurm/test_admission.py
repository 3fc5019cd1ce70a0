"""What the controller refuses, and in which words."""

import pytest

from lute.slurm.states import SlurmState
from simulators.slurm.admission import NO_CONFIGURATION, RejectedError
from tests.simulators.slurm.virtual import Virtual

LIMITS = "Requested time limit is invalid (missing or exceeds some limit)"
AMPERE = ("ampere",)


def refusal(virtual: Virtual, **request: object) -> tuple[str, str]:
    with pytest.raises(RejectedError) as caught:
        virtual.submit(**request)  # type: ignore[arg-type]
    assert virtual.cluster.jobs == {}
    return caught.value.text, caught.value.warning


@pytest.mark.parametrize(
    ("request_", "text", "warning"),
    [
        ({"partitions": ()}, "No partition specified or system default partition", ""),
        (
            {"partitions": ("milano", "x")},
            "Invalid partition name specified",
            "invalid partition specified: x",
        ),
        ({"partitions": AMPERE}, "Required partition not available (inactive or drain)", ""),
        ({"account": "nobody"}, "Invalid account or account/partition combination specified", ""),
        ({"reservation": "lute,other"}, "Requested reservation is invalid", ""),
        ({"dependency": "whenever:3"}, "Job dependency problem", ""),
        ({"dependency": "afterok:1,"}, "Job dependency problem", ""),
        ({"nodelist": ("sdfmilan009",)}, "Invalid node name specified", ""),
        ({"exclude": ("sdfmilan009",)}, "Invalid node name specified", ""),
        ({"min_nodes": 0, "max_nodes": 0}, "Node count specification invalid", ""),
    ],
)
def test_refused_before_an_id_is_taken(request_: dict[str, object], text: str, warning: str) -> None:
    virtual = Virtual(
        accounts=("lcls:default",),
        enforce_associations=True,
        reservations=frozenset({"lute"}),
        partition_state={"ampere": "INACTIVE"},
    )
    assert refusal(virtual, **request_) == (text, warning)
    assert virtual.submit().id == 1


@pytest.mark.parametrize(
    ("request_", "warning"),
    [
        ({"ntasks": 129, "min_nodes": 1, "max_nodes": 1}, ""),
        ({"ntasks": 2, "cpus_per_task": 129}, "CPU count per node can not be satisfied"),
        ({"memory_env": ("SLURM_MEM_PER_NODE", 8001)}, "Memory specification can not be satisfied"),
        ({"gpus_per_node": 1}, ""),
        ({"nodelist": ("sdfampere001",)}, ""),
        ({"nodelist": ("sdfmilan001",), "ntasks": 129}, ""),
        ({"exclude": ("sdfmilan001",), "ntasks": 512}, ""),
    ],
)
def test_a_job_that_fits_no_node_leaves_a_gap(request_: dict[str, object], warning: str) -> None:
    virtual = Virtual()
    for _ in range(2):
        assert refusal(virtual, **request_) == (NO_CONFIGURATION, warning)
    assert virtual.submit().id == 3  # measured


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"ntasks": 513}, "PartitionConfig"),
        ({"min_nodes": 5, "max_nodes": 5}, "PartitionNodeLimit"),
        ({"time_limit_min": 61}, "PartitionTimeLimit"),
        ({"time_limit_min": 0xFFFFFFFF}, "PartitionTimeLimit"),
        ({"partitions": AMPERE}, "PartitionDown"),
    ],
)
def test_beyond_a_limit_waits_for_ever_and_blocks_nobody(request_: dict[str, object], reason: str) -> None:
    virtual = Virtual(max_time_min=60, partition_state={"ampere": "DOWN"})
    job, other = virtual.submit(**request_), virtual.submit()  # type: ignore[arg-type]
    virtual.agenda.run()
    assert (job.state, job.reason, other.state) == (SlurmState.PENDING, reason, SlurmState.COMPLETED)


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"ntasks": 513}, "More processors requested than permitted"),
        ({"min_nodes": 5, "max_nodes": 5}, "Node count specification invalid"),
        ({"time_limit_min": 61}, LIMITS),
        ({"time_limit_min": 0xFFFFFFFF}, LIMITS),
        ({"ntasks": 129, "partitions": ("milano", "ampere")}, "More processors requested than permitted"),
    ],
)
def test_limits_that_are_enforced(request_: dict[str, object], text: str) -> None:
    virtual = Virtual(max_time_min=60, enforce_part_limits="ALL")
    assert refusal(virtual, **request_) == (text, "")
    assert virtual.submit(time_limit_min=60).id == 1


def test_a_job_accepted_for_its_time_limit_says_nothing_of_its_shape() -> None:
    virtual = Virtual(max_time_min=60)
    shape = {"ntasks": 129, "min_nodes": 1, "max_nodes": 1}
    waiting = virtual.submit(time_limit_min=61, **shape)  # type: ignore[arg-type]
    with pytest.raises(RejectedError):
        virtual.submit(time_limit_min=60, **shape)  # type: ignore[arg-type]
    assert list(virtual.cluster.jobs) == [waiting.id]


def test_nodes_that_are_down_count() -> None:
    virtual = Virtual()
    virtual.set_node(0, admin="DOWN")
    job = virtual.submit(ntasks=512)
    virtual.pass_time(10)
    assert (job.state, job.reason.split(",")[0]) == (SlurmState.PENDING, "Nodes required for job are DOWN")


@pytest.mark.parametrize("nodes", [{}, {"none": 0}])
def test_a_partition_without_cores_refuses_everything(nodes: dict[str, int]) -> None:
    virtual = Virtual({"empty": nodes, "small": {"one": 1}})
    warning = "CPU count per node can not be satisfied"
    assert refusal(virtual, partitions=("empty",)) == (NO_CONFIGURATION, warning)
    assert virtual.submit(partitions=("empty", "small")).id == 2


def test_accounts_are_folded_and_have_a_default() -> None:
    virtual = Virtual(accounts=("lcls:default", "lcls:mfx"), enforce_associations=True)
    assert virtual.submit(account="LCLS:MFX").request.account == "lcls:mfx"  # measured
    assert virtual.submit().request.account == "lcls:default"
