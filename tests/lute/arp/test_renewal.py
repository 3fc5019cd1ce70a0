"""Keeping a token valid: examples, and a state machine that lets the eLog, Airflow and the ticket fail."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lute.arp.kerberos import TicketCopy
from lute.arp.lease import in_words
from lute.arp.renewal import TokenKeeper
from lute.errors import ConfigError, LuteError, PermanentError, TransientError
from lute.seams.commands import Completed
from tests.fakes import START, FakeClock, fake_runtime, settings
from tests.lute.arp.caches import with_ticket
from tests.lute.arp.tokens import token

NOW_S = START.timestamp()
KEY = "lute_token_exp_r12_x"


class World:
    """The eLog, Airflow's Variables and Kerberos, as a keeper sees them."""

    def __init__(self, *, lifetime_s: float = 3600.0, channel: str = "variable") -> None:
        self.clock = FakeClock()
        self.lifetime_s = lifetime_s
        self.elog_is_up = self.airflow_is_up = self.has_ticket = True
        self.variables: dict[str, str] = {}
        self.fetches: list[float] = []
        self.caches: list[str | None] = []
        self.commands: list[list[str]] = []
        self.lines: list[str] = []
        self.renewed = b""
        self.cache: Path | None = None
        self.site = settings(jid={"url": "http://jid.test/jid/ws", "token_channel": channel})
        self.runtime = replace(
            fake_runtime(self.clock),
            commands=self,  # type: ignore[arg-type]
            new_session=lambda: self,  # type: ignore[arg-type, return-value]
            negotiate=self._negotiate,
        )

    def keeper(self, given: str = "", tickets: TicketCopy | None = None) -> TokenKeeper:
        return TokenKeeper(
            given,
            experiment="exp",
            run_id="exp_r12_x",
            settings=self.site,
            runtime=self.runtime,
            airflow=self,
            tickets=tickets,
            say=self.lines.append,
        )

    def token(self, lifetime_s: float) -> str:
        return f"Bearer {token(exp=self.now_s + lifetime_s, number=len(self.fetches))}"

    @property
    def now_s(self) -> float:
        return NOW_S + self.clock.elapsed_s

    def run(self, argv: Sequence[str], **_: Any) -> Completed:
        self.commands.append(list(argv))
        if not self.renewed or self.cache is None:
            return Completed(1, "", "kinit: no")
        self.cache.write_bytes(self.renewed)
        return Completed(0, "", "")

    def _negotiate(self, _host: str, ccache: str | None) -> str:
        self.fetches.append(self.clock.elapsed_s)
        self.caches.append(ccache)
        if not self.has_ticket:
            raise ConfigError("there is no valid Kerberos ticket", next_step="run `kinit`")
        return "Negotiate dGlja2V0"

    def get(self, *_: object, **__: object) -> requests.Response:
        if not self.elog_is_up:
            raise requests.ConnectionError("refused")
        reply = requests.Response()
        reply.status_code = 200
        bare = self.token(self.lifetime_s).removeprefix("Bearer ")
        reply._content = json.dumps({"success": True, "value": bare}).encode()
        return reply

    def set_variable(self, key: str, value: str) -> None:
        if not self.airflow_is_up:
            raise TransientError("Airflow cannot be reached", endpoint="http://airflow.test")
        self.variables[key] = value

    def delete_variable(self, key: str) -> None:
        if not self.airflow_is_up:
            raise TransientError("Airflow cannot be reached", endpoint="http://airflow.test")
        self.variables.pop(key, None)

    def wait(self, keeper: TokenKeeper, duration_s: float, *, poll_s: float = 10.0) -> None:
        until_s = self.clock.elapsed_s + duration_s
        while self.clock.elapsed_s < until_s:
            self.clock.sleep(poll_s)
            keeper.keep()


def test_the_conf_names_a_variable_that_holds_the_token() -> None:
    world = World()
    keeper = world.keeper()
    assert keeper.conf_value == f"variable:{KEY}"
    keeper.start()
    assert world.variables == {KEY: keeper.authorization}
    assert keeper.authorization.startswith("Bearer ")
    keeper.close()
    assert world.variables == {}


def test_with_the_conf_as_channel_nothing_else_is_touched() -> None:
    world = World(channel="conf")
    given = world.token(4 * 3600 + 58 * 60)
    keeper = world.keeper(given)
    keeper.start()
    world.wait(keeper, 6 * 3600, poll_s=600)
    keeper.close()
    assert (keeper.conf_value, keeper.authorization) == (given, given)
    assert (world.fetches, world.variables) == ([], {})
    assert world.lines == ["The token lasts 4 h 58 min; steps that are not done then fail"]


@pytest.mark.parametrize("lifetime_s", [-1.0, 0.0])
@pytest.mark.parametrize("channel", ["conf", "variable"])
def test_an_expired_token_is_replaced_at_the_start(channel: str, lifetime_s: float) -> None:
    world = World(channel=channel)
    given = world.token(lifetime_s)
    keeper = world.keeper(given)
    keeper.start()
    assert keeper.authorization != given
    assert keeper.remaining_s == 3600
    assert len(world.fetches) == 1


@pytest.mark.parametrize("channel", ["conf", "variable"])
def test_without_any_valid_token_nothing_starts(channel: str) -> None:
    world = World(channel=channel)
    world.has_ticket = False
    with pytest.raises(ConfigError, match=r"no valid Kerberos ticket(?s:.*)kinit"):
        world.keeper().start()
    with pytest.raises(ConfigError, match=r"Authorization has expired, and (?s:.*)kinit"):
        world.keeper(world.token(-5)).start()
    assert world.variables == {}


def test_a_token_that_cannot_be_renewed_is_used_and_its_end_is_told() -> None:
    world = World()
    world.has_ticket = False
    given = world.token(3600)
    keeper = world.keeper(given)
    keeper.start()
    assert world.variables == {KEY: given}
    assert [line.partition("\n")[0] for line in world.lines] == [
        "WARNING: the token could not be renewed and lasts 1 h 0 min more: there is no valid Kerberos ticket"
    ]
    world.wait(keeper, 2 * 3600)
    assert len(world.lines) == 2
    assert "has expired, the JID refuses every step" in world.lines[1]
    assert "kinit" in world.lines[1]
    world.has_ticket = True
    world.wait(keeper, 70)
    assert world.lines[2:] == ["The token has been renewed and lasts 1 h 0 min"]
    assert world.variables[KEY] == keeper.authorization != given


def test_a_token_that_says_no_end_gets_the_lifetime_asked_for() -> None:
    world = World()
    world.elog_is_up = False
    keeper = world.keeper("Bearer opaque")
    keeper.start()
    assert keeper.remaining_s == 300 * 60


def test_twenty_hours_with_one_hour_tokens() -> None:
    world = World()
    keeper = world.keeper(world.token(60))
    keeper.start()
    for _ in range(20 * 360):
        world.clock.sleep(10)
        keeper.keep()
        assert keeper.remaining_s >= 1790
        assert world.variables[KEY] == keeper.authorization
    assert len(world.fetches) == 1 + 40
    assert world.lines == []


def test_airflow_must_take_the_token_at_the_start() -> None:
    world = World()
    world.airflow_is_up = False
    keeper = world.keeper()
    with pytest.raises(TransientError):
        keeper.start()
    keeper.close()
    assert world.lines == [
        f"WARNING: the Variable {KEY} is still in Airflow, delete it: "
        "Airflow cannot be reached [http://airflow.test]"
    ]


def test_what_was_never_stored_is_not_removed() -> None:
    world = World()
    world.has_ticket = world.airflow_is_up = False
    keeper = world.keeper()
    with pytest.raises(LuteError):
        keeper.start()
    keeper.close()
    assert world.lines == []


def test_a_run_that_goes_on_already_is_not_lost_to_a_failure() -> None:
    world = World()
    world.has_ticket = False
    keeper = world.keeper()
    keeper.resume()
    assert len(world.lines) == 1
    world.has_ticket = True
    world.wait(keeper, 70)
    assert world.variables == {KEY: keeper.authorization}
    other = World(channel="conf")
    other.has_ticket = False
    other.keeper().resume()
    assert (other.lines, other.fetches) == ([], [])


def test_a_run_that_goes_on_keeps_a_token_that_may_last_longer_than_the_one_given() -> None:
    world = World()
    better = world.token(16_000)
    world.variables[KEY] = better
    world.elog_is_up = False
    keeper = world.keeper(world.token(1800))
    keeper.resume()
    assert world.variables == {KEY: better}
    keeper.close()
    assert world.variables == {}


def test_without_a_token_of_its_own_a_launcher_says_whose_the_run_has() -> None:
    world = World()
    world.has_ticket = False
    world.keeper().resume()
    (said,) = world.lines
    assert "is the one that the run's launcher before this one left" in said
    assert "expired" not in said


class TestTickets:
    @pytest.fixture
    def world(self) -> World:
        return World()

    @pytest.fixture
    def copy(self, tmp_path: Path, world: World) -> TicketCopy:
        folder = tmp_path / "0"
        folder.mkdir()
        world.cache = folder / "ccache"
        return TicketCopy(world.cache)

    def start(
        self, world: World, copy: TicketCopy, ends_s: float, renewable_until_s: float = 0
    ) -> TokenKeeper:
        until_s = NOW_S + renewable_until_s if renewable_until_s else 0
        copy.path.write_bytes(with_ticket(starts_s=NOW_S, ends_s=NOW_S + ends_s, renewable_until_s=until_s))
        keeper = world.keeper(tickets=copy)
        keeper.start()
        return keeper

    def test_tokens_are_got_with_the_runs_own_cache(self, world: World, copy: TicketCopy) -> None:
        self.start(world, copy, 10 * 3600)
        assert world.caches == [copy.name]
        assert world.lines == ["The Kerberos ticket gives tokens for 10 h 0 min from now"]

    def test_a_renewable_ticket_is_renewed_in_time(self, world: World, copy: TicketCopy) -> None:
        keeper = self.start(world, copy, 10 * 3600, 7 * 24 * 3600)
        assert world.lines == ["The Kerberos ticket gives tokens for 168 h 0 min from now"]
        world.wait(keeper, 4.9 * 3600)
        assert world.commands == []
        world.renewed = with_ticket(ends_s=world.now_s + 10 * 3600, renewable_until_s=NOW_S + 7 * 24 * 3600)
        world.wait(keeper, 4.9 * 3600)
        assert world.commands == [["kinit", "-R", "-c", copy.name]]
        assert len(world.lines) == 1

    def test_a_renewal_that_fails_is_told_once_and_tried_again(self, world: World, copy: TicketCopy) -> None:
        keeper = self.start(world, copy, 3600, 7200)
        world.wait(keeper, 3000)
        assert 3 <= len(world.commands) <= 30
        (line,) = world.lines[1:]
        assert line.startswith("WARNING: the Kerberos ticket could not be renewed: kinit: no")
        world.renewed = with_ticket(ends_s=world.now_s + 3600)
        world.wait(keeper, 300)
        count = len(world.commands)
        world.wait(keeper, 900)
        assert len(world.commands) == count

    def test_what_cannot_be_renewed_is_told_in_time(self, world: World, copy: TicketCopy) -> None:
        keeper = self.start(world, copy, 3600)
        world.wait(keeper, 1900)
        (line,) = world.lines[1:]
        assert "ends in 30 min and cannot be renewed" in line
        assert f"kinit -c {copy.name}" in line
        # The user does so.
        copy.path.write_bytes(with_ticket(ends_s=world.now_s + 36_000))
        world.wait(keeper, 3600)
        assert (world.commands, len(world.lines)) == ([], 2)

    def test_a_cache_that_is_gone_is_told(self, world: World, copy: TicketCopy) -> None:
        keeper = self.start(world, copy, 3600)
        copy.remove()
        world.wait(keeper, 7200)
        assert len(world.lines) == 2


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [(-5, "0 s"), (59.9, "59 s"), (60, "1 min"), (3600, "1 h 0 min"), (90_061, "25 h 1 min")],
)
def test_durations_in_words(duration_s: float, words: str) -> None:
    assert in_words(duration_s) == words


class Keeping(RuleBasedStateMachine):
    """Whatever fails, and however long: a token lapses only if there was no way to renew it."""

    @initialize(lifetime_s=st.floats(60, 480 * 60), given_s=st.floats(60, 480 * 60) | st.none())
    def begin(self, lifetime_s: float, given_s: float | None) -> None:
        self.world = world = World(lifetime_s=lifetime_s)
        self.keeper = world.keeper("" if given_s is None else world.token(given_s))
        self.keeper.start()
        self.up_since_s = world.now_s
        self.troubles = 0

    @rule(elog=st.booleans(), airflow=st.booleans(), ticket=st.booleans())
    def change(self, elog: bool, airflow: bool, ticket: bool) -> None:
        world = self.world
        was_up = self.is_up
        world.elog_is_up, world.airflow_is_up, world.has_ticket = elog, airflow, ticket
        if self.is_up and not was_up:
            self.up_since_s = world.now_s
        self.troubles += not self.is_up

    @rule(polls=st.integers(1, 400), poll_s=st.floats(1, 10))
    def wait(self, polls: int, poll_s: float) -> None:
        for _ in range(polls):
            self.world.clock.sleep(poll_s)
            self.keeper.keep()
            self.check_token()

    @property
    def is_up(self) -> bool:
        return self.world.elog_is_up and self.world.airflow_is_up and self.world.has_ticket

    def check_token(self) -> None:
        world = self.world
        assert world.variables[KEY] == self.keeper.authorization
        if self.keeper.remaining_s > 0 or not self.is_up:
            return
        ended_s = world.now_s + self.keeper.remaining_s
        # A tenth of the time left, 10 s at least, and the launcher's own 10 s; once over, a minute.
        assert self.up_since_s > ended_s - 25
        assert world.now_s - self.up_since_s <= 70

    @invariant()
    def bounded(self) -> None:
        world = self.world
        assert len(world.fetches) <= 2 + world.clock.elapsed_s / 10
        if not self.troubles:
            assert len(world.fetches) <= 2 + world.clock.elapsed_s / (world.lifetime_s / 2)
        # Of each trouble: it failed, it expired, it is well again.
        assert len(world.lines) <= 3 * self.troubles
        secrets = [world.variables[KEY], self.keeper.authorization]
        assert not any(secret.rpartition(" ")[2] in line for secret in secrets for line in world.lines)

    def teardown(self) -> None:
        if hasattr(self, "keeper"):
            self.keeper.close()
            assert (KEY in self.world.variables) is not self.world.airflow_is_up


TestKeeping = Keeping.TestCase
TestKeeping.settings = hypothesis_settings(max_examples=40, stateful_step_count=12, deadline=None)


def test_a_refusal_of_airflow_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    keeper = world.keeper()
    keeper.start()

    def refuse(_key: str, _value: str) -> None:
        raise PermanentError("Airflow refused", endpoint="/variables", next_step="ask its administrators")

    monkeypatch.setattr(world, "set_variable", refuse)
    world.wait(keeper, 1900)
    assert "Airflow refused [/variables]\n  next: ask its administrators" in world.lines[0]
