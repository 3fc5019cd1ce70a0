"""Job mixes: a dozen jobs with their times, and what became of them in recorded runs, as JSON."""

import re
from collections import Counter
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lute.errors import ConfigError, did_you_mean
from simulators.kernel.seeds import Seeds
from simulators.slurm.conf import TUNED
from simulators.slurm.hostlist import expand

_CPU_IDS = r"Nodes=(\S+) CPU_IDs=([\d,-]+)"
_NODES, _CORES = 4, 128


class MixJob(BaseModel):
    """A job to submit; in JSON the names are without units."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(min_length=1, pattern=r"^[\w-]+$")
    submit_s: float = Field(alias="submit", ge=0, description="seconds after the first submission")
    ntasks: int = Field(ge=1)
    nodes: str | None = Field(default=None, pattern=r"^[1-9]\d*(-[1-9]\d*)?$", description="as for --nodes")
    limit_min: int = Field(ge=1, description="time limit in minutes")
    duration_s: float = Field(alias="duration", ge=0, description="how long it sleeps, in seconds")

    @property
    def node_range(self) -> tuple[int, int] | None:
        """Fewest and most nodes, None if the job does not say."""
        if self.nodes is None:
            return None
        low, _, high = self.nodes.partition("-")
        return int(low), int(high or low)


class JobRecord(BaseModel):
    """What became of one job; times are seconds after the first submission. Recordings may tell more."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    name: str
    script_start_s: float = Field(alias="script_start", description="start, by the job's own clock")
    end_s: float = Field(alias="end", description="end, by the job's own clock")
    nodelist: str = Field(description="as in squeue: sdfmilan[001-002]")
    started_by: str = Field(description="Main or Backfill")
    cpu_ids: tuple[str, ...] = Field(description="as in `scontrol -d show job`: Nodes=... CPU_IDs=...")
    state_reason_seq: tuple[tuple[float, str, str], ...] = Field(
        min_length=1, description="the states seen: time, state, reason; the final one is the last"
    )

    @field_validator("cpu_ids")
    @classmethod
    def _check_cpu_ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if re.fullmatch(_CPU_IDS, text) is None:
                raise ValueError(f"not of the form Nodes=... CPU_IDs=...: {text}")
        return value

    @property
    def state(self) -> str:
        """The final state."""
        return self.state_reason_seq[-1][1]

    @property
    def cores(self) -> dict[str, str]:
        """Node -> ids of its cores, as Slurm writes them: `0-14,64-78`."""
        pairs = [re.findall(_CPU_IDS, text)[0] for text in self.cpu_ids]
        return {node: ids for nodes, ids in pairs for node in expand(nodes)}


class MixRun(BaseModel):
    """One run of a mix."""

    model_config = ConfigDict(frozen=True)

    run: str = Field(description="its name: rc5")
    scheduler: str = Field(default="", description="SchedulerParameters")
    origin_posix_s: float | None = Field(
        default=None,
        description="time of the first submission: backfill looks at the half minutes of the clock",
    )
    results: tuple[JobRecord, ...]

    @property
    def scheduler_parameters(self) -> str:
        """The parameters that `scheduler` names, as in slurm.conf; those of TUNED if it names none."""
        return ",".join(re.findall(r"\w+=\d+", self.scheduler)) or TUNED


class Mix(BaseModel):
    """A mix and its runs."""

    model_config = ConfigDict(frozen=True)

    about: str = ""
    cluster: str = ""
    units: str = ""
    jobs: tuple[MixJob, ...] = Field(min_length=1)
    runs: tuple[MixRun, ...] = ()

    @field_validator("jobs")
    @classmethod
    def _check_names(cls, value: tuple[MixJob, ...]) -> tuple[MixJob, ...]:
        twice = [name for name, times in Counter(job.name for job in value).items() if times > 1]
        if twice:
            raise ValueError(f"two jobs are called {twice[0]}")
        return value


def read_mix(file: Path) -> Mix:
    """Read a mix.

    Raises:
        ConfigError: the file is not one; the message names the field.
    """
    try:
        return Mix.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=file) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where}: {first['msg']}" if where else first["msg"], file=file) from error


def write_mix(mix: Mix, file: Path) -> None:
    """Write a mix so that `read_mix` reads it."""
    text = mix.model_dump_json(by_alias=True, exclude_none=True, indent=1)
    file.write_text(text + "\n", encoding="utf-8")


def recorded_run(mix: Mix, name: str, file: Path) -> MixRun:
    """Return one of the recorded runs of a mix.

    Raises:
        ConfigError: the file has no run of that name, or the run lacks jobs.
    """
    found = next((run for run in mix.runs if run.run == name), None)
    if found is None:
        hint = did_you_mean(name, [run.run for run in mix.runs])
        raise ConfigError(f"has no run '{name}': {hint}", file=file)
    if {record.name for record in found.results} != {job.name for job in mix.jobs}:
        raise ConfigError(f"run {name} has not exactly the jobs of the mix", file=file)
    return found


def random_mix(seed: int) -> Mix:
    """Return a mix of 12 jobs for 4 nodes of 128 cores that makes jobs wait, and others overtake them.

    Stream: `mix`.
    """
    draw = Seeds(seed).stream("mix")
    jobs, submit_s = [], 0.0
    for number in range(12):
        kind = draw.random()
        nodes: str | None = None
        if kind < 0.7:
            ntasks = draw.randint(1, _CORES)
        elif kind < 0.9:
            ntasks = draw.randint(_CORES + 1, _NODES * _CORES)
        else:
            count = draw.randint(2, 3)
            ntasks, nodes = draw.randint(count, count * _CORES), str(count)
        jobs.append(
            MixJob(
                name=f"j{number + 1}",
                submit_s=round(submit_s, 2),
                ntasks=ntasks,
                nodes=nodes,
                limit_min=draw.randint(1, 5),
                duration_s=draw.randint(3, 30),
            )
        )
        submit_s += draw.uniform(0.3, 1.0)
    return Mix(about=f"random mix of seed {seed}", cluster="4 nodes x 128 cores", jobs=tuple(jobs))
