"""A cluster for tests of the commands: it reacts at once, time passes when told, and jobs end when told."""

from collections.abc import Mapping
from datetime import UTC, datetime

from simulators.kernel.events import Agenda
from simulators.slurm.accounting import AccountingDatabase
from simulators.slurm.commands import Context, Reply, Request, run
from simulators.slurm.conf import DEFAULT_PARTITIONS, TUNED, Latencies, SlurmConf
from simulators.slurm.controller import Controller
from simulators.slurm.job import Job
from simulators.slurm.request import Geometry, JobRequest, Person
from simulators.slurm.state import new_cluster

ME = Person("tester", 1001, "tester", 1001, "/home/tester", "/bin/bash")
START = datetime(2026, 11, 22, 10, 15, 36, tzinfo=UTC)


class Recorder:
    """Stands in for the processes: notes what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def start(self, job: Job) -> None:
        self.calls.append(("start", job.id, *job.node_names))

    def stop(self, job: Job, cause: str) -> None:
        self.calls.append(("stop", job.id, cause))

    def send(self, job: Job, signal_number: int, *, script_only: bool) -> None:
        self.calls.append(("send", job.id, int(signal_number), script_only))


class World:
    """Controller, launcher and commands on a clock of their own."""

    def __init__(
        self,
        partitions: Mapping[str, Mapping[str, int]] = DEFAULT_PARTITIONS,
        person: Person = ME,
        **conf: object,
    ) -> None:
        self.agenda = Agenda(START.timestamp())
        self.launcher = Recorder()
        self.cluster = new_cluster(
            SlurmConf(
                partitions=partitions,
                scheduler_parameters=TUNED,
                reservations=frozenset({"beam"}),
                latencies=Latencies(background_s=0),
                **conf,  # type: ignore[arg-type]
            )
        )
        self.controller = Controller(self.cluster, self.agenda, self.launcher)
        accounting = None
        if self.cluster.conf.accounting:
            accounting = AccountingDatabase(self.cluster)
            self.controller.life.on_change.append(lambda job: accounting.note(job, self.agenda.now_s))
        self.context = Context(self.controller, "vm", person, accounting)

    def pass_time(self, seconds: float) -> None:
        self.agenda.advance(self.agenda.now_s + seconds)

    def settle(self) -> None:
        """Let happen what is due now."""
        self.pass_time(0)

    def ended(self, job: Job, exit_code: int = 0, exit_signal: int = 0) -> None:
        """End the script of a job."""
        self.controller.ended(job.id, exit_code, exit_signal)
        self.settle()

    def submit(self, name: str = "job", partition: str = "milano", **geometry: object) -> Job:
        job = self.controller.submit(
            JobRequest(
                name=name,
                script="#!/bin/sh\n",
                person=ME,
                geometry=Geometry(**geometry),  # type: ignore[arg-type]
                partitions=(partition,),
            )
        )
        self.settle()
        return job

    def ask(
        self,
        *argv: str,
        script: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str = "/home/tester/w",
    ) -> Reply:
        """Run a command as its client would: read the script only when told to."""
        request = Request(argv, {"TZ": "UTC", **(env or {})}, cwd)
        reply = run(request, self.context)
        if reply.read is not None:
            reply = run(Request(argv, request.env, cwd, has_input=True, input=script), self.context)
        self.settle()
        return reply

    def wrap(self, *options: str, env: Mapping[str, str] | None = None) -> Job:
        """Submit with `--wrap` and return the job."""
        reply = self.ask("sbatch", *options, "--wrap=true", env=env)
        assert (reply.exit_code, reply.stderr) == (0, ""), reply
        return self.cluster.jobs[int(reply.stdout.split()[-1])]
