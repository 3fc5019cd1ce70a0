"""What is free of the nodes, and where the next job fits best."""

import pytest

from simulators.slurm.pool import Pool, bits, mask_of

EVERY = 0b1111


def test_sets_of_nodes() -> None:
    assert list(bits(0b101001)) == [0, 3, 5]
    assert mask_of([5, 0, 3]) == 0b101001
    assert (list(bits(0)), mask_of([])) == ([], 0)


@pytest.mark.parametrize(
    ("cores", "mask", "expected"),
    [
        (1, EVERY, 1),  # the fewest free cores that suffice
        (29, EVERY, 0),  # of equals the lowest index
        (29, 0b1110, 3),
        (39, EVERY, 2),
        (1, 0b0100, 2),
        (129, EVERY, None),
        (1, 0, None),
    ],
)
def test_best_fit(cores: int, mask: int, expected: int | None) -> None:
    assert Pool([38, 28, 128, 38]).best_fit(cores, mask) == expected


def test_taking_and_giving_back() -> None:
    pool = Pool([4, 4])
    pool.take(0, 4)
    pool.take(1, 1)
    assert (pool.free, pool.total(0b11), pool.with_free(0b11)) == ([0, 3], 3, 0b10)
    assert (pool.best_fit(1, 0b11), pool.best_fit(4, 0b11)) == (1, None)
    pool.take(0, -4)
    assert (pool.free, pool.total(0b11), pool.with_free(0b11)) == ([4, 3], 7, 0b11)
    assert (pool.best_fit(1, 0b11), pool.best_fit(4, 0b11)) == (1, 0)


def test_a_copy_changes_by_itself() -> None:
    pool = Pool([4, 4], [2, 0])
    copy = pool.copy()
    copy.take(0, 3)
    copy.gpus[0] -= 2
    assert (pool.free, pool.gpus, pool.best_fit(4, 0b01)) == ([4, 4], [2, 0], 0)
    assert (copy.free, copy.gpus, copy.best_fit(4, 0b01)) == ([1, 4], [0, 0], None)


def test_devices() -> None:
    pool = Pool([4, 4, 4], [0, 2, 4])
    assert (pool.with_gpus(1, 0b111), pool.with_gpus(3, 0b111), pool.with_gpus(1, 0b001)) == (0b110, 0b100, 0)


def test_nodes_without_cores() -> None:
    pool = Pool([0, 2])
    assert (pool.total(0b11), pool.with_free(0b11), pool.best_fit(1, 0b01)) == (2, 0b10, None)
    assert Pool([]).total(0) == 0
