"""The records that `scontrol show` prints, as lists of lines. Those of jobs are measured, others assumed."""

from itertools import groupby

from simulators.slurm import dependency, patterns
from simulators.slurm.arrays import waiting_list
from simulators.slurm.commands.fields import (
    View,
    end_time_s,
    limit_min,
    num_nodes,
    run_time_s,
    start_time_s,
)
from simulators.slurm.cores import core_list
from simulators.slurm.hostlist import compress
from simulators.slurm.job import Job
from simulators.slurm.state import Cluster, Node, Partition
from simulators.slurm.times import clock_duration, limit_text, stamp


def job_record(job: Job, view: View, *, detail: bool = False) -> list[str]:
    """Return the lines of `scontrol show job`; with `detail` those of `-d` too."""
    request, person, cluster, zone = job.request, job.request.person, view.cluster, view.zone
    submit, start = stamp(job.submit_s, zone), stamp(start_time_s(job), zone)
    pending = not job.shares
    qos = request.qos or ("normal" if cluster.conf.accounting else "(null)")
    requeue = cluster.conf.job_requeue if request.requeue is None else request.requeue
    limit = limit_text(limit_min(job, cluster), short=False)
    array = job.array
    lines = []
    if array is not None:
        task = waiting_list(job) if array.task_id is None else array.task_id
        first = f"JobId={job.id} ArrayJobId={array.job_id} ArrayTaskId={task}"
        throttle = request.array.throttle if request.array else 0
        lines.append(
            f"{first} ArrayTaskThrottle={throttle} JobName={request.name}"
            if throttle
            else f"{first} JobName={request.name}"
        )
    else:
        lines.append(f"JobId={job.id} JobName={request.name}")
    num_nodes_text = str(num_nodes(job, cluster))
    if pending and request.geometry.max_nodes not in (None, request.geometry.min_nodes):
        num_nodes_text += f"-{request.geometry.max_nodes}"
    lines += [
        f"UserId={person.user}({person.uid}) GroupId={person.group}({person.gid}) MCS_label=N/A",
        f"Priority={job.priority} Nice={request.nice} Account={request.account or '(null)'} QOS={qos}",
        f"JobState={job.state} Reason={job.reason.replace(' ', '_')}"
        f" Dependency={dependency.show(job, cluster.jobs)}",
        f"Requeue={int(requeue)} Restarts={job.restarts} BatchFlag=1 Reboot=0 "
        f"ExitCode={job.exit_code}:{job.exit_signal}",
    ]
    if detail:
        lines.append("DerivedExitCode=0:0")
    eligible = "Unknown" if job.hold else stamp(max(job.eligible_s, job.submit_s), zone)
    lines += [
        f"RunTime={clock_duration(run_time_s(job, view.now_s))} TimeLimit={limit} TimeMin=N/A",
        f"SubmitTime={submit} EligibleTime={eligible}",
        f"AccrueTime={'Unknown' if job.reason in _NOT_ACCRUING else eligible}",
        f"StartTime={start} EndTime={stamp(end_time_s(job, cluster), zone)} Deadline=N/A",
        f"SuspendTime=None SecsPreSuspend=0 LastSchedEval={submit if pending else start}"
        f" Scheduler={job.scheduler}",
        f"Partition={job.partition} AllocNode:Sid={request.submit_host}:1",
        f"ReqNodeList={','.join(request.nodelist) or '(null)'}"
        f" ExcNodeList={','.join(request.exclude) or '(null)'}",
        f"NodeList={compress(job.node_names)}",
    ]
    if not pending:
        lines.append(f"BatchHost={job.node_names[0]}")
    cpus, tasks = job.num_cpus, job.num_tasks
    lines += [
        f"NumNodes={num_nodes_text} NumCPUs={cpus} NumTasks={tasks} "
        f"CPUs/Task={request.geometry.cpus} ReqB:S:C:T=0:0:*:*",
        f"TRES=cpu={cpus},node={num_nodes(job, cluster)},billing={cpus}",
        f"Socks/Node=* NtasksPerN:B:S:C={request.geometry.ntasks_per_node or 0}:0:*:* CoreSpec=*",
    ]
    if detail and not pending:
        lines += _core_lines(job)
    lines += [
        f"MinCPUsNode={request.geometry.cpus} MinMemoryNode=0 MinTmpDiskNode=0",
        "Features=(null) DelayBoot=00:00:00",
    ]
    if request.reservation:
        lines.append(f"Reservation={request.reservation}")
    shared = "NO" if request.geometry.exclusive else "OK"
    lines += [
        f"OverSubscribe={shared} Contiguous=0 Licenses=(null) Network=(null)",
        f"Command={request.command}",
        f"WorkDir={request.work_dir}",
    ]
    if request.comment:
        lines.append(f"Comment={request.comment}")
    lines += [
        f"StdErr={patterns.shown(patterns.error_pattern(job), job)}",
        f"StdIn={patterns.stdin_path(job, view.host)}",
        f"StdOut={patterns.shown(patterns.output_pattern(job), job)}",
        "Power=",
    ]
    if request.gres:
        lines.append(f"TresPerNode={request.gres}")
    return [*lines, ""]


_NOT_ACCRUING = frozenset(
    ["BeginTime", "Dependency", "DependencyNeverSatisfied", "JobHeldUser", "JobHeldAdmin"]
)


def _core_lines(job: Job) -> list[str]:
    """Return which cores a job has, one line for neighbouring nodes with the same ones (measured)."""
    groups = groupby(zip(job.node_names, job.cores, strict=True), key=lambda pair: pair[1])
    return [
        f"  Nodes={compress(name for name, _ in members)} CPU_IDs={core_list(cores)} Mem=0 GRES="
        for cores, members in groups
    ]


def node_record(cluster: Cluster, node: Node) -> list[str]:
    """Return the lines of `scontrol show node`."""
    free = cluster.pool.free[node.index]
    memory = cluster.conf.real_memory_mb
    partitions = ",".join(part.name for part in cluster.partitions.values() if node.index in part.nodes)
    base = "IDLE" if free == node.cpus else "MIXED" if free else "ALLOCATED"
    state = {"": base, "DRAIN": f"{base}+DRAIN", "DOWN": "DOWN" if node.responding else "DOWN*"}[node.admin]
    gres = f"gpu:{node.gpu_type}:{node.gpus}" if node.gpus else "(null)"
    lines = [
        f"NodeName={node.name} Arch=x86_64 CoresPerSocket={max(1, node.cpus // 2)} ",
        f"CPUAlloc={node.cpus - free} CPUEfctv={node.cpus} CPUTot={node.cpus} CPULoad=0.00",
        "AvailableFeatures=(null)",
        "ActiveFeatures=(null)",
        f"Gres={gres}",
        f"NodeAddr={node.name} NodeHostName={node.name} Version=22.05.8",
        f"RealMemory={memory} AllocMem=0 FreeMem={memory} Sockets=2 Boards=1",
        f"State={state} ThreadsPerCore=1 TmpDisk=0 Weight=1 Owner=N/A MCS_label=N/A",
        f"Partitions={partitions} ",
        f"CfgTRES=cpu={node.cpus},mem={memory}M,billing={node.cpus}",
        f"AllocTRES=cpu={node.cpus - free}" if free < node.cpus else "AllocTRES=",
    ]
    return [*lines, f"Reason={node.reason}"] if node.reason else lines


def partition_record(cluster: Cluster, partition: Partition) -> list[str]:
    """Return the lines of `scontrol show partition`."""
    cpus = partition.total_cpus
    memory = cluster.conf.real_memory_mb * len(partition.nodes)
    limit = limit_text(partition.max_time_min, short=False)
    default = limit_text(partition.default_time_min, short=False, unlimited="NONE")
    return [
        f"PartitionName={partition.name}",
        "AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL",
        f"AllocNodes=ALL Default={'YES' if partition.is_default else 'NO'} QoS=N/A",
        f"DefaultTime={default} DisableRootJobs=NO ExclusiveUser=NO GraceTime=0 Hidden=NO",
        f"MaxNodes=UNLIMITED MaxTime={limit} MinNodes=0 LLN=NO MaxCPUsPerNode=UNLIMITED",
        f"Nodes={compress(cluster.names(partition.mask))}",
        "PriorityJobFactor=1 PriorityTier=1 RootOnly=NO ReqResv=NO OverSubscribe=NO",
        "OverTimeLimit=NONE PreemptMode=OFF",
        f"State={partition.state} TotalCPUs={cpus} TotalNodes={len(partition.nodes)}"
        " SelectTypeParameters=NONE",
        "JobDefaults=(null)",
        "DefMemPerNode=UNLIMITED MaxMemPerNode=UNLIMITED",
        f"TRES=cpu={cpus},mem={memory}M,node={len(partition.nodes)},billing={cpus}",
    ]
