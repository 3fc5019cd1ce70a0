"""Shared polling where jobs come and go while others wait, in virtual time."""

import asyncio

import pytest

from lute.jid.documents import JobRecord
from lute.jid.wire import parse_record
from lute.operators.polling import SharedPoller, shared_poller
from tests.operators.test_polling import Jid, in_virtual_time, record


def now_s() -> float:
    return asyncio.get_running_loop().time()


def test_who_comes_later_and_is_due_earlier_is_not_held_up() -> None:
    jid = Jid()

    async def work() -> tuple[float, float]:
        poller, begin_s = SharedPoller(), now_s()

        async def ends(number: int, pause_s: float) -> float:
            await poller.poll(record(number), pause_s, jid.ask)
            return now_s() - begin_s

        patient = asyncio.create_task(ends(1, 100.0))
        await asyncio.sleep(1.0)
        return await ends(2, 2.0), await patient

    assert in_virtual_time(work()) == pytest.approx((3.05, 100.05))
    assert jid.asked == [1, 1]


def test_a_poller_that_is_asked_again_at_once_is_not_forgotten() -> None:
    jid = Jid()

    async def work() -> None:
        first = shared_poller("http://a", "t")

        async def waits() -> None:
            for _ in range(3):
                await first.poll(record(1), 1.0, jid.ask)

        waiting = asyncio.create_task(waits())
        await asyncio.sleep(2.5)
        assert shared_poller("http://a", "t") is first
        await waiting

    in_virtual_time(work())


def test_who_is_cancelled_while_the_jid_is_asked_harms_nobody() -> None:
    jid = Jid()

    async def work() -> list[JobRecord]:
        poller = SharedPoller()
        gone, stays = (asyncio.create_task(poller.poll(record(n), 1.0, jid.ask)) for n in (1, 2))
        await asyncio.sleep(1.02)
        gone.cancel()
        return await asyncio.wait_for(stays, 60)

    assert "2" in {one.tool_id for one in in_virtual_time(work())}
    assert jid.asked == [2]


def test_a_jid_that_does_not_tell_which_job_is_which_is_asked_for_one_at_a_time() -> None:
    asked = []

    async def ask(records: list[JobRecord]) -> list[JobRecord]:
        asked.append(len(records))
        return [parse_record({"status": "DONE" if one.tool_id == "1" else "FAILED"}) for one in records]

    async def work() -> list[str]:
        poller = SharedPoller()
        found = await asyncio.gather(*(poller.poll(record(n), 1.0, ask) for n in (1, 2)))
        return [answer[0].status_word for answer in found]

    assert in_virtual_time(work()) == ["DONE", "FAILED"]
    assert asked == [2, 1, 1]


def test_who_is_cancelled_while_a_bad_document_is_looked_for_is_not_asked_for() -> None:
    jid = Jid(bad="1")

    async def work() -> list[JobRecord]:
        poller = SharedPoller()
        gone, stays = (asyncio.create_task(poller.poll(record(n), 1.0, jid.ask)) for n in (1, 2))
        await asyncio.sleep(1.02)
        gone.cancel()
        return await asyncio.wait_for(stays, 60)

    assert [one.tool_id for one in in_virtual_time(work())] == ["2"]
    assert jid.asked == [2, 1], "both, then the one that still waits"
