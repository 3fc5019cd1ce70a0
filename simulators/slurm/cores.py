"""Which cores of a node a job gets: as many of each socket as possible, lowest first (measured).

Sets of cores are whole numbers: bit i stands for core i. Measured on two sockets: 30 cores of an empty node
with 128 are 0-14 and 64-78; an odd one comes from the first socket.
"""

from simulators.slurm.pool import bits


def choose_cores(free: int, wanted: int, cpus: int, sockets: int = 2) -> int:
    """Return `wanted` cores of the set `free` of a node with `cpus` cores."""
    if wanted >= free.bit_count():
        return free
    per_socket = max(1, cpus // sockets)
    parts = [free & (((1 << per_socket) - 1) << (socket * per_socket)) for socket in range(sockets - 1)]
    parts.append(free >> ((sockets - 1) * per_socket) << ((sockets - 1) * per_socket))
    counts = [part.bit_count() for part in parts]
    takes = [0] * sockets
    left = wanted
    while left:
        open_sockets = [number for number in range(sockets) if takes[number] < counts[number]]
        share, odd = divmod(left, len(open_sockets))
        for position, number in enumerate(open_sockets):
            take = min(share + (position < odd), counts[number] - takes[number])
            takes[number] += take
            left -= take
    chosen = 0
    for part, count in zip(parts, takes, strict=True):
        chosen |= _lowest(part, count)
    return chosen


def _lowest(cores: int, count: int) -> int:
    """Return the `count` lowest of a set."""
    if count == cores.bit_count():
        return cores
    # Halving finds the bit below which there are exactly `count`, faster than going one by one.
    low, high = 0, cores.bit_length()
    while low < high:
        middle = (low + high) // 2
        if (cores & ((1 << middle) - 1)).bit_count() < count:
            low = middle + 1
        else:
            high = middle
    return cores & ((1 << low) - 1)


def core_list(cores: int) -> str:
    """Return `0-14,64-78`, as `scontrol -d show job` writes a set."""
    runs: list[list[int]] = []
    for core in bits(cores):
        if runs and core == runs[-1][1] + 1:
            runs[-1][1] = core
        else:
            runs.append([core, core])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
