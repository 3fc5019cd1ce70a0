"""What a private Slurm is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulators.slurm.conf import DEFAULT_PARTITIONS, TUNED


@dataclass(frozen=True)
class RealSlurmOptions:
    """One cluster; names and texts are those of slurm.conf.

    Attributes:
        partitions: partition -> node -> cores; the first is the default one.
        node_gres: node -> `gpu:TYPE:COUNT` or `gpu:COUNT`; empty files stand for the devices.
        real_memory_mb: memory of each node; requests are held against it, use is not.
        scheduler_parameters: empty for Slurm's own defaults.
        kill_wait_s: from SIGTERM to SIGKILL.
        min_job_age_s: an ended job is forgotten some time after so many seconds.
        max_time_min: longest time limit of every partition, None for none.
        partition_extra: partition -> more of its PartitionName line, for example `State=DRAIN`.
        conf_lines: more lines of slurm.conf; they win over those that are there already.
        accounting: whether there is a database (slurmdbd on a private MariaDB), so that sacct answers.
        accounts: the accounts of the user who runs this; the first is the default one.
        enforce: AccountingStorageEnforce, for example `associations`.
    """

    partitions: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: DEFAULT_PARTITIONS)
    node_gres: Mapping[str, str] = field(default_factory=dict)
    real_memory_mb: int = 8000
    scheduler_parameters: str = TUNED
    kill_wait_s: int = 5
    min_job_age_s: int = 300
    max_time_min: int | None = None
    partition_extra: Mapping[str, str] = field(default_factory=dict)
    conf_lines: tuple[str, ...] = ()
    accounting: bool = False
    accounts: tuple[str, ...] = ()
    enforce: str = ""

    def __post_init__(self) -> None:
        """Check what Slurm would answer with a riddle.

        Raises:
            ValueError: accounts without accounting, or a node whose cores differ between partitions.
        """
        if (self.accounts or self.enforce) and not self.accounting:
            raise ValueError("accounts and enforce need accounting=True")
        for name, cores in self.nodes.items():
            if any(members.get(name, cores) != cores for members in self.partitions.values()):
                raise ValueError(f"node {name} has {cores} cores in one partition and others in another")

    @property
    def nodes(self) -> dict[str, int]:
        """Node -> cores, each node once."""
        return {name: cores for members in self.partitions.values() for name, cores in members.items()}
