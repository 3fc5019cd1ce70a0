"""What a scenario file may say."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from lute.launch.arguments import RUN_TIME
from simulators.faults.kinds import AnyFault
from simulators.faults.model import Fault

Verdict = Literal["success", "failed", "none"]
"""The state in which the DAG run ended; `none` if there is no run at the end."""

Seconds = Annotated[float, Field(ge=0)]
_LONGEST_S = 1e9


def _known_duration(given: object) -> object:
    """Refuse in one sentence what the alternatives of a union would refuse in one each."""
    if not isinstance(given, list | tuple):
        if _is_duration(given):
            return given
        raise ValueError("should be seconds, or two bounds [shortest, longest]")
    if len(given) != 2 or not all(_is_duration(bound) for bound in given) or given[0] > given[1]:
        raise ValueError("should be two bounds [shortest, longest], in seconds")
    return given


def _is_duration(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= _LONGEST_S


def _known_exit_code(given: object) -> object:
    if given is None or given == "killed" or (isinstance(given, int) and not isinstance(given, bool)):
        return given
    raise ValueError("should be a number, or killed")


Duration = Annotated[float | tuple[float, float], BeforeValidator(_known_duration)]
"""Seconds: a number, or two bounds between which it is drawn evenly."""
LauncherExit = Annotated[int | Literal["killed"] | None, BeforeValidator(_known_exit_code)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TaskModel(_Model):
    """What one job does.

    Attributes:
        duration_s: how long it runs.
        hangs: it runs until it is ended.
        exit_code: of its script.
        signal: the signal that ends it; 0 for none.
        out_of_memory: the kernel kills something of it, whatever its exit code.
        fails_to_launch: its output file cannot be opened.
        ignores_term: only SIGKILL ends it.
        on_term: exit code with which its script ends on SIGTERM.
        log: what it prints.
        reports_counters: it reports progress to the eLog, as the Executor does.
    """

    duration_s: Duration = (10.0, 60.0)
    hangs: bool = False
    exit_code: int = Field(default=0, ge=0, le=255)
    signal: int = Field(default=0, ge=0, le=64)
    out_of_memory: bool = False
    fails_to_launch: bool = False
    ignores_term: bool = False
    on_term: int | None = None
    log: str = "simulated {task}, job {job}\n"
    reports_counters: bool = False


class ClusterModel(_Model):
    """The Slurm cluster, where it differs from the default one.

    Attributes:
        partitions: partition -> node -> cores; None for the default ones.
        job_requeue: whether jobs run again after their node failed.
        min_job_age_s: an ended job is forgotten after so long.
        max_time_min: longest time limit.
    """

    partitions: dict[str, dict[str, int]] | None = None
    job_requeue: bool = True
    min_job_age_s: float = Field(default=300.0, gt=0)
    max_time_min: int | None = Field(default=None, gt=0)


class Expected(_Model):
    """How a run should end; what is not given may be anything.

    Attributes:
        run: state of the DAG run.
        exit_code: of every launcher; `killed` for one that was killed.
        tasks: label -> state in Airflow.
        jobs: label -> number of Slurm jobs that were ever submitted for it.
        says: texts that the launcher prints.
    """

    run: Verdict | None = None
    exit_code: LauncherExit = None
    tasks: dict[str, str] = Field(default_factory=dict)
    jobs: dict[str, int] = Field(default_factory=dict)
    says: tuple[str, ...] = ()


class Scenario(_Model):
    """One scenario.

    Attributes:
        name: what it is called; the file's name for one of the library.
        about: what happens, in a sentence.
        seen: where such a thing was seen.
        workflow: which workflow runs, unless the command line says otherwise.
        user_workflow: text of a file that is given to the launcher by -W; `workflow` is run_time then.
        airflow: with which major version of Airflow it is as described; None for both.
        launches: how many launchers start it at the same moment.
        started_from: whether the ARP starts the launcher, for the eLog, or a user in a shell.
        slurm_args: arguments for Slurm on the launcher's command line.
        token_channel: how the token reaches the operators; see `[jid] token_channel` of a site file.
        retries, retry_delay_s: of every task, where the DAG file gives none.
        deferrable: whether steps wait in the triggerer, where the DAG file does not say.
        tasks: label -> what its jobs do; a list gives the first, the second and so on; `*` is for the others.
        faults: what goes wrong.
        deadline_s: the run must have ended after so long.
        expect: how it should end.
        xfail: why production does not survive it yet; empty if it does.
    """

    name: str = "unnamed"
    about: str = ""
    seen: str = ""
    workflow: str = "test"
    user_workflow: str = ""
    airflow: Literal[2, 3] | None = None
    launches: int = Field(default=1, ge=1, le=100)
    started_from: Literal["elog", "shell"] = "elog"
    slurm_args: tuple[str, ...] = ("--partition=milano", "--account=lcls:virtual", "--ntasks=4")
    token_channel: Literal["conf", "variable"] = "conf"  # noqa: S105 - no password
    retries: int = Field(default=0, ge=0, le=100)
    retry_delay_s: Seconds = 30.0
    deferrable: bool = False
    cluster: ClusterModel = ClusterModel()
    tasks: dict[str, tuple[TaskModel, ...]] = Field(default_factory=dict)
    faults: tuple[AnyFault, ...] = ()
    deadline_s: float = Field(default=6 * 3600.0, gt=0)
    expect: Expected = Expected()
    xfail: str = ""

    @model_validator(mode="before")
    @classmethod
    def _one_workflow(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("user_workflow"):
            return {"workflow": RUN_TIME, **given}
        return given

    @field_validator("tasks", mode="before")
    @classmethod
    def _one_or_many(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {name: found if isinstance(found, list | tuple) else [found] for name, found in given.items()}

    def with_faults(self, faults: "tuple[Fault, ...]") -> "Scenario":
        """Return the same scenario with other faults."""
        return self.model_copy(update={"faults": faults})

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002
        """Show it as the text of a file, in IPython and in Hypothesis's reports."""
        from simulators.scenario.loader import dump_scenario

        printer.text(f"\n{dump_scenario(self)}")

    def to_plain(self) -> dict[str, object]:
        """Return it as JSON or YAML can hold it; what is as by default is left out."""
        plain = self.model_dump(mode="json", exclude_defaults=True, exclude={"faults"})
        if self.faults:
            plain["faults"] = [
                {"what": fault.what, **fault.model_dump(mode="json", exclude_defaults=True)}
                for fault in self.faults
            ]
        return plain
