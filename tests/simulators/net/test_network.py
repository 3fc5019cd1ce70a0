"""Ways take their time, requests of the dead still arrive, and faults act where they should."""

from dataclasses import replace

import pytest
import requests

from simulators.net.exchange import Exchange, Failure
from simulators.net.messages import HttpReply, HttpRequest, json_reply
from simulators.net.network import Latency, Unreachable
from simulators.net.session import VirtualSession
from tests.simulators.net.world import HOST, URL, Meddling, Net

STEADY = Latency(way_s=(0.01, 0.01), work_s={"test.thing": (1.0, 1.0)})


def ask(net: Net, connect_s: float = 5.0, read_s: float = 30.0, host: str = HOST) -> HttpReply:
    request = HttpRequest("GET", f"http://{host}/a", {})
    return net.network.exchange(request, host=host, connect_s=connect_s, read_s=read_s)


def test_a_reply_takes_both_ways_and_the_work() -> None:
    net = Net(STEADY)
    net.server.reply = json_reply(200, {}, took_s=0.5)
    replies: list[HttpReply] = []
    net.spawn(lambda: replies.append(ask(net)))
    net.agenda.run()
    assert replies == [net.server.reply]
    assert net.passed_s == pytest.approx(0.01 + 1.0 + 0.5 + 0.01)


def test_latencies_stay_between_their_bounds_and_are_drawn_anew() -> None:
    net = Net(Latency(way_s=(0.1, 0.2), work_s={"test.thing": (1.0, 2.0)}))
    took_s = []
    for _ in range(200):
        before_s = net.agenda.now_s
        ask(net)
        took_s.append(net.agenda.now_s - before_s)
    assert min(took_s) >= 1.2
    assert max(took_s) <= 2.4
    assert max(took_s) - min(took_s) > 0.8
    assert len(set(took_s)) == 200


def test_endpoints_without_work_take_only_the_ways() -> None:
    net = Net(Latency(way_s=(0.01, 0.01), work_s={"other": (9.0, 9.0)}))
    ask(net)
    assert net.passed_s == pytest.approx(0.02)


@pytest.mark.parametrize("connect_s", [0.0, 1.0])
def test_a_client_gives_up_after_its_two_limits_and_the_effect_stays(connect_s: float) -> None:
    net = Net(STEADY)
    net.server.reply = json_reply(200, {}, took_s=60.0)
    with pytest.raises(Unreachable) as caught:
        ask(net, connect_s, 2.0)
    assert caught.value.failure is Failure.TIMEOUT
    assert net.passed_s == pytest.approx(connect_s + 2.0)
    assert len(net.server.seen) == 1


def test_a_client_that_gives_up_before_its_request_arrives_has_its_effect_all_the_same() -> None:
    net = Net(STEADY)
    with pytest.raises(Unreachable):
        ask(net, 0.0, 0.5)
    assert (net.passed_s, net.server.seen) == (0.5, [])
    net.agenda.run()
    assert len(net.server.seen) == 1


def test_without_a_limit_a_client_waits_for_days() -> None:
    net = Net()
    net.server.reply = json_reply(200, {}, took_s=1e6)
    assert VirtualSession(net.network).get(URL).status_code == 200
    assert net.passed_s > 1e6


def test_an_unknown_host_refuses_within_one_way() -> None:
    net = Net(STEADY)
    with pytest.raises(Unreachable) as caught:
        ask(net, host="nobody.virtual")
    assert caught.value.failure is Failure.REFUSED
    assert net.passed_s == pytest.approx(0.01)
    assert net.trace.entries[-1]["endpoint"] == "nobody.virtual.?"


def test_the_request_of_a_killed_client_still_arrives() -> None:
    net = Net(STEADY)
    actor = net.spawn(lambda: ask(net))
    net.agenda.advance(1000.5)
    actor.kill()
    net.agenda.run()
    assert len(net.server.seen) == 1
    assert not [entry for entry in net.trace.entries if entry["event"] == "http"]


def test_an_interrupt_comes_out_of_the_request_and_the_next_is_not_disturbed() -> None:
    net = Net(STEADY)
    told: list[object] = []

    def live() -> None:
        try:
            ask(net)
        except KeyboardInterrupt:
            told.append(net.passed_s)
        told.append(ask(net).status)
        told.append(net.passed_s)

    def interrupt() -> None:
        raise KeyboardInterrupt

    actor = net.spawn(live)
    net.agenda.advance(1000.5)
    actor.interrupt(interrupt)
    net.agenda.run()
    # The first request's reply comes in the middle of the second one and must not be taken for its own.
    assert told == [0.5, 200, pytest.approx(0.5 + 1.02)]
    assert len(net.server.seen) == 2


def test_an_interrupt_that_raises_nothing_leaves_the_request_alone() -> None:
    net = Net(STEADY)
    told: list[object] = []
    actor = net.spawn(lambda: told.append(ask(net).status))
    net.agenda.advance(1000.5)
    actor.interrupt(lambda: told.append("handled"))
    net.agenda.run()
    assert told == ["handled", 200]
    assert net.passed_s == pytest.approx(1.02)


def test_the_server_knows_whose_request_it_answers_and_only_then() -> None:
    net = Net()
    told: list[str] = []

    def handle(_request: HttpRequest) -> HttpReply:
        told.append(net.network.delivering)
        return json_reply(200, {})

    net.server.handle = handle  # type: ignore[method-assign]
    for name in ("one", "two"):
        net.spawn(lambda: ask(net), name)
    net.agenda.run()
    assert sorted(told) == ["one", "two"]
    assert net.network.delivering == ""


def test_a_server_that_crashes_stops_the_world() -> None:
    net = Net()

    def handle(_request: HttpRequest) -> HttpReply:
        raise ZeroDivisionError

    net.server.handle = handle  # type: ignore[method-assign]
    net.spawn(lambda: ask(net))
    with pytest.raises(ZeroDivisionError):
        net.agenda.run()
    assert net.network.delivering == ""


def test_a_request_that_is_delivered_twice_has_two_effects_and_the_second_reply() -> None:
    net = Net()
    replies = iter([json_reply(200, 1), json_reply(200, 2)])

    def handle(request: HttpRequest) -> HttpReply:
        net.server.seen.append(request)
        return next(replies)

    def again(exchange: Exchange) -> None:
        exchange.reply = net.network.deliver(exchange)

    net.server.handle = handle  # type: ignore[method-assign]
    net.network.meddler = Meddling(after=again)
    assert VirtualSession(net.network).post(URL, json={}).json() == 2
    assert len(net.server.seen) == 2


def test_a_reply_of_a_fault_needs_no_server() -> None:
    net = Net(STEADY)

    def answer(exchange: Exchange) -> None:
        exchange.arrives, exchange.reply = False, HttpReply(502, b"<html>")

    net.network.meddler = Meddling(before=answer)
    assert ask(net).status == 502
    assert net.server.seen == []
    assert net.passed_s == pytest.approx(0.01)


def test_a_slow_reply_is_late_and_beyond_the_limit_lost() -> None:
    for delay_s, arrives in ((10.0, True), (40.0, False)):
        net = Net(STEADY)
        net.network.meddler = Meddling(
            after=lambda exchange, delay_s=delay_s: setattr(exchange, "delay_s", delay_s)  # type: ignore[misc]
        )
        if arrives:
            assert ask(net).status == 200
            assert net.passed_s == pytest.approx(11.02)
        else:
            with pytest.raises(Unreachable):
                ask(net)
            assert net.passed_s == pytest.approx(35.0)


def test_every_exchange_is_noted_with_its_end() -> None:
    net = Net(STEADY)
    net.spawn(lambda: ask(net), "Tester")
    net.agenda.run()
    assert [replace_t(entry) for entry in net.trace.entries] == [
        {
            "actor": "Tester",
            "event": "http",
            "endpoint": "test.thing",
            "status": 200,
            "failure": None,
            "sent_s": 1000.0,
        }
    ]
    assert net.trace.entries[0]["t"] == pytest.approx(1001.02)


def replace_t(entry: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in entry.items() if name != "t"}


def test_the_same_seed_takes_the_same_time() -> None:
    def took_s(seed: int) -> float:
        net = Net(Latency(way_s=(0.0, 1.0)), seed)
        for _ in range(5):
            ask(net)
        return net.passed_s

    assert took_s(1) == took_s(1) != took_s(2)


def test_an_answer_and_the_limit_at_the_same_moment() -> None:
    net = Net(Latency(way_s=(0.0, 0.0)))
    net.server.reply = replace(json_reply(200, {}), took_s=2.0)
    with pytest.raises(requests.ReadTimeout):
        VirtualSession(net.network).get(URL, timeout=(0.0, 2.0))


def test_hosts_are_told_apart_with_their_ports_and_without_users() -> None:
    request = HttpRequest("GET", "http://user:pass%40word@h.virtual:80/a@b?c=d@e", {})
    assert request.host == "h.virtual:80"
    assert request.parts.path == "/a@b"
