from pathlib import Path

import pytest

from simulators.realslurm.configuration import devices, gres_conf, slurm_conf, slurmdbd_conf
from simulators.realslurm.layout import Layout
from simulators.realslurm.options import RealSlurmOptions

LAYOUT = Layout(
    folder=Path("/d"),
    run_dir=Path("/d/run"),
    host="vm",
    user="me",
    controller_port=10001,
    database_port=10002,
    node_ports={"n1": 10003, "n2": 10004, "n3": 10005},
)
PARTITIONS = {"milano": {"n1": 128, "n2": 3}, "ampere": {"n2": 3, "n3": 64}}


def lines(options: RealSlurmOptions) -> list[str]:
    return slurm_conf(options, LAYOUT).splitlines()


def of_word(options: RealSlurmOptions, word: str) -> list[str]:
    return [line for line in lines(options) if line.startswith(f"{word}=")]


def test_each_node_stands_once_on_this_computer_with_its_own_port() -> None:
    assert of_word(RealSlurmOptions(partitions=PARTITIONS, real_memory_mb=500), "NodeName") == [
        "NodeName=n1 NodeHostname=vm NodeAddr=127.0.0.1 Port=10003 CPUs=128 SocketsPerBoard=2"
        " CoresPerSocket=64 ThreadsPerCore=1 RealMemory=500",
        "NodeName=n2 NodeHostname=vm NodeAddr=127.0.0.1 Port=10004 CPUs=3 SocketsPerBoard=1"
        " CoresPerSocket=3 ThreadsPerCore=1 RealMemory=500",
        "NodeName=n3 NodeHostname=vm NodeAddr=127.0.0.1 Port=10005 CPUs=64 SocketsPerBoard=2"
        " CoresPerSocket=32 ThreadsPerCore=1 RealMemory=500",
    ]


def test_the_first_partition_is_the_default_one() -> None:
    options = RealSlurmOptions(
        partitions=PARTITIONS, max_time_min=60, partition_extra={"ampere": "State=DRAIN"}
    )
    assert of_word(options, "PartitionName") == [
        "PartitionName=milano Nodes=n1,n2 Default=YES MaxTime=60",
        "PartitionName=ampere Nodes=n2,n3 MaxTime=60 State=DRAIN",
    ]


def test_scheduler_parameters_are_tuned_unless_told_otherwise() -> None:
    [tuned] = of_word(RealSlurmOptions(partitions=PARTITIONS), "SchedulerParameters")
    assert "bf_interval=1" in tuned
    assert not of_word(
        RealSlurmOptions(partitions=PARTITIONS, scheduler_parameters=""), "SchedulerParameters"
    )


def test_limits_and_further_lines() -> None:
    options = RealSlurmOptions(
        partitions=PARTITIONS,
        kill_wait_s=2,
        min_job_age_s=10,
        conf_lines=("EnforcePartLimits=ALL", "KillWait=9"),
    )
    assert of_word(options, "KillWait") == ["KillWait=2", "KillWait=9"]
    assert of_word(options, "MinJobAge") == ["MinJobAge=10"]
    assert lines(options)[-2:] == ["EnforcePartLimits=ALL", "KillWait=9"]


def test_files_stand_for_gpus() -> None:
    options = RealSlurmOptions(partitions=PARTITIONS, node_gres={"n2": "gpu:a100:2", "n3": "gpu:1"})
    assert of_word(options, "GresTypes") == ["GresTypes=gpu"]
    assert [line.rpartition(" ")[2] for line in of_word(options, "NodeName")][1:] == [
        "Gres=gpu:a100:2",
        "Gres=gpu:1",
    ]
    assert gres_conf(options, LAYOUT).splitlines() == [
        "AutoDetect=off",
        "NodeName=n2 Name=gpu Type=a100 File=/d/gpu0,/d/gpu1",
        "NodeName=n3 Name=gpu File=/d/gpu0",
    ]
    assert devices(options) == ["gpu0", "gpu1"]


def test_accounting_is_off_unless_asked_for() -> None:
    assert not [line for line in lines(RealSlurmOptions(partitions=PARTITIONS)) if "Accounting" in line]
    options = RealSlurmOptions(
        partitions=PARTITIONS, accounting=True, accounts=("lcls:a",), enforce="associations"
    )
    assert "AccountingStorageType=accounting_storage/slurmdbd" in lines(options)
    assert "AccountingStoragePass=/d/run/munge.sock" in lines(options)
    assert "AccountingStorageEnforce=associations" in lines(options)
    assert "DbdPort=10002" in slurmdbd_conf(LAYOUT)


@pytest.mark.parametrize(
    "text", [slurm_conf(RealSlurmOptions(partitions=PARTITIONS), LAYOUT), slurmdbd_conf(LAYOUT)]
)
def test_nothing_listens_beyond_this_computer(text: str) -> None:
    [line] = [line for line in text.splitlines() if line.startswith("CommunicationParameters=")]
    assert "NoInAddrAny" in line


def test_what_slurm_would_answer_with_a_riddle_is_refused() -> None:
    with pytest.raises(ValueError, match="accounting=True"):
        RealSlurmOptions(enforce="associations")
    with pytest.raises(ValueError, match="node n has 1 cores in one partition and others in another"):
        RealSlurmOptions(partitions={"a": {"n": 4}, "b": {"n": 1}})
