"""The index of free cores says what a plain list says, and no placement takes what is not free."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulators.slurm.placement import is_plain, place
from simulators.slurm.pool import Pool, mask_of
from simulators.slurm.request import Geometry
from tests.properties.slurm_loads import shapes

SIZES = st.lists(st.integers(0, 9), min_size=1, max_size=7)


def members(mask: int, nodes: int) -> list[int]:
    return [node for node in range(nodes) if mask >> node & 1]


@given(SIZES, st.data())
def test_a_pool_agrees_with_a_list(sizes: list[int], data: st.DataObject) -> None:
    pool, free = Pool(sizes), list(sizes)
    for _ in range(data.draw(st.integers(0, 12), label="changes")):
        node = data.draw(st.integers(0, len(sizes) - 1), label="node")
        cores = data.draw(st.integers(free[node] - sizes[node], free[node]), label="taken")
        if data.draw(st.booleans(), label="on a copy"):
            pool.copy().take(node, cores)
            continue
        pool.take(node, cores)
        free[node] -= cores
        mask = data.draw(st.integers(0, (1 << len(sizes)) - 1), label="mask")
        some = members(mask, len(sizes))
        wanted = data.draw(st.integers(1, 10), label="wanted")
        assert pool.free == free
        assert pool.total(mask) == sum(free[node] for node in some)
        assert pool.with_free(mask) == mask_of(node for node in some if free[node])
        best = min(
            (node for node in some if free[node] >= wanted), key=lambda node: (free[node], node), default=None
        )
        assert pool.best_fit(wanted, mask) == best


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=7),
    st.data(),
)
def test_no_placement_takes_what_is_not_free(nodes: list[tuple[int, int, int]], data: st.DataObject) -> None:
    cpus = [max(free, other) for free, other, _ in nodes]
    pool = Pool(cpus, [gpus for _, _, gpus in nodes])
    for node, (free, _, _) in enumerate(nodes):
        pool.take(node, cpus[node] - free)
    shape: dict[str, Any] = data.draw(shapes(), label="shape")
    geometry = Geometry(**shape, gpus_per_node=data.draw(st.integers(0, 2), label="gpus"))
    mask = data.draw(st.integers(0, (1 << len(nodes)) - 1), label="mask")
    required = data.draw(st.one_of(st.just(0), st.integers(0, (1 << len(nodes)) - 1)), label="required")
    before = list(pool.free)
    shares = place(geometry, mask, pool, cpus, required)
    assert pool.free == before
    usable = [node for node in members(mask, len(nodes)) if nodes[node][2] >= geometry.gpus_per_node]
    if shares is None:
        if is_plain(geometry) and not required:
            assert sum(before[node] // geometry.cpus for node in usable) < geometry.min_tasks
        return
    names = [share.node for share in shares]
    assert names == sorted(set(names))
    assert set(names) <= set(usable)
    assert not required or set(names) <= set(members(required, len(nodes)))
    for share in shares:
        assert share.tasks * geometry.cpus <= share.held <= before[share.node]
        assert 1 <= share.cpus <= share.held
        if geometry.exclusive:
            assert share.cpus == share.held == cpus[share.node] == before[share.node]
        if geometry.min_nodes == 0:
            assert share.held == before[share.node]
        if geometry.ntasks_per_node:
            assert share.tasks <= geometry.ntasks_per_node
    tasks = sum(share.tasks for share in shares)
    assert geometry.min_tasks <= tasks
    if not geometry.ntasks_per_node:
        assert tasks == geometry.min_tasks or (required and tasks == len(shares))
    if geometry.max_nodes is not None:
        assert max(1, geometry.min_nodes or 1) <= len(shares) <= geometry.max_nodes
