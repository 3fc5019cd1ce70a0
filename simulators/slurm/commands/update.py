"""`scontrol update`: jobs, nodes and partitions."""

from collections.abc import Mapping, Sequence

from simulators.slurm.commands.exchange import Context, RefusalError, Reply, node_names, not_simulated
from simulators.slurm.commands.ids import parse_id
from simulators.slurm.controller import AlreadyEndedError, NotPendingError, UnknownJobError
from simulators.slurm.nodes import InvalidNodeStateError
from simulators.slurm.times import parse_moment, parse_time_limit

_PARTITION_STATES = ("UP", "DOWN", "DRAIN", "INACTIVE")


def update(words: Sequence[str], context: Context) -> Reply:
    """Change what `words` (`KEY=VALUE`) name.

    Raises:
        RefusalError: in scontrol's words.
    """
    values = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise RefusalError(1, f"Update of this parameter is not supported: {word}\nRequest aborted\n")
        values[key.lower()] = value
    for key, change in (("jobid", _job), ("job", _job), ("nodename", _node), ("node", _node)):
        if key in values:
            return change(values.pop(key), values, context)
    if "partitionname" in values:
        return _partition(values.pop("partitionname"), values, context)
    raise not_simulated("scontrol", f"update {' '.join(words)}")


def _job(name: str, values: Mapping[str, str], context: Context) -> Reply:
    controller = context.controller
    try:
        wanted = parse_id(name)
        job_id = -1 if wanted is None or wanted.task is not None else wanted.number
        controller.job(job_id)
        if not values:
            raise RefusalError(1, "No changes specified\n")
        for key, value in values.items():
            if key == "timelimit":
                controller.set_time_limit(job_id, parse_time_limit(value))
            elif key == "starttime":
                controller.set_begin(job_id, parse_moment(value, controller.now_s))
            else:
                raise not_simulated("scontrol", f"update JobId {key}")
    except UnknownJobError:
        raise RefusalError(1, f"Invalid job id specified for job {name}\n") from None
    except ValueError:
        raise RefusalError(1, f"Invalid time value: {' '.join(values.values())}\nRequest aborted\n") from None
    except (AlreadyEndedError, NotPendingError):
        raise RefusalError(1, "slurm_update error: Job/step already completing or completed\n") from None
    return Reply()


def _node(names: str, values: Mapping[str, str], context: Context) -> Reply:
    cluster, nodes = context.controller.cluster, context.controller.nodes
    for key in values.keys() - {"state", "reason"}:
        raise not_simulated("scontrol", f"update NodeName {key}")
    state, reason = values.get("state", "").upper(), values.get("reason", "")
    if not names:
        raise RefusalError(1, "slurm_update error: Invalid node name specified\n")
    for name in node_names(names, "slurm_update"):
        if name not in cluster.index:
            raise RefusalError(1, "slurm_update error: Invalid node name specified\n")
        node = cluster.nodes[cluster.index[name]]
        try:
            if state in ("DRAIN", "DOWN") and not reason:
                said = "You must specify a reason when DOWNING or DRAINING a node. Request denied\n"
                raise RefusalError(1, said)
            if state == "DRAIN":
                nodes.drain(node, reason)
            elif state == "DOWN":
                nodes.down(node, reason)
            elif state in ("RESUME", "UNDRAIN"):
                nodes.resume(node)
            else:
                raise not_simulated("scontrol", f"update NodeName State={state}")
        except InvalidNodeStateError:
            raise RefusalError(1, "slurm_update error: Invalid node state specified\n") from None
    return Reply()


def _partition(name: str, values: Mapping[str, str], context: Context) -> Reply:
    if name not in context.controller.cluster.partitions:
        raise RefusalError(1, "slurm_update error: Invalid partition name specified\n")
    state = values.get("state", "").upper()
    if values.keys() != {"state"} or state not in _PARTITION_STATES:
        raise not_simulated("scontrol", f"update PartitionName {' '.join(values)}")
    context.controller.nodes.set_partition(name, state)
    return Reply()
