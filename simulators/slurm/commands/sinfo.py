"""sinfo: the table of partitions and nodes."""

from dataclasses import dataclass
from itertools import groupby

from lute.slurm.getopt import Option, Takes
from simulators.slurm.commands.exchange import (
    Context,
    Reply,
    Request,
    accepted_options,
    node_names,
    not_simulated,
)
from simulators.slurm.commands.fields import parse_format, table_line
from simulators.slurm.hostlist import compress
from simulators.slurm.nodes import node_state
from simulators.slurm.state import Cluster, Node, Partition
from simulators.slurm.times import limit_text

DEFAULT_FORMAT = "%9P %.5a %.10l %.6D %.6t %N"
NODE_FORMAT = "%N %.6D %9P %6t"

_VALUE = Takes.VALUE
OPTIONS: tuple[Option, ...] = (
    Option("all", "a"),
    Option("clusters", "M", _VALUE),
    Option("dead", "d"),
    Option("exact", "e"),
    Option("federation"),
    Option("format", "o", _VALUE, env="SINFO_FORMAT"),
    Option("Format", "O", _VALUE),
    Option("future", "F"),
    Option("help"),
    Option("hide"),
    Option("iterate", "i", _VALUE),
    Option("json"),
    Option("local"),
    Option("long", "l"),
    Option("list-reasons", "R"),
    Option("Node", "N"),
    Option("nodes", "n", _VALUE),
    Option("noconvert"),
    Option("noheader", "h"),
    Option("partition", "p", _VALUE, env="SINFO_PARTITION"),
    Option("responding", "r"),
    Option("reservation", "T"),
    Option("summarize", "s"),
    Option("sort", "S", _VALUE),
    Option("states", "t", _VALUE),
    Option("usage"),
    Option("verbose", "v"),
    Option("version", "V"),
    Option("yaml"),
)
_ACCEPTED = frozenset(
    [
        "all",
        "exact",
        "format",
        "hide",
        "local",
        "noconvert",
        "nodes",
        "noheader",
        "partition",
        "responding",
        "verbose",
    ]
)
_SHORT = {"mixed": "mix", "allocated": "alloc", "drained": "drain", "draining": "drng"}
_ORDER = {
    state: number
    for number, state in enumerate(["down*", "down", "draining", "drained", "mixed", "allocated", "idle"])
}
_HEADERS = {
    "C": "CPUS(A/I/O/T)",
    "D": "NODES",
    "E": "REASON",
    "G": "GRES",
    "N": "NODELIST",
    "P": "PARTITION",
    "R": "PARTITION",
    "T": "STATE",
    "a": "AVAIL",
    "c": "CPUS",
    "l": "TIMELIMIT",
    "n": "HOSTNAMES",
    "t": "STATE",
}


@dataclass(frozen=True)
class Row:
    """Nodes of one partition that are in the same state and have as many cores."""

    partition: Partition
    state: str
    nodes: tuple[Node, ...]


def run(request: Request, context: Context) -> Reply:
    """Show the partitions and their nodes."""
    options, _ = accepted_options(request, request.argv[1:], OPTIONS, _ACCEPTED, "[OPTIONS]")
    columns = parse_format(options.get("format", DEFAULT_FORMAT))
    letters = {column.letter for column in columns if column.letter}
    for letter in sorted(letters - _HEADERS.keys()):
        raise not_simulated("sinfo", f"--format=%{letter}")
    cluster = context.controller.cluster
    wanted = options["partition"].split(",") if "partition" in options else list(cluster.partitions)
    lines = [] if "noheader" in options else [table_line(columns, _HEADERS.__getitem__)]
    names = set(node_names(options["nodes"], "sinfo")) if "nodes" in options else set(cluster.index)
    for row in _rows(cluster, wanted, letters, names):
        values = _values(cluster, row)
        line = table_line(columns, values.__getitem__)
        if line not in lines[1:]:
            lines.append(line)
    return Reply(0, "".join(f"{line}\n" for line in lines))


def _rows(cluster: Cluster, wanted: list[str], letters: set[str], names: set[str]) -> list[Row]:
    """Return one row per state, or per partition where the format shows no state."""
    rows = []
    for partition in cluster.partitions.values():
        if partition.name not in wanted:
            continue
        nodes = [cluster.nodes[index] for index in partition.nodes if cluster.nodes[index].name in names]
        if not nodes:
            continue
        if "n" in letters:
            rows += [Row(partition, node_state(cluster, node), (node,)) for node in nodes]
            continue
        if not letters & {"t", "T"}:
            rows.append(Row(partition, "", tuple(nodes)))
            continue
        states = {node.name: node_state(cluster, node) for node in nodes}
        ordered = sorted(nodes, key=lambda node: _ORDER[states[node.name]])
        for state, members in groupby(ordered, key=lambda node: states[node.name]):
            rows.append(Row(partition, state, tuple(members)))
    return rows


def _values(cluster: Cluster, row: Row) -> dict[str, str]:
    total = sum(node.cpus for node in row.nodes)
    out = sum(cluster.pool.free[node.index] for node in row.nodes if node.admin)
    idle = sum(cluster.pool.free[node.index] for node in row.nodes if not node.admin)
    return {
        "C": f"{total - idle - out}/{idle}/{out}/{total}",
        "D": str(len(row.nodes)),
        "E": row.nodes[0].reason or "none",
        "G": f"gpu:{row.nodes[0].gpu_type}:{row.nodes[0].gpus}" if row.nodes[0].gpus else "(null)",
        "N": compress(node.name for node in row.nodes),
        "P": row.partition.name + ("*" if row.partition.is_default else ""),
        "R": row.partition.name,
        "T": row.state,
        "a": {"UP": "up", "DOWN": "down", "DRAIN": "drain", "INACTIVE": "inactive"}[row.partition.state],
        "c": str(max(node.cpus for node in row.nodes)),
        "l": limit_text(row.partition.max_time_min, short=True, unlimited="infinite"),
        "n": row.nodes[0].name,
        "t": _SHORT.get(row.state, row.state),
    }
