"""The clusters that the suite runs on, each described once for the fake and for the real thing."""

from dataclasses import dataclass, field

from simulators.realslurm import RealSlurmOptions
from simulators.slurm.conf import DEFAULT_GRES, TUNED, SlurmConf

STATES = {"drain": "DRAIN", "inactive": "INACTIVE", "down": "DOWN"}
PARTITIONS = {
    "milano": {f"sdfmilan{index:03d}": 128 for index in range(1, 5)},
    "ampere": {f"sdfampere{index:03d}": 64 for index in range(1, 3)},
    **{name: {f"sdf{name}001": 8} for name in STATES},
}
"""The small S3DF, and a partition in each unusual state."""


@dataclass(frozen=True)
class Profile:
    """One cluster.

    Attributes:
        max_time_min: MaxTime of every partition.
        enforce_part_limits: EnforcePartLimits.
        accounts: the accounts that exist; with `enforce`, no others are accepted.
        min_job_age_s: MinJobAge.
    """

    name: str
    max_time_min: int | None = None
    enforce_part_limits: str = "NO"
    accounting: bool = False
    accounts: tuple[str, ...] = ()
    enforce: bool = False
    min_job_age_s: int = 300
    states: dict[str, str] = field(default_factory=lambda: dict(STATES))

    @property
    def fake(self) -> SlurmConf:
        """The fake's slurm.conf."""
        return SlurmConf(
            partitions=PARTITIONS,
            node_gres=DEFAULT_GRES,
            scheduler_parameters=TUNED,
            min_job_age_s=self.min_job_age_s,
            max_time_min=self.max_time_min,
            partition_state=self.states,
            enforce_part_limits=self.enforce_part_limits,
            accounting=self.accounting,
            accounts=self.accounts,
            enforce_associations=self.enforce,
            step_prefix="slurmstepd-{node}",
        )

    @property
    def real(self) -> RealSlurmOptions:
        """The real one's."""
        return RealSlurmOptions(
            partitions=PARTITIONS,
            node_gres=DEFAULT_GRES,
            min_job_age_s=self.min_job_age_s,
            max_time_min=self.max_time_min,
            partition_extra={name: f"State={state}" for name, state in self.states.items()},
            conf_lines=(f"EnforcePartLimits={self.enforce_part_limits}",),
            accounting=self.accounting,
            accounts=self.accounts,
            enforce="associations" if self.enforce else "",
        )


DEFAULT = Profile("default")
LIMITS = Profile("limits", max_time_min=60)
STRICT = Profile("strict", max_time_min=60, enforce_part_limits="ALL")
BOOKED = Profile("booked", accounting=True, accounts=("lcls:default", "lcls:mfxl1033223"), enforce=True)
BRIEF = Profile("brief", min_job_age_s=10)
"""Forgets ended jobs soon."""
