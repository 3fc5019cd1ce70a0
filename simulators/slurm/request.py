"""What a user asks for when submitting a job."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_UMASK = 0o022
"""File mode bits that a job's files do not get, unless its submitter says otherwise."""
UNLIMITED_MIN = 0xFFFFFFFF
"""The time limit that is none, in minutes; Slurm's own INFINITE."""


@dataclass(frozen=True)
class Person:
    """Who submits."""

    user: str
    uid: int
    group: str
    gid: int
    home: str
    shell: str


@dataclass(frozen=True, slots=True)
class Geometry:
    """How many tasks on how many nodes; None where the user did not say.

    Attributes:
        ntasks: tasks in all.
        cpus_per_task: cores for each; None counts as 1.
        min_nodes: fewest nodes; 0 makes real Slurm block whole nodes (measured).
        max_nodes: most nodes; equal to `min_nodes` for `--nodes=k`.
        ntasks_per_node: tasks on each node, or at most so many if `ntasks` and nodes are given too.
        exclusive: True if no other job may share its nodes.
        gpus_per_node: devices on each node.
    """

    ntasks: int | None = None
    cpus_per_task: int | None = None
    min_nodes: int | None = None
    max_nodes: int | None = None
    ntasks_per_node: int | None = None
    exclusive: bool = False
    gpus_per_node: int = 0

    @property
    def cpus(self) -> int:
        """Cores of one task."""
        return self.cpus_per_task or 1

    @property
    def min_tasks(self) -> int:
        """Tasks it needs at least."""
        if self.ntasks is not None:
            return self.ntasks
        return (self.ntasks_per_node or 1) * max(1, self.min_nodes or 1)

    @property
    def min_cpus(self) -> int:
        """Cores it needs at least."""
        return self.min_tasks * self.cpus


@dataclass(frozen=True)
class ArraySpec:
    """The value of `--array`.

    Attributes:
        text: as given, for messages.
        tasks: the task ids, ascending.
        throttle: how many may run at the same time, 0 for any number.
        step: the step of a range such as `3-7:2`, else 1.
    """

    text: str
    tasks: tuple[int, ...]
    throttle: int = 0
    step: int = 1


@dataclass(frozen=True)
class JobRequest:
    """One submission.

    Attributes:
        script: the text that runs, broken UTF-8 as surrogate escapes.
        arguments: arguments of the script.
        command: what `scontrol show job` shows as Command.
        work_dir: working directory of the job, absolute.
        env: environment of the submitter.
        export: value of `--export`, None for the default (all).
        partitions: names in order of preference.
        nodelist, exclude: node names that the job must or must not have.
        stdout, stderr, stdin: patterns as given; None for the default.
        umask: of the submitter, and so of the job (measured).
        append: True for `--open-mode=append`.
        time_limit_min: minutes, `UNLIMITED_MIN`, or None if not given.
        begin_s: POSIX time before which it may not start; 0 for none.
        dependency: value of `--dependency`, empty if none.
        nice: taken off its priority.
        requeue: whether it is run again after a node failure; None for the cluster's default.
        memory_env: SLURM_MEM_PER_NODE or _CPU and its value in MB; recorded, never enforced.
        array: its tasks if it is an array.
    """

    name: str
    script: str
    person: Person
    geometry: Geometry = field(default_factory=Geometry)
    arguments: tuple[str, ...] = ()
    command: str = "(null)"
    work_dir: str = "/"
    submit_dir: str = "/"
    submit_host: str = "localhost"
    env: Mapping[str, str] = field(default_factory=dict)
    export: str | None = None
    partitions: tuple[str, ...] = ()
    nodelist: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    account: str = ""
    qos: str = ""
    reservation: str = ""
    comment: str = ""
    stdout: str | None = None
    stderr: str | None = None
    stdin: str | None = None
    umask: int = DEFAULT_UMASK
    append: bool = False
    time_limit_min: int | None = None
    begin_s: float = 0.0
    dependency: str = ""
    kill_on_invalid_dependency: bool = False
    nice: int = 0
    hold: bool = False
    requeue: bool | None = None
    memory_env: tuple[str, int] | None = None
    gres: str = ""
    array: ArraySpec | None = None
