"""A KDC for all tests here, and the world around a launcher that uses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lute.arp.real.kdc import USER, Kdc, missing
from tests.lute.arp.real.web import KerberosWeb


@pytest.fixture(scope="session")
def started_kdc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kdc]:
    pytest.importorskip("gssapi", reason="no gssapi: pip install '.[site]' (needs libkrb5-dev)")
    if absent := missing():
        pytest.skip(f"no KDC here: {absent} (apt-get install krb5-kdc krb5-admin-server krb5-user)")
    kdc = Kdc(tmp_path_factory.mktemp("kdc"))
    yield kdc
    kdc.stop()


@pytest.fixture
def kdc(started_kdc: Kdc, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kdc]:
    """The KDC, this process being one of its clients; the user has no ticket yet."""
    for name, value in started_kdc.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KRB5CCNAME", raising=False)
    yield started_kdc
    started_kdc.users_cache.unlink(missing_ok=True)


@pytest.fixture
def elog(kdc: Kdc) -> Iterator[KerberosWeb]:
    web = KerberosWeb(kdc.keytab, USER)
    yield web
    web.stop()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "the user's home"
