"""Which cores of a node a job gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.slurm.cores import choose_cores, core_list
from simulators.slurm.pool import mask_of

FULL = (1 << 128) - 1


@pytest.mark.parametrize(
    ("taken", "wanted", "expected"),
    [
        ([], 30, "0-14,64-78"),  # measured
        ([], 1, "0"),
        ([], 3, "0-1,64"),
        ([], 128, "0-127"),
        ([30], 10, "15-19,79-83"),
        ([63], 5, "32-34,95-96"),
        ([1, 1], 2, "2,64"),
    ],
)
def test_an_even_share_of_both_sockets(taken: list[int], wanted: int, expected: str) -> None:
    free = FULL
    for count in taken:
        free ^= choose_cores(free, count, 128)
    assert core_list(choose_cores(free, wanted, 128)) == expected


def test_what_one_socket_lacks_comes_from_the_other() -> None:
    assert core_list(choose_cores(mask_of([2, 64, 65, 66, 67]), 4, 128)) == "2,64-66"
    assert core_list(choose_cores(mask_of([1, 2, 3, 4, 127]), 4, 128)) == "1-3,127"


@pytest.mark.parametrize(
    ("cpus", "wanted", "expected"),
    [(1, 1, "0"), (3, 1, "0"), (3, 2, "0-1"), (3, 3, "0-2"), (2, 1, "0"), (0, 1, "")],
)
def test_odd_nodes(cpus: int, wanted: int, expected: str) -> None:
    assert core_list(choose_cores((1 << cpus) - 1, wanted, cpus)) == expected


def test_core_lists() -> None:
    assert core_list(0) == ""
    assert core_list(mask_of([0, 1, 2, 5, 7, 8])) == "0-2,5,7-8"


@given(st.integers(0, 12), st.integers(0, 2**12 - 1), st.integers(1, 12), st.integers(1, 4))
def test_the_cores_are_free_ones_and_as_many_as_wanted(
    cpus: int, free: int, wanted: int, sockets: int
) -> None:
    free &= (1 << cpus) - 1
    chosen = choose_cores(free, wanted, cpus, sockets)
    assert chosen & ~free == 0
    assert chosen.bit_count() == min(wanted, free.bit_count())
