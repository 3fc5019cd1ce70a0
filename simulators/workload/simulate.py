"""A mix on the fake Slurm, in virtual time."""

from collections.abc import Callable

from simulators.kernel.events import Agenda
from simulators.slurm.conf import DEFAULT_PARTITIONS, TUNED, Latencies, SlurmConf
from simulators.slurm.controller import Controller
from simulators.slurm.cores import core_list
from simulators.slurm.hostlist import compress
from simulators.slurm.job import Job
from simulators.slurm.models import JobModel, ModelLauncher
from simulators.slurm.request import Geometry, JobRequest, Person
from simulators.slurm.state import new_cluster
from simulators.workload.mix import JobRecord, Mix, MixJob, MixRun
from simulators.workload.phases import latencies_of

PARTITIONS = {"milano": DEFAULT_PARTITIONS["milano"]}
"""The cluster of every mix: four nodes of 128 cores, as that of the recordings."""

_ORIGIN_S = 1_800_000_000.0
"""When runs begin unless told otherwise: at a full minute."""
_SBATCH_S = 0.02
"""From the call of sbatch to the controller's having the job (measured)."""
_TESTER = Person("tester", 1001, "tester", 1001, "/home/tester", "/bin/bash")


def simulate(
    mix: Mix,
    scheduler_parameters: str = TUNED,
    origin_posix_s: float | None = None,
    latencies: Latencies | None = None,
) -> MixRun:
    """Run a mix to its end.

    Args:
        scheduler_parameters: as in slurm.conf.
        origin_posix_s: when the run begins.
        latencies: when the controller's loops run, and how long a launch and an end take.
    """
    origin_s = _ORIGIN_S if origin_posix_s is None else origin_posix_s
    durations_s = {job.name: job.duration_s for job in mix.jobs}
    agenda = Agenda(origin_s)
    conf = SlurmConf(
        partitions=PARTITIONS,
        scheduler_parameters=scheduler_parameters,
        latencies=latencies or Latencies(),
    )
    launcher = ModelLauncher(lambda job: JobModel(duration_s=durations_s[job.request.name]))
    controller = launcher.controller = Controller(new_cluster(conf), agenda, launcher)
    ended: dict[str, Job] = {}
    controller.life.on_end.append(lambda job: ended.__setitem__(job.request.name, job))
    for job in mix.jobs:
        agenda.at(origin_s + job.submit_s + _SBATCH_S, _submission(controller, job))
    agenda.run()
    return MixRun(
        run="fake",
        scheduler=scheduler_parameters,
        origin_posix_s=origin_s,
        results=tuple(_record(ended[job.name], conf, origin_s) for job in mix.jobs),
    )


def simulate_like(mix: Mix, run: MixRun) -> MixRun:
    """Run a mix with all that a run of it on real Slurm had: parameters, time, moments of the loops."""
    return simulate(mix, run.scheduler_parameters, run.origin_posix_s, latencies_of(run))


def _submission(controller: Controller, job: MixJob) -> Callable[[], None]:
    low, high = job.node_range or (None, None)
    geometry = Geometry(ntasks=job.ntasks, min_nodes=low, max_nodes=high)
    request = JobRequest(
        job.name, "", _TESTER, geometry, partitions=tuple(PARTITIONS), time_limit_min=job.limit_min
    )

    def submit() -> None:
        controller.submit(request)

    return submit


def _record(job: Job, conf: SlurmConf, origin_s: float) -> JobRecord:
    start_s, end_s = (job.start_s or 0.0) - origin_s, (job.end_s or 0.0) - origin_s
    latencies = conf.latencies
    return JobRecord(
        name=job.request.name,
        script_start_s=round(start_s + latencies.launch_s, 3),
        end_s=round(end_s - latencies.completion_s, 3),
        nodelist=compress(job.node_names),
        started_by=job.scheduler,
        cpu_ids=tuple(
            f"Nodes={name} CPU_IDs={core_list(cores)}"
            for name, cores in zip(job.node_names, job.cores, strict=True)
        ),
        state_reason_seq=((round(end_s, 3), str(job.state), job.reason),),
    )
