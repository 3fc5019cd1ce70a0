"""The records that `scontrol show` prints, as lists of lines. Those of jobs are measured, others assumed."""

from datetime import datetime, tzinfo

from simulators.slurm import dependency, patterns
from simulators.slurm.commands.fields import end_time, run_time
from simulators.slurm.hostlist import compress
from simulators.slurm.state import Cluster, Job, Partition
from simulators.slurm.times import clock_duration, limit_text, stamp


def job_record(job: Job, cluster: Cluster, now: datetime, zone: tzinfo | None, host: str) -> list[str]:
    """Return the lines of `scontrol show job`."""
    request, person = job.request, job.request.person
    submit, start = stamp(job.submit_time, zone), stamp(job.start_time, zone)
    pending = not job.shares
    lines = [
        f"JobId={job.id} JobName={request.name}",
        f"UserId={person.user}({person.uid}) GroupId={person.group}({person.gid}) MCS_label=N/A",
        f"Priority={job.priority} Nice=0 Account={request.account or '(null)'} QOS={request.qos or '(null)'}",
        f"JobState={job.state} Reason={job.reason} Dependency={dependency.show(job, cluster.jobs)}",
        f"Requeue={int(request.requeue)} Restarts=0 BatchFlag=1 Reboot=0 "
        f"ExitCode={job.exit_code}:{job.exit_signal}",
        f"RunTime={clock_duration(run_time(job, now))} "
        f"TimeLimit={limit_text(job.time_limit_min, short=False)} TimeMin=N/A",
        f"SubmitTime={submit} EligibleTime={submit}",
        f"AccrueTime={submit}",
        f"StartTime={start} EndTime={stamp(end_time(job), zone)} Deadline=N/A",
        f"SuspendTime=None SecsPreSuspend=0 LastSchedEval={submit if pending else start} Scheduler=Main",
        f"Partition={job.partition} AllocNode:Sid={request.submit_host}:1",
        "ReqNodeList=(null) ExcNodeList=(null)",
        f"NodeList={compress(job.node_names)}",
    ]
    if not pending:
        lines.append(f"BatchHost={job.node_names[0]}")
    lines += [
        f"NumNodes={job.num_nodes} NumCPUs={job.num_cpus} NumTasks={job.num_tasks} "
        f"CPUs/Task={request.geometry.cpus} ReqB:S:C:T=0:0:*:*",
        f"TRES=cpu={job.num_cpus},node={job.num_nodes},billing={job.num_cpus}",
        f"Socks/Node=* NtasksPerN:B:S:C={request.geometry.ntasks_per_node or 0}:0:*:* CoreSpec=*",
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
    return [
        *lines,
        f"StdErr={patterns.stderr_path(job, host)}",
        f"StdIn={patterns.stdin_path(job, host)}",
        f"StdOut={patterns.stdout_path(job, host)}",
        "Power=",
    ]


def node_state(cluster: Cluster, name: str) -> str:
    """Return `idle`, `mixed` or `allocated`."""
    free, cpus = cluster.free_cpus(name), cluster.nodes[name].cpus
    return "idle" if free == cpus else "mixed" if free else "allocated"


def node_record(cluster: Cluster, name: str) -> list[str]:
    """Return the lines of `scontrol show node`."""
    cpus = cluster.nodes[name].cpus
    partitions = ",".join(part.name for part in cluster.partitions.values() if name in part.nodes)
    return [
        f"NodeName={name} CoresPerSocket={max(1, cpus // 2)} ",
        f"CPUAlloc={cpus - cluster.free_cpus(name)} CPUTot={cpus} CPULoad=0.00",
        f"NodeAddr={name} NodeHostName={name} Version=22.05.8",
        f"State={node_state(cluster, name).upper()} ThreadsPerCore=1 TmpDisk=0 Weight=1",
        f"Partitions={partitions} ",
    ]


def partition_record(cluster: Cluster, partition: Partition) -> list[str]:
    """Return the lines of `scontrol show partition`."""
    cpus = sum(cluster.nodes[name].cpus for name in partition.nodes)
    limit = limit_text(partition.max_time_min, short=False)
    return [
        f"PartitionName={partition.name}",
        "AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL",
        f"AllocNodes=ALL Default={'YES' if partition.is_default else 'NO'} QoS=N/A",
        "DefaultTime=NONE DisableRootJobs=NO ExclusiveUser=NO GraceTime=0 Hidden=NO",
        f"MaxNodes=UNLIMITED MaxTime={limit} MinNodes=0 LLN=NO MaxCPUsPerNode=UNLIMITED",
        f"Nodes={compress(partition.nodes)}",
        f"State=UP TotalCPUs={cpus} TotalNodes={len(partition.nodes)} SelectTypeParameters=NONE",
    ]
