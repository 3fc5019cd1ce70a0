"""sinfo: the table of partitions and nodes."""

from dataclasses import dataclass
from itertools import groupby

from lute.slurm.getopt import Option, Takes
from simulators.slurm.commands.exchange import (
    Context,
    Reply,
    Request,
    accepted_options,
    not_simulated,
)
from simulators.slurm.commands.fields import parse_format, table_line
from simulators.slurm.commands.records import node_state
from simulators.slurm.hostlist import compress
from simulators.slurm.state import Cluster, Partition
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
    Option("format", "o", _VALUE),
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
    Option("partition", "p", _VALUE),
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
    ["all", "exact", "format", "hide", "local", "noconvert", "noheader", "partition", "responding", "verbose"]
)
_SHORT = {"idle": "idle", "mixed": "mix", "allocated": "alloc"}
_ORDER = {"mixed": 0, "allocated": 1, "idle": 2}
_HEADERS = {
    "C": "CPUS(A/I/O/T)",
    "D": "NODES",
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
    nodes: tuple[str, ...]


def run(request: Request, context: Context) -> Reply:
    """Show the partitions; down nodes do not exist here."""
    options, _ = accepted_options("sinfo", request.argv[1:], OPTIONS, _ACCEPTED, "[OPTIONS]")
    columns = parse_format(options.get("format", DEFAULT_FORMAT))
    letters = {column.letter for column in columns if column.letter}
    for letter in sorted(letters - _HEADERS.keys()):
        raise not_simulated("sinfo", f"--format=%{letter}")
    cluster = context.controller.cluster
    wanted = options["partition"].split(",") if "partition" in options else list(cluster.partitions)
    lines = [] if "noheader" in options else [table_line(columns, _HEADERS.__getitem__)]
    for row in _rows(cluster, wanted, letters):
        values = _values(cluster, row)
        line = table_line(columns, values.__getitem__)
        if line not in lines[1:]:
            lines.append(line)
    return Reply(0, "".join(f"{line}\n" for line in lines))


def _rows(cluster: Cluster, wanted: list[str], letters: set[str]) -> list[Row]:
    """Return one row per state, or per partition where the format shows no state."""
    rows = []
    for partition in cluster.partitions.values():
        if partition.name not in wanted:
            continue
        if "n" in letters:
            rows += [Row(partition, node_state(cluster, name), (name,)) for name in partition.nodes]
            continue
        if not letters & {"t", "T"}:
            rows.append(Row(partition, "", partition.nodes))
            continue
        states = {name: node_state(cluster, name) for name in partition.nodes}
        ordered = sorted(partition.nodes, key=lambda name: _ORDER[states[name]])
        for state, names in groupby(ordered, key=lambda name: states[name]):
            rows.append(Row(partition, state, tuple(names)))
    return rows


def _values(cluster: Cluster, row: Row) -> dict[str, str]:
    total = sum(cluster.nodes[name].cpus for name in row.nodes)
    idle = sum(cluster.free_cpus(name) for name in row.nodes)
    return {
        "C": f"{total - idle}/{idle}/0/{total}",
        "D": str(len(row.nodes)),
        "N": compress(row.nodes),
        "P": row.partition.name + ("*" if row.partition.is_default else ""),
        "R": row.partition.name,
        "T": row.state,
        "a": "up",
        "c": str(max(cluster.nodes[name].cpus for name in row.nodes)),
        "l": limit_text(row.partition.max_time_min, short=True, unlimited="infinite"),
        "n": row.nodes[0],
        "t": _SHORT.get(row.state, row.state),
    }
