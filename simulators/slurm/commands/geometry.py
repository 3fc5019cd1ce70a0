"""The numbers in sbatch's options: tasks, nodes, cores, memory."""

import re
from collections.abc import Mapping

from simulators.slurm.commands.exchange import RefusalError
from simulators.slurm.request import Geometry

_MEGABYTES = {"": 1.0, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}


def read_geometry(options: Mapping[str, str], gpu_type: str | None) -> tuple[Geometry, str]:
    """Return what the options ask for, and the warning that sbatch prints about it, if any.

    Args:
        gpu_type: the type of the cluster's devices, None if it has none.

    Raises:
        RefusalError: a number is none, in sbatch's words (measured).
    """
    ntasks = _count(options, "ntasks")
    low, high = _nodes(options["nodes"]) if "nodes" in options else (None, None)
    warning = ""
    if ntasks is not None and low is not None and ntasks < low:
        warning = (
            f"sbatch: Warning: can't run {ntasks} processes on {low} nodes, setting nnodes to {ntasks}\n"
        )
        low = high = ntasks
    geometry = Geometry(
        ntasks=ntasks,
        cpus_per_task=_count(options, "cpus-per-task"),
        min_nodes=low,
        max_nodes=high,
        ntasks_per_node=_count(options, "ntasks-per-node"),
        exclusive="exclusive" in options,
        gpus_per_node=read_gpus(options, gpu_type),
    )
    return geometry, warning


def read_memory(options: Mapping[str, str]) -> tuple[str, int] | None:
    """Return the variable that tells the job its memory, and the MB; memory is recorded, not enforced."""
    for name, variable in (("mem", "SLURM_MEM_PER_NODE"), ("mem-per-cpu", "SLURM_MEM_PER_CPU")):
        if name in options:
            match = re.fullmatch(r"([0-9]{1,15})([KMGT]?)B?", options[name].upper(), re.ASCII)
            if match is None:
                raise RefusalError(255, f"sbatch: error: Invalid --{name} specification\n")
            return variable, round(int(match[1]) * _MEGABYTES[match[2]])
    return None


def read_gpus(options: Mapping[str, str], gpu_type: str | None) -> int:
    """Return how many devices each node must have.

    Raises:
        RefusalError: a resource is none of this cluster's, in sbatch's words (measured).
    """
    most = 0
    for name in ("gres", "gpus-per-node"):
        for item in filter(None, options.get(name, "").split(",")):
            words = item.split(":") if name == "gres" else ["gpu", *item.split(":")]
            kind, *rest = words
            count = rest.pop() if rest and re.fullmatch("[0-9]{1,9}", rest[-1], re.ASCII) else "1"
            if gpu_type is None or kind != "gpu" or len(rest) > 1 or (rest and rest[0] != gpu_type):
                raise RefusalError(1, "sbatch: error: Invalid generic resource (gres) specification\n")
            most = max(most, int(count))
    return most


def _count(options: Mapping[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\s*\+?[0-9]{1,18}", text, re.ASCII) or int(text) == 0:
        raise RefusalError(1, f'sbatch: error: Invalid numeric value "{text}" for --{name}.\n')
    return int(text)


def _nodes(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    low = _node_count(first)
    high = _node_count(last) if dash else low
    if high < low:
        raise RefusalError(
            255, f"sbatch: error: Maximum node count {high} is less than minimum node count {low}\n"
        )
    return low, high


def _node_count(text: str) -> int:
    match = re.fullmatch("([0-9]{1,6})([kKmM]?)", text)
    if match is None:
        raise RefusalError(255, f'sbatch: error: "{text}" is not a valid node count\n')
    return int(match[1]) * {"": 1, "k": 1024, "m": 1024 * 1024}[match[2].lower()]
