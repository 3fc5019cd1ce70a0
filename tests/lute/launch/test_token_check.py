"""What a dry run says of the token that a launch would have."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import responses

from lute.arp.kerberos import TicketCopy
from lute.jid.documents import parse_run_conf
from lute.launch.process import Process
from lute.launch.token_check import check_token
from tests.fakes import CONF, START, fake_runtime, settings
from tests.lute.arp.tokens import token

NOW_S = START.timestamp()
URL = "http://elog.test/ws-kerb/lgbk/mfxl1000126/ws/generate_arp_token"
REFUSED = (
    f"the eLog gave no token (HTTP 403) [{URL}]"
    "\n    next: run kinit, look with klist, and check that you may post to this experiment"
)
NEW = "Your Kerberos ticket gives a token, good for 5:00:00"


def bearer(left_s: int | None, **claims: str) -> str:
    return f"Bearer {token(**claims, **({} if left_s is None else {'exp': NOW_S + left_s}))}"


def checked(authorization: str, channel: str = "conf") -> tuple[list[str], list[str]]:
    """Return what is said, and the problems."""
    said: list[str] = []
    conf = parse_run_conf(CONF | {"Authorization": authorization})
    site = settings(jid={"url": "http://jid.test/jid/ws", "token_channel": channel})
    process = Process(env={}, runtime=fake_runtime(), copy_tickets=lambda _env, _runtime: None)
    problems = check_token(conf, process, site, said.append)
    return said, problems


@pytest.fixture
def elog() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.mark.parametrize(
    ("left_s", "said", "problems"),
    [
        (600, ["The token is good for 10:00"], []),
        (599, [], ["the token expires in 9:59: launch from the eLog again, or get a new one"]),
        (1, [], ["the token expires in 1 s: launch from the eLog again, or get a new one"]),
        (None, ["The token does not say when it expires: is it one? The JID will tell"], []),
    ],
)
def test_a_token_that_a_run_keeps_is_all_there_is_to_look_at(
    left_s: int | None, said: list[str], problems: list[str]
) -> None:
    with responses.RequestsMock():  # the eLog is not asked
        assert checked(bearer(left_s)) == (said, problems)


def test_a_token_for_another_experiment_is_a_problem() -> None:
    said, problems = checked(bearer(36_000, scp="other"))
    assert said == ["The token is good for 10:00:00"]
    assert problems == ["the token is for experiment other, not mfxl1000126: the JID will refuse it"]


@pytest.mark.parametrize("authorization", ["", bearer(0), bearer(-1)])
def test_a_launch_without_a_token_gets_one_by_kerberos(
    elog: responses.RequestsMock, authorization: str
) -> None:
    elog.get(URL, json={"value": token(exp=NOW_S + 18_000)})
    assert checked(authorization) == ([NEW], [])


def test_a_new_token_need_not_say_when_it_expires(elog: responses.RequestsMock) -> None:
    elog.get(URL, json={"value": "opaque"})
    assert checked("") == (["Your Kerberos ticket gives a token"], [])


@pytest.mark.parametrize(
    ("left_s", "channel", "trouble"),
    [
        (None, "conf", "the environment has no token"),
        (0, "conf", "the token has expired"),
        (599, "variable", "the token expires in 9:59"),
    ],
)
def test_a_launch_that_would_have_no_token_is_a_problem(
    elog: responses.RequestsMock, left_s: int | None, channel: str, trouble: str
) -> None:
    elog.get(URL, status=403)
    authorization = "" if left_s is None else bearer(left_s)
    assert checked(authorization, channel) == ([], [f"{trouble}, and there is no new one: {REFUSED}"])


def test_a_token_that_is_renewed_must_be_renewable(elog: responses.RequestsMock) -> None:
    elog.get(URL, json={"value": token(exp=NOW_S + 18_000)})
    assert checked(bearer(3600), "variable") == (["The token is good for 1:00:00", NEW], [])
    elog.replace(responses.GET, URL, status=403)
    said, problems = checked(bearer(3600), "variable")
    assert (said[0], problems) == ("The token is good for 1:00:00", [])
    assert said[1].startswith("WARNING: the token cannot be renewed: the eLog gave no token (HTTP 403)")


def test_the_users_own_cache_is_not_touched(elog: responses.RequestsMock, tmp_path: Path) -> None:
    copy = TicketCopy(tmp_path / "copy" / "ccache")
    copy.path.parent.mkdir()
    copy.path.touch()
    asked: list[str | None] = []
    runtime = replace(fake_runtime(), negotiate=lambda _host, ccache: asked.append(ccache) or "Negotiate x")
    process = Process(env={}, runtime=runtime, copy_tickets=lambda _env, _runtime: copy)
    elog.get(URL, json={"value": "opaque"})
    check_token(parse_run_conf(CONF | {"Authorization": ""}), process, settings(), lambda _line: None)
    assert asked == [f"FILE:{copy.path}"]
    assert not copy.path.parent.exists()
