"""Node selection against the cases measured on real Slurm 22.05.8 (select/cons_tres, CR_Core)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.slurm.hostlist import expand
from simulators.slurm.placement import Room, place
from simulators.slurm.request import Geometry

# free cores of four nodes of 128, arguments, cores taken of each node
CASES = """
free=128,128,128,128
-n 1 => 001:1
-n 128 => 001:128
-n 129 => 001:128 002:1
-n 200 => 001:128 002:72
-n 256 => [001-002]:128
-n 300 => [001-002]:128 003:44
-n 64 -N2 => 001:63 002:1
-n 65 -N2 => 001:64 002:1
-n 3 -N2 => 001:2 002:1
-n 100 -N1-4 => 001:97 [002-004]:1
-n 100 -N0-4 => [001-004]:128
-n 200 -N0-4 => [001-004]:128
-n 100 -N0-2 => [001-002]:128
-n 200 -N2-3 => 001:127 002:72 003:1
-n 12 -t4 => [001-003]:4
-n 120 -N4 => 001:117 [002-004]:1
-n 1 -X => 001:128
-n 130 -X => [001-002]:128
free=38,28,128,38
-n 10 => 002:10
-n 28 => 002:28
-n 30 => 001:30
-n 38 => 001:38
-n 39 => 003:39
-n 60 => 003:60
-n 128 => 003:128
-n 129 => 001:38 002:28 003:63
-n 150 => 001:38 002:28 003:84
-n 20 -N2 => 001:19 002:1
-n 60 -N2 => 001:38 002:22
-n 100 -N2 => 001:38 003:62
-n 100 -N1-4 => 001:37 002:28 003:34 004:1
-n 100 -N0-4 => 001:38 002:28 003:128 004:38
-n 10 -N0-4 => 001:38 002:28 003:128 004:38
-n 4 -N4 => 001:1 002:1 003:1 004:1
free=64,128,64,128
-n 1 => 001:1
-n 64 => 001:64
-n 65 => 002:65
-n 100 => 002:100
-n 128 => 002:128
-n 129 => 001:64 002:65
-n 192 => 001:64 002:128
-n 200 => 001:64 002:128 003:8
-n 256 => 001:64 002:128 003:64
-n 70 -N2 => 001:64 002:6
-n 128 -N2 => 001:64 002:64
free=1,127,1,127
-n 1 => 001:1
-n 2 => 002:2
-n 100 => 002:100
-n 127 => 002:127
-n 128 => 001:1 002:127
-n 200 => 001:1 002:127 003:1 004:71
free=128,118,108,98
-n 1 => 004:1
-n 98 => 004:98
-n 99 => 003:99
-n 100 => 003:100
-n 128 => 001:128
-n 200 => 001:128 002:72
-n 250 => 001:128 002:118 003:4
-n 2 -N2 => 001:1 002:1
free=98,108,118,128
-n 1 => 001:1
-n 98 => 001:98
-n 99 => 002:99
-n 110 => 003:110
-n 128 => 004:128
-n 200 => 001:98 002:102
-n 2 -N2 => 001:1 002:1
"""


def cases() -> list[tuple[str, str, str]]:
    found, free = [], ""
    for line in CASES.strip().splitlines():
        if line.startswith("free="):
            free = line.removeprefix("free=")
        else:
            arguments, _, expected = line.partition(" => ")
            found.append((free, arguments, expected))
    return found


def rooms(free: str) -> list[Room]:
    return [Room(f"{index:03d}", 128, int(cores)) for index, cores in enumerate(free.split(","), start=1)]


def read(arguments: str) -> Geometry:
    ntasks = re.search(r"-n (\d+)", arguments)
    nodes = re.search(r"-N(\d+)(?:-(\d+))?", arguments)
    per_node = re.search(r"-t(\d+)", arguments)
    return Geometry(
        ntasks=int(ntasks[1]) if ntasks else None,
        min_nodes=int(nodes[1]) if nodes else None,
        max_nodes=int(nodes[2] or nodes[1]) if nodes else None,
        ntasks_per_node=int(per_node[1]) if per_node else None,
        exclusive="-X" in arguments,
    )


@pytest.mark.parametrize(("free", "arguments", "expected"), cases())
def test_measured(free: str, arguments: str, expected: str) -> None:
    wanted = {
        name: int(cores)
        for part in expected.split()
        for names, _, cores in [part.rpartition(":")]
        for name in (expand(names) if names[0] != "[" else [n[1:] for n in expand("x" + names)])
    }
    shares = place(read(arguments), rooms(free))
    assert shares is not None
    assert {share.node: share.held for share in shares} == wanted


def test_a_whole_node_request_reports_only_its_tasks() -> None:
    shares = place(Geometry(ntasks=10, min_nodes=0, max_nodes=1), rooms("128,128"))
    assert shares is not None
    assert [(share.tasks, share.cpus, share.held) for share in shares] == [(10, 10, 128)]


@pytest.mark.parametrize("arguments", ["-n 513", "-n 129 -N1", "-n 400 -N2-3", "-n 5 -N5", "-n 200 -N0-1"])
def test_what_does_not_fit(arguments: str) -> None:
    assert place(read(arguments), rooms("128,128,128,128")) is None


@given(
    st.lists(st.integers(0, 128), min_size=1, max_size=6),
    st.one_of(st.none(), st.integers(1, 400)),
    st.one_of(st.none(), st.integers(1, 60)),
    st.one_of(st.none(), st.integers(1, 140)),
    st.one_of(st.none(), st.tuples(st.integers(0, 4), st.integers(0, 3))),
    st.booleans(),
)
def test_no_placement_takes_what_is_not_free(
    free: list[int],
    ntasks: int | None,
    cpus: int | None,
    per_node: int | None,
    nodes: tuple[int, int] | None,
    exclusive: bool,
) -> None:
    low, high = (nodes[0], max(1, nodes[0] + nodes[1])) if nodes else (None, None)
    geometry = Geometry(ntasks, cpus, low, high, per_node, exclusive)
    available = rooms(",".join(map(str, free)))
    shares = place(geometry, available)
    if shares is None:
        return
    left = {room.name: room.free for room in available}
    names = [share.node for share in shares]
    assert names == sorted(set(names))
    for share in shares:
        assert 1 <= share.tasks * geometry.cpus <= share.held <= left[share.node]
        assert share.cpus <= share.held
    if ntasks is not None:
        assert sum(share.tasks for share in shares) >= ntasks
    if high is not None:
        assert max(1, low or 0) <= len(shares) <= high
