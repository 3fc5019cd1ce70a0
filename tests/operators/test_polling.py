"""Shared polling, in virtual time."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any, TypeVar

import pytest

from lute.errors import PermanentError, TransientError
from lute.jid.documents import JobRecord
from lute.jid.wire import parse_record
from lute.operators.polling import SharedPoller, shared_poller
from simulators.kernel.actors import Actors
from simulators.kernel.aio import VirtualLoop
from simulators.kernel.events import Agenda

T = TypeVar("T")


def in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    loop = VirtualLoop(Actors(Agenda(1_800_000_000.0)))
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def record(number: int) -> JobRecord:
    return parse_record({"tool_id": str(number), "status": "RUNNING"})


class Jid:
    """Answers; notes how many were asked for at once."""

    def __init__(self, bad: str = "", most: int = 1000) -> None:
        self.asked: list[int] = []
        self.bad = bad
        self.most = most
        self.trouble: Exception | None = None

    async def ask(self, records: list[JobRecord]) -> list[JobRecord]:
        self.asked.append(len(records))
        task = asyncio.current_task()
        assert task is not None
        assert task.get_name() == "lute shared poller"
        await asyncio.sleep(0.05)
        if self.trouble:
            raise self.trouble
        if any(one.tool_id == self.bad for one in records):
            raise PermanentError("a bad document", endpoint="e", http_status=400)
        return records[: self.most]


async def waits(poller: SharedPoller, jid: Jid, number: int, until_s: float, begin_s: float) -> list[float]:
    """Poll as a trigger does, every 10 s; return how late each answer came."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(begin_s)
    late = []
    start_s = loop.time() - begin_s
    while loop.time() < start_s + until_s:
        asked_s = loop.time()
        found = await poller.poll(record(number), 10.0, jid.ask)
        assert [one.tool_id for one in found if one.tool_id == str(number)] == [str(number)]
        late.append(loop.time() - asked_s - 10.0)
    return late


def test_a_hundred_jobs_share_their_polls() -> None:
    jid, draw = Jid(), Random(1)

    async def work() -> list[list[float]]:
        poller = SharedPoller()
        return await asyncio.gather(
            *(waits(poller, jid, number, 3600, draw.uniform(0, 60)) for number in range(100))
        )

    late = in_virtual_time(work())
    assert max(map(max, late)) < 0.2, "nobody is asked for later than wished"
    assert len(jid.asked) < 1000, "where each alone would have needed 36,000"


@pytest.mark.parametrize(("late_s", "asked"), [(8.0, [1, 1]), (5.0, [2]), (4.0, [2])])
def test_who_has_waited_for_half_of_its_pause_is_asked_for_together_with_others(
    late_s: float, asked: list[int]
) -> None:
    jid = Jid()

    async def work() -> None:
        poller = SharedPoller()
        first = asyncio.create_task(poller.poll(record(1), 10.0, jid.ask))
        await asyncio.sleep(late_s)
        await asyncio.gather(first, poller.poll(record(2), 10.0, jid.ask))

    in_virtual_time(work())
    assert jid.asked == asked


def test_nobody_is_held_up_between_two_polls() -> None:
    jid = Jid()

    async def work() -> float:
        poller = SharedPoller()
        begin_s = asyncio.get_running_loop().time()
        for _ in range(10):
            await poller.poll(record(1), 0.5, jid.ask)
        return asyncio.get_running_loop().time() - begin_s

    assert in_virtual_time(work()) == pytest.approx(10 * 0.55)


def test_who_waits_is_told_how_many_wait_together() -> None:
    async def work(most: int) -> list[int]:
        poller, jid = SharedPoller(), Jid()
        together = []

        async def one(number: int) -> None:
            await poller.poll(record(number), 1.0, jid.ask)
            together.append(poller.together)

        await asyncio.gather(*(one(number) for number in range(most)))
        return together

    assert [in_virtual_time(work(most)) for most in (3, 1)] == [[3, 3, 3], [1]]


def test_more_jobs_than_fit_are_asked_for_in_several_requests() -> None:
    jid = Jid()

    async def work() -> None:
        poller = SharedPoller()
        await asyncio.gather(*(poller.poll(record(number), 1.0, jid.ask) for number in range(450)))

    in_virtual_time(work())
    assert jid.asked == [200, 200, 50]


@pytest.mark.parametrize(("most", "asked"), [(1, [3, 1, 1, 1, 1, 1, 1]), (2, [3, 3])])
def test_a_jid_that_answers_single_documents_only_is_asked_singly(most: int, asked: list[int]) -> None:
    jid = Jid(most=most)

    async def work() -> list[list[JobRecord]]:
        poller = SharedPoller()
        for _ in range(2):
            found = await asyncio.gather(*(poller.poll(record(number), 1.0, jid.ask) for number in range(3)))
        return found

    found = in_virtual_time(work())
    assert jid.asked == asked
    if most == 1:
        assert [[one.tool_id for one in answer] for answer in found] == [["0"], ["1"], ["2"]]


def test_two_jobs_are_asked_for_together_and_a_refused_one_once() -> None:
    jid = Jid()

    async def work(*numbers: int) -> list[Any]:
        poller = SharedPoller()
        waiting = [poller.poll(record(number), 1.0, jid.ask) for number in numbers]
        return await asyncio.gather(*waiting, return_exceptions=True)

    in_virtual_time(work(1, 2))
    jid.bad = "3"
    assert isinstance(in_virtual_time(work(3))[0], PermanentError)
    assert jid.asked == [2, 1]


def test_one_document_that_the_jid_refuses_costs_the_others_nothing() -> None:
    jid = Jid(bad="1")

    async def work() -> list[Any]:
        poller = SharedPoller()
        waiting = [poller.poll(record(number), 1.0, jid.ask) for number in range(3)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, second, third = in_virtual_time(work())
    assert (first[0].tool_id, third[0].tool_id) == ("0", "2")
    assert isinstance(second, PermanentError)


@pytest.mark.parametrize(
    "trouble",
    [
        TransientError("down", endpoint="e"),
        PermanentError("token", endpoint="e", http_status=401),
        ValueError("bug"),
    ],
)
def test_what_goes_wrong_reaches_all_and_is_asked_once(trouble: Exception) -> None:
    jid = Jid()
    jid.trouble = trouble

    async def work() -> list[Any]:
        poller = SharedPoller()
        waiting = [poller.poll(record(number), 1.0, jid.ask) for number in range(3)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert in_virtual_time(work()) == [trouble] * 3
    assert jid.asked == [3]


def test_who_is_cancelled_is_not_asked_for() -> None:
    jid = Jid()

    async def work() -> None:
        poller = SharedPoller()
        gone = asyncio.create_task(poller.poll(record(1), 5.0, jid.ask))
        stays = asyncio.create_task(poller.poll(record(2), 10.0, jid.ask))
        await asyncio.sleep(1)
        gone.cancel()
        await stays

    in_virtual_time(work())
    assert jid.asked == [1]


def test_pollers_are_shared_by_jid_and_token_and_forgotten_when_idle() -> None:
    jid = Jid()

    async def work() -> None:
        first = shared_poller("http://a", "t")
        assert shared_poller("http://a", "t") is first
        assert shared_poller("http://a", "u") is not first
        await first.poll(record(1), 1.0, jid.ask)
        await asyncio.sleep(1)
        assert shared_poller("http://a", "t") is not first

    in_virtual_time(work())
