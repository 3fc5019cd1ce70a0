"""The copies of a process in which mutants live; what they are is told in docs/mutation.md."""

import os
import time

import pytest

from tests.mutation.forked import Died, forked


def test_a_copy_tells_what_it_found_and_changes_nothing_here() -> None:
    found: list[int] = []

    def work() -> list[int]:
        found.append(1)
        print("not to be seen")
        return found

    assert forked(work, 10) == [1]
    assert found == []


@pytest.mark.parametrize("work", [lambda: os._exit(3), lambda: 1 / 0, lambda: time.sleep(60)])
def test_a_copy_that_dies_or_hangs_is_told_of(work: object) -> None:
    with pytest.raises(Died):
        forked(work, 0.5)  # type: ignore[arg-type]
