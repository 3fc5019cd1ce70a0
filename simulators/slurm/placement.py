"""Which nodes a job gets, as select/cons_tres with CR_Core chooses them (measured; see the tests)."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.slurm.request import Geometry
from simulators.slurm.state import Share


@dataclass(frozen=True)
class Room:
    """A node as the placement sees it: its cores, and those that are free."""

    name: str
    cpus: int
    free: int


def place(geometry: Geometry, rooms: Sequence[Room]) -> tuple[Share, ...] | None:
    """Return the shares of a job on `rooms` (in index order), None if it does not fit now."""
    if geometry.exclusive:
        rooms = [room for room in rooms if room.free == room.cpus]
    placed = _place(geometry, rooms)
    if placed is None:
        return None
    whole = geometry.exclusive or geometry.min_nodes == 0
    free = {room.name: room.free for room in rooms}
    shares = []
    for name, tasks in placed:
        cpus = free[name] if geometry.exclusive else tasks * geometry.cpus
        shares.append(Share(name, tasks, cpus, held=free[name] if whole else cpus))
    return tuple(shares)


def _place(geometry: Geometry, rooms: Sequence[Room]) -> list[tuple[str, int]] | None:
    fits = {room.name: _capacity(geometry, room) for room in rooms}
    low, high, ntasks = geometry.min_nodes, geometry.max_nodes, geometry.ntasks
    per_node = geometry.ntasks_per_node
    if low is None and per_node and (ntasks or per_node) > per_node:
        # measured: 10 tasks at 3 per node are 4 nodes of 3, which makes 12 tasks
        low = high = -(-(ntasks or per_node) // per_node)
        ntasks = low * per_node
    if low is None or high is None:
        wanted = ntasks or per_node or 1
        return _one_node(wanted, rooms, fits, exclusive=geometry.exclusive) or _greedy(wanted, rooms, fits)
    usable = [room for room in rooms if fits[room.name] > 0]
    most = min(high, len(usable), ntasks or high)
    for count in range(most, max(1, low) - 1, -1):
        wanted = ntasks or count * (per_node or 1)
        if count == 1:
            placed = _one_node(wanted, rooms, fits, exclusive=geometry.exclusive)
        else:
            placed = None
            if high > low:  # measured: in a range the first node gives one core less than it has
                first = usable[0].name
                placed = _spread(wanted, count, usable, {**fits, first: fits[first] - 1})
            placed = placed or _spread(wanted, count, usable, fits)
        if placed:
            return placed
    return None


def _capacity(geometry: Geometry, room: Room) -> int:
    tasks = room.free // geometry.cpus
    return min(tasks, geometry.ntasks_per_node) if geometry.ntasks_per_node else tasks


def _one_node(
    wanted: int, rooms: Sequence[Room], fits: dict[str, int], *, exclusive: bool
) -> list[tuple[str, int]] | None:
    """Best fit: the fewest free cores that suffice, then the lowest index."""
    able = [room for room in rooms if fits[room.name] >= wanted]
    if not able:
        return None
    best = able[0] if exclusive else min(able, key=lambda room: room.free)
    return [(best.name, wanted)]


def _greedy(wanted: int, rooms: Sequence[Room], fits: dict[str, int]) -> list[tuple[str, int]] | None:
    """All free cores of each node in index order, until there are enough."""
    placed = []
    for room in rooms:
        tasks = min(fits[room.name], wanted)
        if tasks > 0:
            placed.append((room.name, tasks))
            wanted -= tasks
        if wanted == 0:
            return placed
    return None


def _spread(
    wanted: int, count: int, rooms: Sequence[Room], fits: dict[str, int]
) -> list[tuple[str, int]] | None:
    """Fill `count` nodes in index order, at least one task on each; skip a node too small to leave a way."""
    placed: list[tuple[str, int]] = []
    for index, room in enumerate(rooms):
        later = count - len(placed) - 1
        tasks = min(fits[room.name], wanted - later)
        best_rest = sorted((fits[other.name] for other in rooms[index + 1 :]), reverse=True)[:later]
        if tasks < 1 or len(best_rest) < later or wanted - tasks > sum(best_rest):
            continue
        placed.append((room.name, tasks))
        wanted -= tasks
        if len(placed) == count:
            return placed if wanted == 0 else None
    return None
