"""Tickets and tokens with a real MIT KDC and a web server that speaks SPNEGO."""

import stat
import struct
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lute.arp.ccache import read_ticket
from lute.arp.kerberos import TicketCopy, copy_tickets
from lute.arp.renewal import TokenKeeper
from lute.arp.token import fetch_token, token_expiry
from lute.errors import ConfigError, PermanentError
from lute.seams import Runtime, SystemClock
from lute.settings import Settings
from tests.fakes import settings
from tests.lute.arp.real.kdc import REALM, USER, Kdc
from tests.lute.arp.real.web import EXPERIMENT, KerberosWeb


def site(elog: KerberosWeb) -> Settings:
    return settings(elog={"kerberos_url": elog.url, "jwt_url": elog.url, "token_lifetime_min": 60})


def let_expire(cache: Path) -> None:
    """Let every ticket of a cache have ended an hour ago."""
    data = cache.read_bytes()
    ticket = read_ticket(data)
    assert ticket is not None
    ended = struct.pack(">I", int(ticket.ends_s)), struct.pack(">I", int(ticket.ends_s - 11 * 3600))
    cache.write_bytes(data.replace(*ended))


def test_a_ticket_gets_a_token_of_the_user(kdc: Kdc, elog: KerberosWeb) -> None:
    kdc.kinit()
    authorization = fetch_token(EXPERIMENT, site(elog), Runtime())
    claims = elog.tokens.check(authorization, experiment=EXPERIMENT, user=USER)
    assert claims.user == USER
    assert elog.users == [f"{USER}@{REALM}"]
    left_s = (token_expiry(authorization) or 0) - Runtime().clock.now().timestamp()
    assert 3500 < left_s <= 3600


def test_a_copy_gets_a_token_and_leaves_the_users_cache_alone(
    kdc: Kdc, elog: KerberosWeb, home: Path
) -> None:
    users = kdc.kinit()
    before = users.read_bytes(), users.stat().st_mtime_ns, users.stat().st_ino
    copy = copy_tickets({"HOME": str(home)}, Runtime())
    assert copy is not None
    assert copy.path.parent.parent == home / ".lute" / "krb5"
    assert stat.S_IMODE(copy.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.path.parent.stat().st_mode) == 0o700
    fetch_token(EXPERIMENT, site(elog), Runtime(), copy.name)
    assert elog.users == [f"{USER}@{REALM}"]
    # The ticket for the eLog went into the copy.
    assert (users.read_bytes(), users.stat().st_mtime_ns, users.stat().st_ino) == before
    assert "HTTP/localhost" in kdc.run("klist", copy.name)
    copy.remove()
    assert list((home / ".lute" / "krb5").iterdir()) == []


def test_the_users_cache_may_go_once_it_is_copied(kdc: Kdc, elog: KerberosWeb, home: Path) -> None:
    users = kdc.kinit()
    copy = copy_tickets({"HOME": str(home), "KRB5CCNAME": f"FILE:{users}"}, Runtime())
    assert copy is not None
    users.unlink()
    fetch_token(EXPERIMENT, site(elog), Runtime(), copy.name)
    with pytest.raises(ConfigError, match=r"no valid Kerberos ticket in your cache(?s:.*)run `kinit`"):
        fetch_token(EXPERIMENT, site(elog), Runtime())


def test_an_expired_ticket_is_told_from_the_elogs_refusal(kdc: Kdc, elog: KerberosWeb) -> None:
    cache = kdc.kinit()
    let_expire(cache)
    name = f"FILE:{cache}"
    with pytest.raises(ConfigError, match=rf"no valid Kerberos ticket in {name}(?s:.*)kinit -c {name}"):
        fetch_token(EXPERIMENT, site(elog), Runtime(), name)
    assert elog.users == []


def test_no_ticket_says_what_to_run(kdc: Kdc, elog: KerberosWeb, home: Path) -> None:
    assert copy_tickets({"HOME": str(home)}, Runtime()) is None
    with pytest.raises(ConfigError, match=r"no valid Kerberos ticket(?s:.*)kinit(?s:.*)klist"):
        fetch_token(EXPERIMENT, site(elog), Runtime())


def test_an_elog_that_kerberos_does_not_know(
    kdc: Kdc, elog: KerberosWeb, capfd: pytest.CaptureFixture[str]
) -> None:
    kdc.kinit()
    other = settings(elog={"kerberos_url": "http://127.0.0.1:9/ws-kerb", "jwt_url": ""})
    with pytest.raises(PermanentError, match=r"no ticket for the eLog: .*HTTP@127.0.0.1"):
        fetch_token(EXPERIMENT, other, Runtime())
    assert capfd.readouterr() == ("", "")


def test_a_user_who_may_not_post_is_refused(kdc: Kdc, elog: KerberosWeb) -> None:
    kdc.kinit()
    with pytest.raises(PermanentError, match=r"no token \(HTTP 404\)"):
        fetch_token("mfxl9999999", site(elog), Runtime())


def test_the_ticket_read_from_the_file_is_what_klist_tells(kdc: Kdc) -> None:
    cache = kdc.kinit("-l", "2h", "-r", "1d")
    ticket = read_ticket(cache.read_bytes())
    assert ticket is not None
    assert ticket.principal == f"{USER}@{REALM}"
    assert ticket.ends_s - ticket.starts_s == 2 * 3600
    assert ticket.renewable_until_s - ticket.starts_s == 24 * 3600
    plain = read_ticket(kdc.kinit("-l", "2h").read_bytes())
    assert plain is not None
    assert plain.renewable_until_s == 0


def test_a_renewable_ticket_is_renewed_in_the_copy(kdc: Kdc, home: Path) -> None:
    users = kdc.kinit("-l", "2h", "-r", "1d")
    copy = copy_tickets({"HOME": str(home)}, Runtime())
    assert copy is not None
    before = users.read_bytes()
    ticket = copy.renew(Runtime())
    assert ticket.renewable_until_s > ticket.ends_s
    assert copy.path.read_bytes() != before == users.read_bytes()
    assert stat.S_IMODE(copy.path.stat().st_mode) == 0o600


def test_what_cannot_be_renewed_says_how_to_go_on(kdc: Kdc, home: Path) -> None:
    # For less than the longest lifetime: else the KDC makes a renewable one of its own accord.
    kdc.kinit("-l", "2h")
    copy = copy_tickets({"HOME": str(home)}, Runtime())
    assert copy is not None
    with pytest.raises(ConfigError, match=r"could not be renewed: kinit: (?s:.*)kinit -c FILE:"):
        copy.renew(Runtime())


def test_slacs_own_library_does_as_well(
    kdc: Kdc, elog: KerberosWeb, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("krtc", reason="no krtc: pip install lcls-krtc")
    monkeypatch.setitem(sys.modules, "requests_gssapi", None)
    users = kdc.kinit()
    before = users.read_bytes()
    copy = copy_tickets({"HOME": str(home)}, Runtime())
    assert copy is not None
    assert fetch_token(EXPERIMENT, site(elog), Runtime(), copy.name).startswith("Bearer ")
    assert elog.users == [f"{USER}@{REALM}"]
    assert users.read_bytes() == before
    with pytest.raises(ConfigError, match=r"no valid Kerberos ticket in FILE:/no/such"):
        fetch_token(EXPERIMENT, site(elog), Runtime(), TicketCopy(Path("/no/such")).name)


class Later(SystemClock):
    """A clock that is ahead of the machine's."""

    ahead_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)


class Variables(dict[str, str]):
    """Airflow's, as the keeper uses them."""

    set_variable = dict.__setitem__
    delete_variable = dict.__delitem__


def test_a_run_keeps_its_ticket_and_its_token(kdc: Kdc, elog: KerberosWeb, home: Path) -> None:
    users = kdc.kinit("-l", "2h", "-r", "1d")
    before = users.read_bytes()
    clock, variables = Later(), Variables()
    world = Runtime(clock=clock)
    copy = copy_tickets({"HOME": str(home)}, world)
    assert copy is not None
    lines: list[str] = []
    keeper = TokenKeeper(
        "",
        experiment=EXPERIMENT,
        run_id="x",
        settings=settings(
            jid={"url": "http://jid.test", "token_channel": "variable"},
            elog={"kerberos_url": elog.url, "jwt_url": elog.url, "token_lifetime_min": 60},
        ),
        runtime=world,
        airflow=variables,
        tickets=copy,
        say=lines.append,
    )
    keeper.start()
    first = keeper.authorization
    clock.ahead_s = 31 * 60
    copied = copy.path.read_bytes()
    keeper.keep()
    assert variables == {"lute_token_x": keeper.authorization}
    assert keeper.authorization != first
    assert copy.path.read_bytes() == copied  # the ticket is not due
    clock.ahead_s = 61 * 60
    keeper.keep()
    assert copy.path.read_bytes() != copied
    assert len(elog.users) == 3
    keeper.close()
    assert variables == {}
    assert users.read_bytes() == before
    assert lines == ["The Kerberos ticket gives tokens for 23 h 59 min from now"]
