"""Which nodes a job gets, as select/cons_tres with CR_Core chooses them (measured; see the tests).

The nodes that have room form sets: runs of neighbours, cut by any node without room. Of the sets that
suffice the smallest is taken, else the largest and then further ones. Within a set a job that may lie on one
node gets the one with the fewest cores that suffice; any other takes all it can from each node, in order.
"""

from collections.abc import Sequence
from typing import NamedTuple

from simulators.slurm.pool import Pool, bits, mask_of, runs
from simulators.slurm.request import Geometry


class Share(NamedTuple):
    """What a job has of one node.

    Attributes:
        node: the node's index.
        tasks: tasks placed there.
        cpus: cores that the job reports.
        held: cores that no other job may use; more than `cpus` where whole nodes are blocked.
    """

    node: int
    tasks: int
    cpus: int
    held: int


class _Wanted(NamedTuple):
    """How many tasks on how many nodes: from `low` to `high` of them, `goal` if there are so many."""

    tasks: int
    low: int
    goal: int
    high: int

    def are_enough(self, nodes: int, missing: int) -> bool:
        """True if `nodes` more will do where `missing` are missing to the goal."""
        return nodes >= missing + self.low - max(self.low, self.goal)


def place(
    geometry: Geometry, mask: int, pool: Pool, cpus: Sequence[int], required: int = 0
) -> tuple[Share, ...] | None:
    """Return the shares of a job, in node order; None if it does not fit now.

    Args:
        mask: the nodes it may have.
        pool: what is free on them.
        cpus: all cores of each node.
        required: the nodes it must have; it gets no other ones then.
    """
    if required:
        if required & ~mask:
            return None
        mask = required
    if geometry.gpus_per_node:
        mask = pool.with_gpus(geometry.gpus_per_node, mask)
    if not required and is_plain(geometry):
        return _place_plain(geometry, mask, pool)
    return _place_shaped(geometry, mask, pool, cpus, required.bit_count())


def is_plain(geometry: Geometry) -> bool:
    """True for tasks that may lie on any nodes, together or not."""
    return geometry.min_nodes is None and geometry.ntasks_per_node is None and not geometry.exclusive


def _place_plain(geometry: Geometry, mask: int, pool: Pool) -> tuple[Share, ...] | None:
    """Place tasks that may lie anywhere; `_evaluate` would say the same, more slowly."""
    wanted, per_task = geometry.ntasks or 1, geometry.cpus
    sets = runs(pool.with_free(mask, per_task))
    rooms = [pool.room(nodes, per_task) for nodes in sets] if len(sets) > 1 else [0]
    shares = []
    while sets:
        able = [room for room in rooms if room >= wanted]
        chosen = rooms.index(min(able) if able else max(rooms))
        nodes = sets.pop(chosen)
        del rooms[chosen]
        node = pool.best_fit(wanted * per_task, nodes)
        for index in bits(nodes) if node is None else (node,):
            tasks = min(pool.free[index] // per_task, wanted)
            shares.append(Share(index, tasks, tasks * per_task, tasks * per_task))
            wanted -= tasks
            if not wanted:
                return tuple(sorted(shares))
    return None


def _place_shaped(
    geometry: Geometry, mask: int, pool: Pool, cpus: Sequence[int], required: int
) -> tuple[Share, ...] | None:
    fits = {}
    for node in bits(mask):
        free = pool.free[node]
        if free >= geometry.cpus and (free == cpus[node] or not geometry.exclusive):
            tasks = free // geometry.cpus
            fits[node] = min(tasks, geometry.ntasks_per_node or tasks)
    wanted = _wanted(geometry, required)
    least = 1 if geometry.ntasks else geometry.ntasks_per_node or 1
    chosen = _choose(wanted, fits, least, is_whole=geometry.exclusive, is_one_set=bool(required))
    if chosen is None:
        return None
    if geometry.exclusive:
        tasks_on = _filled(chosen, wanted.tasks)
    else:
        tasks_on = _trimmed(chosen, wanted.tasks) if geometry.ntasks else chosen
    shares, left = [], sum(tasks_on.values()) * geometry.cpus
    for node in sorted(tasks_on):
        free, tasks = pool.free[node], tasks_on[node]
        used = free if geometry.exclusive else tasks * geometry.cpus
        if geometry.min_nodes == 0:
            # measured: of nodes blocked whole, as many cores are reported as the job wants in all, node after
            # node, but at least one task's of each
            used = max(geometry.cpus, min(left, free))
            left -= min(left, used)
        shares.append(Share(node, tasks, used, held=free if geometry.min_nodes == 0 else used))
    return tuple(shares)


def _wanted(geometry: Geometry, required: int) -> _Wanted:
    low, high, ntasks = geometry.min_nodes, geometry.max_nodes, geometry.ntasks
    per_node = geometry.ntasks_per_node
    if low is None and required > 1:
        low = high = required
    if low is None and per_node and (ntasks or per_node) > per_node:
        # measured: 10 tasks at 3 per node are 4 nodes of 3, which makes 12 tasks
        low = high = -(-(ntasks or per_node) // per_node)
        ntasks = low * per_node
    if low is None or high is None:
        tasks = ntasks or per_node or 1
        return _Wanted(tasks, 1, 1, tasks)
    low = max(1, low)
    tasks = ntasks or low * (per_node or 1)
    return _Wanted(tasks, low, high, min(high, max(ntasks, low)) if ntasks else high)


def _choose(
    wanted: _Wanted, fits: dict[int, int], least: int, *, is_whole: bool, is_one_set: bool
) -> dict[int, int] | None:
    """Return node -> tasks, which may be too many; without the nodes with the fewest cores if need be."""
    left = dict(fits)
    for most in (0, *sorted(set(fits.values()))[:-1]):
        for node in [node for node, tasks in left.items() if tasks <= most]:
            if len(left) > wanted.low:
                del left[node]
        if len(left) < wanted.low:
            return None
        nodes = mask_of(left)
        placed = _evaluate(wanted, [nodes] if is_one_set else runs(nodes), left, least, is_whole=is_whole)
        if placed is not None or len(left) <= wanted.low:
            return placed
    return None


def _evaluate(
    wanted: _Wanted, sets: list[int], fits: dict[int, int], least: int, *, is_whole: bool
) -> dict[int, int] | None:
    tasks, low, missing, high = wanted
    placed: dict[int, int] = {}
    while sets and high > 0:
        chosen = _best_set(wanted, sets, fits, tasks, missing)
        sets.remove(chosen)
        nodes = list(bits(chosen))
        if missing <= 1:
            able = [node for node in nodes if fits[node] >= tasks]
            nodes = [min(able, key=fits.__getitem__)] if able else nodes
        for node in nodes:
            if high == 0 or (missing <= 0 and tasks <= 0):
                break
            room = fits[node]
            if high == 1 and room < tasks:
                continue  # too small to be the last one
            # each of the nodes still to come needs a core
            placed[node] = room if is_whole else min(room, max(tasks - max(low - 1, 0), least))
            tasks -= placed[node]
            low, missing, high = low - 1, missing - 1, high - 1
        if missing <= 0 and tasks <= 0:
            break
    return placed if tasks <= 0 and wanted.are_enough(0, missing) else None


def _best_set(wanted: _Wanted, sets: list[int], fits: dict[int, int], tasks: int, missing: int) -> int:
    """Return the smallest set that suffices, else the largest."""
    best, best_room, best_suffices = 0, -1, False
    for nodes in sets:
        room = sum(fits[node] for node in bits(nodes))
        suffices = room >= tasks and wanted.are_enough(nodes.bit_count(), missing)
        if (not best_suffices or room < best_room) if suffices else room > best_room:
            best, best_room, best_suffices = nodes, room, suffices
    return best


def _filled(rooms: dict[int, int], tasks: int) -> dict[int, int]:
    """Fill node after node."""
    filled = {}
    for node in sorted(rooms):
        filled[node] = min(rooms[node], tasks)
        tasks -= filled[node]
    return filled


def _trimmed(placed: dict[int, int], tasks: int) -> dict[int, int]:
    """Take away what is too much, as dealing out in turns does: from the fullest nodes, never all."""
    trimmed = dict(placed)
    for _ in range(sum(placed.values()) - max(tasks, len(placed))):
        trimmed[max(trimmed, key=lambda node: (trimmed[node], node))] -= 1
    return trimmed


def nodes_of(shares: Sequence[Share]) -> int:
    """Return the set of the shares' nodes."""
    return mask_of(share.node for share in shares)
