"""Slurm in the virtual world: controller, models and commands in one process, in virtual time.

    agenda = Agenda(1_800_000_000.0)
    slurm = VirtualSlurm(agenda, model_of=lambda job: JobModel(duration_s=60, log="done\\n"))
    slurm.run(["sbatch", "--output=a.out", "/opt/job.sh"])  # prints: Submitted batch job 1
    agenda.advance(agenda.now_s + 65)
    slurm.files  # {'/home/scientist/a.out': 'done\\n'}

The commands are those of the served world's fake; here nobody runs a process for them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from random import Random
from typing import NoReturn

from lute.seams.commands import CommandTimeout, Completed
from simulators.kernel.events import Agenda
from simulators.slurm.accounting import AccountingDatabase
from simulators.slurm.client import NO_REPLY, failure
from simulators.slurm.commands import Context, Reply, Request, run
from simulators.slurm.commands.dispatch import COMMANDS
from simulators.slurm.conf import SlurmConf
from simulators.slurm.controller import Controller, UnknownJobError
from simulators.slurm.job import Job
from simulators.slurm.models import JobModel, ModelLauncher
from simulators.slurm.request import Person
from simulators.slurm.state import Node, new_cluster

SCIENTIST = Person("scientist", 1001, "scientist", 1001, "/home/scientist", "/bin/bash")
"""Who runs everything on a virtual cluster that names nobody else."""
GIVE_UP_S = (9.0, 18.0)
"""After so long real clients give up on a controller that does not answer (measured)."""
MESSAGE_TIMEOUT_S = 10.0
"""After so long a client gives up on a reply (manual page: the default of MessageTimeout)."""


def any_script(path: str) -> str | None:
    """Return an empty batch script for every path, and nothing on standard input."""
    return "" if path == "-" else "#!/bin/bash\n"


class VirtualSlurm:
    """One cluster; as a `lute.seams.CommandRunner` it runs Slurm's commands.

    Whatever it is asked, it answers at once: in virtual time nothing has passed. `took_s` tells how long
    the command would have taken; whoever asks lets that time pass.

    Args:
        agenda: its time, in POSIX seconds.
        conf: the cluster; the default one has real Slurm's latencies, as measured.
        model_of: tells what a job does; called at each of its starts.
        person: who runs the commands and owns the jobs.
        host: short name of the computer that runs the commands.
        script_of: returns the text of the file that sbatch shall submit, by its absolute path (`-` for
            standard input), None if it cannot be read.
        draw: random numbers for the patience of clients.

    Attributes:
        took_s: how long the last command took, in seconds.
        is_down: True while the controller answers nobody. Jobs go on, and so does the scheduler, as nobody
            can see before it answers again (assumed).
        socket_timeout_submits: the next so many submissions get no reply in time.
        socket_timeout_accepts: whether those submissions have their effect all the same.
        env: the environment of commands that are given none.
    """

    def __init__(
        self,
        agenda: Agenda,
        conf: SlurmConf | None = None,
        model_of: Callable[[Job], JobModel] = lambda _job: JobModel(),
        person: Person = SCIENTIST,
        *,
        host: str = "sdfiana001",
        script_of: Callable[[str], str | None] = any_script,
        draw: Random | None = None,
    ) -> None:
        self.took_s = 0.0
        self.is_down = False
        self.socket_timeout_submits = 0
        self.socket_timeout_accepts = False
        self.env: dict[str, str] = {"HOME": person.home, "USER": person.user, "TZ": "UTC"}
        self.agenda = agenda
        self.cluster = new_cluster(conf or SlurmConf())
        self.launcher = ModelLauncher(model_of, host)
        self.controller = self.launcher.controller = Controller(self.cluster, agenda, self.launcher)
        self._disk = _Disk()
        self.launcher.files = self._disk
        self._draw = draw or Random("slurm.clients")  # noqa: S311 - replayable, not secret
        self._script_of = script_of
        self._person = person
        accounting = None
        if self.cluster.conf.accounting:
            database = accounting = AccountingDatabase(self.cluster)
            self.controller.life.on_change.append(lambda job: database.note(job, agenda.now_s))
        self._up = Context(self.controller, host, person, accounting)
        self._down = Context(self.controller, host, person, accounting, is_down=True)

    @property
    def person(self) -> Person:
        """Who runs the commands and owns the jobs."""
        return self._person

    @property
    def files(self) -> dict[str, str]:
        """What the jobs printed, by absolute path; broken UTF-8 stands as surrogate escapes."""
        return self.launcher.files

    @property
    def refuse_writes(self) -> bool:
        """True while the disk is full: a new output file stays empty, an old one as it is."""
        return self._disk.is_full

    @refuse_writes.setter
    def refuse_writes(self, is_full: bool) -> None:
        self._disk.is_full = is_full

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float = math.inf,
        env: Mapping[str, str] | None = None,
        cwd: PurePath | None = None,
    ) -> Completed:
        """Run a command of Slurm to its end; see `lute.seams.CommandRunner.run`.

        `sbatch --wait` waits longer than anybody here: it runs into its time limit, the job goes on.

        Raises:
            CommandTimeout: it would have taken longer than `timeout_s`; what it did is done.
            FileNotFoundError: there is no such program.
        """
        program = argv[0].rpartition("/")[2]
        if program not in COMMANDS:
            raise FileNotFoundError(program)
        request = Request(
            (program, *argv[1:]), self.env if env is None else env, str(cwd or self._person.home)
        )
        self.took_s = 0.0
        reply = self._reply(request)
        if reply.wait_for is not None:
            self.took_s = math.inf
        if self.took_s > timeout_s:
            self.took_s = timeout_s
            raise CommandTimeout(f"{program} was still running after {timeout_s:g} s")
        return Completed(reply.exit_code, reply.stdout, reply.stderr)

    def spawn(self, argv: Sequence[str], **_streams: object) -> NoReturn:
        """Refuse: in the virtual world nothing runs beside the caller."""
        raise NotImplementedError(f"there are no processes in the virtual world: {argv[0]}")

    def job(self, job_id: int) -> Job:
        """Return a job that Slurm remembers; raise UnknownJobError if there is none."""
        return self.controller.job(job_id)

    def node(self, name: str) -> Node:
        """Return a node, for `controller.nodes`; raise KeyError if there is none."""
        return self.cluster.nodes[self.cluster.index[name]]

    def fail_node(self, name: str) -> None:
        """Let a node die; its jobs fail or are requeued."""
        self.controller.nodes.fail(self.node(name))

    def resume_node(self, name: str) -> None:
        """Put a node back into service; raise InvalidNodeStateError if it is in service."""
        self.controller.nodes.resume(self.node(name))

    def preempt(self, job_id: int) -> None:
        """Take a running job's cores away; see `Controller.preempt`."""
        self.controller.preempt(job_id)

    def requeue(self, job_id: int) -> None:
        """Run a running job again from the beginning, later; see `Controller.requeue`."""
        self.controller.requeue(job_id)

    def purge(self, job_id: int) -> None:
        """Forget an ended job at once, as Slurm does by itself after MinJobAge.

        Raises:
            UnknownJobError: there is no such job.
            ValueError: it has not ended.
        """
        job = self.controller.job(job_id)
        if not job.state.is_final:
            raise ValueError(f"job {job_id} is {job.state}: Slurm forgets ended jobs only")
        life = self.controller.life
        life._ended_jobs.remove(job)  # else the next regular purge would look for it
        del self.cluster.jobs[job_id]
        for callback in life.on_forget:
            callback(job_id)

    def _reply(self, request: Request) -> Reply:
        program = request.argv[0]
        if self.is_down:
            if program != "sacct":  # that asks the database
                self.took_s = self._draw.uniform(*GIVE_UP_S)
            return run(request, self._down)
        if program == "sbatch" and self.socket_timeout_submits > 0:
            self.socket_timeout_submits -= 1
            self.took_s = MESSAGE_TIMEOUT_S
            reply = self._served(request) if self.socket_timeout_accepts else Reply()
            return reply if reply.exit_code else Reply(*failure(program, request.argv[1:], NO_REPLY))
        return self._served(request)

    def _served(self, request: Request) -> Reply:
        reply = run(request, self._up)
        if reply.read is None:
            return reply
        path = reply.read if reply.read == "-" else str(PurePath(request.cwd) / reply.read)
        return run(
            Request(request.argv, request.env, request.cwd, has_input=True, input=self._script_of(path)),
            self._up,
        )


class _Disk(dict[str, str]):
    """Output files by path. While it is full, a file can be made or emptied, but nothing goes into it."""

    is_full = False

    def __setitem__(self, path: str, text: str) -> None:
        if self.is_full:
            before = self.get(path, "")
            text = before if len(text) > len(before) and text.startswith(before) else ""
        super().__setitem__(path, text)


__all__ = ["SCIENTIST", "UnknownJobError", "VirtualSlurm", "any_script"]
