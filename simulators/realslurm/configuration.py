"""The configuration files: slurm.conf, gres.conf, slurmdbd.conf."""

from simulators.realslurm.layout import Layout
from simulators.realslurm.options import RealSlurmOptions

CLUSTER = "lute"


def slurm_conf(options: RealSlurmOptions, layout: Layout) -> str:
    """Return slurm.conf.

    Many nodes on one computer, with more cores than it has: `config_overrides` (slurm.conf(5); tried).
    """
    user = layout.user
    lines = [
        f"ClusterName={CLUSTER}",
        f"SlurmctldHost={layout.host}(127.0.0.1)",
        f"SlurmctldPort={layout.controller_port}",
        f"SlurmUser={user}",
        f"SlurmdUser={user}",
        "AuthType=auth/munge",
        "CredType=cred/munge",
        f"AuthInfo=socket={layout.munge_socket}",
        "CommunicationParameters=NoInAddrAny,NoCtldInAddrAny",
        f"StateSaveLocation={layout.state_dir}",
        f"SlurmdSpoolDir={layout.spool_dir}/%n",
        f"SlurmctldPidFile={layout.pid_file('slurmctld')}",
        f"SlurmdPidFile={layout.pid_file('%n')}",
        f"SlurmctldLogFile={layout.log_dir}/slurmctld.log",
        f"SlurmdLogFile={layout.log_dir}/%n.log",
        "SlurmctldSyslogDebug=quiet",
        "SlurmdSyslogDebug=quiet",
        "MailProg=/bin/true",  # no job of a test may send a mail
        "MpiDefault=none",
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        "SlurmdParameters=config_overrides",
        "ReturnToService=2",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_Core",
        f"KillWait={options.kill_wait_s}",
        f"MinJobAge={options.min_job_age_s}",
    ]
    if options.scheduler_parameters:
        lines.append(f"SchedulerParameters={options.scheduler_parameters}")
    if options.node_gres:
        kinds = dict.fromkeys(gres.partition(":")[0] for gres in options.node_gres.values())
        lines.append(f"GresTypes={','.join(kinds)}")
    if options.accounting:
        lines += [
            "AccountingStorageType=accounting_storage/slurmdbd",
            "AccountingStorageHost=127.0.0.1",
            f"AccountingStoragePort={layout.database_port}",
            f"AccountingStoragePass={layout.munge_socket}",
        ]
    if options.enforce:
        lines.append(f"AccountingStorageEnforce={options.enforce}")
    lines += [_node(name, cores, options, layout) for name, cores in options.nodes.items()]
    lines += [_partition(name, options) for name in options.partitions]
    return "\n".join([*lines, *options.conf_lines]) + "\n"


def gres_conf(options: RealSlurmOptions, layout: Layout) -> str:
    """Return gres.conf, in which plain files stand for devices."""
    lines = ["AutoDetect=off"]
    for node, gres in options.node_gres.items():
        name, *kind, count = gres.split(":")
        files = ",".join(str(layout.folder / device) for device in _devices(int(count)))
        words = [f"NodeName={node}", f"Name={name}", *(f"Type={text}" for text in kind), f"File={files}"]
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def devices(options: RealSlurmOptions) -> list[str]:
    """Return the names of the files that gres.conf needs in the cluster's folder."""
    counts = [int(gres.rpartition(":")[2]) for gres in options.node_gres.values()]
    return _devices(max(counts, default=0))


def slurmdbd_conf(layout: Layout) -> str:
    """Return slurmdbd.conf.

    It listens on 127.0.0.1 alone by NoInAddrAny, which slurmdbd.conf(5) does not name (tried).
    """
    return f"""AuthType=auth/munge
AuthInfo=socket={layout.munge_socket}
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={layout.database_port}
CommunicationParameters=NoInAddrAny
SlurmUser={layout.user}
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser={layout.user}
StorageLoc=slurm_acct_db
PidFile={layout.pid_file("slurmdbd")}
LogFile={layout.log_dir}/slurmdbd.log
DebugLevelSyslog=quiet
"""


def _node(name: str, cores: int, options: RealSlurmOptions, layout: Layout) -> str:
    sockets = 1 if cores % 2 else 2  # as real nodes have, so that core ids look real
    words = [
        f"NodeName={name}",
        f"NodeHostname={layout.host}",
        "NodeAddr=127.0.0.1",
        f"Port={layout.node_ports[name]}",
        f"CPUs={cores}",
        f"SocketsPerBoard={sockets}",
        f"CoresPerSocket={cores // sockets}",
        "ThreadsPerCore=1",
        f"RealMemory={options.real_memory_mb}",
    ]
    if gres := options.node_gres.get(name):
        words.append(f"Gres={gres}")
    return " ".join(words)


def _partition(name: str, options: RealSlurmOptions) -> str:
    words = [f"PartitionName={name}", f"Nodes={','.join(options.partitions[name])}"]
    if name == next(iter(options.partitions)):
        words.append("Default=YES")
    if options.max_time_min is not None:
        words.append(f"MaxTime={options.max_time_min}")
    if extra := options.partition_extra.get(name):
        words.append(extra)
    return " ".join(words)


def _devices(count: int) -> list[str]:
    return [f"gpu{number}" for number in range(count)]
