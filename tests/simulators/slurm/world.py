"""A cluster for tests: its clock stands still until told, and its jobs end when told."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from simulators.slurm.commands import Context, Reply, Request, run
from simulators.slurm.controller import Controller
from simulators.slurm.request import Geometry, JobRequest, Person
from simulators.slurm.state import DEFAULT_PARTITIONS, Job, new_cluster

ME = Person("tester", 1001, "tester", 1001, "/home/tester", "/bin/bash")


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
        max_time_min: int | None = None,
    ) -> None:
        self.time = datetime(2026, 11, 22, 10, 15, 36, tzinfo=UTC)
        self.launcher = Recorder()
        cluster = new_cluster(partitions, max_time_min=max_time_min, reservations=frozenset({"beam"}))
        self.cluster = cluster
        self.controller = Controller(cluster, lambda: self.time, self.launcher)
        self.context = Context(self.controller, "vm", ME)

    def pass_time(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.controller.tick()

    def submit(self, name: str = "job", partition: str = "milano", **geometry: object) -> Job:
        return self.controller.submit(
            JobRequest(
                name=name,
                script="#!/bin/sh\n",
                person=ME,
                geometry=Geometry(**geometry),  # type: ignore[arg-type]
                partitions=(partition,),
            )
        )

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
        if reply.read is None:
            return reply
        return run(Request(argv, request.env, cwd, has_input=True, input=script), self.context)

    def wrap(self, *options: str, env: Mapping[str, str] | None = None) -> Job:
        """Submit with `--wrap` and return the job."""
        reply = self.ask("sbatch", *options, "--wrap=true", env=env)
        assert (reply.exit_code, reply.stderr) == (0, ""), reply
        return self.cluster.jobs[int(reply.stdout.split()[-1])]
