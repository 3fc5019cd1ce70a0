"""Doing the same to many things with several processes."""

import os
import signal

import pytest

from lute.errors import LuteError
from simulators.tools.workers import in_order


def _square(number: int) -> int:
    return number * number


def _killed(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def _failing(number: int) -> int:
    if number == 2:
        raise LuteError("two is bad", next_step="leave it out")
    return number


def _process(_: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("workers", [1, 3, 99])
def test_results_come_in_order(workers: int) -> None:
    assert list(in_order(_square, range(20), workers)) == [number * number for number in range(20)]
    assert list(in_order(_square, [], workers)) == []


def test_others_do_the_work() -> None:
    assert os.getpid() not in set(in_order(_process, range(8), 2))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_comes_after_what_was_done_before(workers: int) -> None:
    results = in_order(_failing, range(5), workers)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(LuteError, match="two is bad") as caught:
        next(results)
    assert caught.value.next_step == "leave it out"


def test_a_worker_that_is_killed_is_noticed() -> None:
    with pytest.raises(LuteError, match="killed"):
        list(in_order(_killed, range(10), 2))
