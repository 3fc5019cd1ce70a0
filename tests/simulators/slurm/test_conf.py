"""slurm.conf."""

import pytest

from simulators.slurm.conf import TUNED, SchedulerParameters, SlurmConf, parse_scheduler_parameters
from simulators.slurm.state import new_cluster


def test_the_defaults_are_those_of_slurm() -> None:
    parameters = SlurmConf().scheduler
    assert parameters == parse_scheduler_parameters("") == SchedulerParameters()
    assert (parameters.bf_interval, parameters.bf_resolution, parameters.batch_sched_delay) == (30, 60, 3)


def test_parameters_are_read() -> None:
    read = parse_scheduler_parameters(f"{TUNED},default_queue_depth=7,,bf_continue,bf_window=60")
    expected = SchedulerParameters(
        bf_interval=1, bf_resolution=1, batch_sched_delay=0, default_queue_depth=7, bf_window=60
    )
    assert read == expected


@pytest.mark.parametrize(
    "word", ["bf_interval", "bf_interval=", "bf_interval=-1", "bf_interval=²", "defer", "x=1"]
)
def test_what_is_not_simulated_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"^SchedulerParameters: not simulated: "):
        parse_scheduler_parameters(f"bf_resolution=1,{word}")


def test_a_cluster_from_its_configuration() -> None:
    conf = SlurmConf(
        partitions={"big": {"b": 4, "a": 2}, "small": {"a": 2}},
        node_gres={"a": "gpu:a100:3", "b": "gpu:1"},
        partition_state={"small": "DOWN"},
        max_time_min=60,
    )
    cluster = new_cluster(conf)
    assert [(node.name, node.cpus, node.gpu_type, node.gpus) for node in cluster.nodes] == [
        ("b", 4, "", 1),
        ("a", 2, "a100", 3),
    ]
    big, small = cluster.partitions.values()
    assert (big.nodes, big.mask, big.is_default, big.total_cpus) == ((0, 1), 0b11, True, 6)
    assert (small.nodes, small.mask, small.is_default, small.state) == ((1,), 0b10, False, "DOWN")
    assert (big.max_time_min, cluster.default_partition(), cluster.available) == (60, big, 0b11)
    assert (cluster.pool.free, cluster.pool.gpus) == ([4, 2], [1, 3])


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        (SlurmConf(partitions={"a": {"n": 1}, "b": {"n": 2}}), "node n has 2 cores in one partition"),
        (SlurmConf(node_gres={"sdfmilan001": "mps:4"}), "Gres=mps:4: only"),
        (SlurmConf(node_gres={"sdfmilan001": "gpu:a:b:4"}), "Gres=gpu:a:b:4: only"),
        (SlurmConf(node_gres={"sdfmilan001": "gpu:a"}), "Gres=gpu:a: only"),
    ],
)
def test_a_contradiction_is_named(conf: SlurmConf, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        new_cluster(conf)
