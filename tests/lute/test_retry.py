"""Asking again after transient errors."""

import pytest

from lute.errors import PermanentError, TransientError
from lute.retry import retrying
from tests.fakes import FakeClock, fake_runtime


class Flaky:
    """Fails so many times before it answers."""

    def __init__(self, failures: int, error: type[Exception] = TransientError) -> None:
        self.calls, self._failures, self._error = 0, failures, error

    def ask(self, what: str, *, how: str) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error("no", endpoint="there")  # type: ignore[call-arg]
        return f"{what} {how}"


def test_an_answer_at_once_waits_for_nothing() -> None:
    clock = FakeClock()
    assert retrying(fake_runtime(clock), 60, Flaky(0).ask, "a", how="b") == "a b"
    assert clock.elapsed_s == 0


def test_waits_double_with_jitter_from_half_a_second_to_thirty() -> None:
    clock, flaky, waits = FakeClock(), Flaky(10), []
    before = [0.0]
    clock.at_sleep = lambda now_s: waits.append(now_s - before[0]) or before.__setitem__(0, now_s)
    assert retrying(fake_runtime(clock), 900, flaky.ask, "a", how="b") == "a b"
    assert len(waits) == 10
    for number, wait_s in enumerate(waits):
        longest_s = min(30.0, 0.5 * 2**number)
        assert longest_s / 2 <= wait_s <= longest_s
    assert len({round(wait_s, 6) for wait_s in waits[-3:]}) == 3, "without jitter they would be equal"


def test_the_last_error_is_raised_before_the_limit_would_pass() -> None:
    clock, flaky = FakeClock(), Flaky(1000)
    with pytest.raises(TransientError):
        retrying(fake_runtime(clock), 60, flaky.ask, "a", how="b")
    assert clock.elapsed_s <= 60
    assert flaky.calls > 5


def test_other_errors_are_raised_at_once() -> None:
    clock, flaky = FakeClock(), Flaky(1, PermanentError)
    with pytest.raises(PermanentError):
        retrying(fake_runtime(clock), 60, flaky.ask, "a", how="b")
    assert (flaky.calls, clock.elapsed_s) == (1, 0)


def test_no_patience_means_one_attempt() -> None:
    flaky = Flaky(1)
    with pytest.raises(TransientError):
        retrying(fake_runtime(), 0, flaky.ask, "a", how="b")
    assert flaky.calls == 1
