"""Doing the same to many things with several processes."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import TypeVar

from lute.errors import LuteError

T = TypeVar("T")
R = TypeVar("R")


def in_order(work: Callable[[T], R], tasks: Sequence[T], workers: int) -> Iterator[R]:
    """Give what `work` makes of each task, in their order whoever is ready first.

    Args:
        work: can be pickled, and so can what it returns and raises.
        workers: number of processes; with 1, this one does it all.

    Raises:
        LuteError: a worker was killed.
    """
    workers = min(workers, len(tasks))
    if workers <= 1:
        yield from map(work, tasks)
        return
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        try:
            yield from pool.map(work, tasks)
        except BrokenProcessPool as error:
            raise LuteError("a worker was killed", next_step="see whether the memory is full") from error


def _end_with_parent() -> None:
    """Let this process end when its parent does, however that ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for_end, args=[parent.sentinel], daemon=True).start()


def _wait_for_end(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
