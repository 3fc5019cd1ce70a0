"""Kerberos: how a user shows a web server who he is."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator

from lute.errors import ConfigError, PermanentError


def negotiate(host: str, ccache: str | None) -> str:
    """Return the `Negotiate ...` header that shows a web server who the user is, by his Kerberos ticket.

    By requests-gssapi, or where a site has only SLAC's krtc, by that.

    Args:
        host: the server's name; its service is `HTTP@host`.
        ccache: name of the credentials cache, as in KRB5CCNAME; None for the user's own.

    Raises:
        ConfigError: there is no valid ticket, or no library.
        PermanentError: Kerberos gave no ticket for this server.
    """
    way = _by_gssapi() or _by_krtc()
    if way is None:
        raise ConfigError(
            "there is no Kerberos support in this Python",
            next_step="pip install requests-gssapi (or lcls-krtc), or launch from the eLog",
        )
    return way(host, ccache)


def _by_gssapi() -> Callable[[str, str | None], str] | None:
    try:
        import gssapi
        from requests_gssapi import HTTPSPNEGOAuth
        from requests_gssapi.exceptions import SPNEGOExchangeError
    except ImportError:
        return None
    # It logs a traceback of each error that it raises.
    logging.getLogger("requests_gssapi").setLevel(logging.CRITICAL + 1)

    def header(host: str, ccache: str | None) -> str:
        store = {"ccache": ccache} if ccache else None
        try:
            own = gssapi.Credentials(usage="initiate", store=store)
            if not own.lifetime:
                raise _no_ticket(ccache, "it has expired")
        except gssapi.exceptions.GSSError as error:
            raise _no_ticket(ccache, _first_line(error.gen_message())) from error
        try:
            found = HTTPSPNEGOAuth(creds=own).generate_request_header(None, host, is_preemptive=True)
        except SPNEGOExchangeError as error:
            raise _no_service(host, str(error)) from error
        return str(found)

    return header


def _by_krtc() -> Callable[[str, str | None], str] | None:
    try:
        from kerberos import KrbError
        from krtc import KerberosTicket
    except ImportError:
        return None

    def header(host: str, ccache: str | None) -> str:
        try:
            with _cache_in_environment(ccache):
                return str(KerberosTicket(f"HTTP@{host}").getAuthHeaders()["Authorization"])
        except KrbError as error:
            # It does not tell a missing ticket from a refused one.
            raise _no_ticket(ccache, str(error)) from error

    return header


@contextlib.contextmanager
def _cache_in_environment(ccache: str | None) -> Iterator[None]:
    """Let krtc use a cache: it has no other way to be told."""
    before = os.environ.get("KRB5CCNAME")
    if ccache:
        os.environ["KRB5CCNAME"] = ccache
    try:
        yield
    finally:
        if ccache and before is None:
            del os.environ["KRB5CCNAME"]
        elif before is not None:
            os.environ["KRB5CCNAME"] = before


def _no_ticket(ccache: str | None, why: str) -> ConfigError:
    again = f"kinit -c {ccache}" if ccache else "kinit"
    return ConfigError(
        f"there is no valid Kerberos ticket in {ccache or 'your cache'}: {_first_line(why)}",
        next_step=f"run `{again}`, and look at it with klist",
    )


def _no_service(host: str, why: str) -> PermanentError:
    return PermanentError(
        f"Kerberos gave no ticket for the eLog: {_first_line(why)}",
        endpoint=f"HTTP@{host}",
        next_step="look with klist; is kerberos_url in the site file right?",
    )


def _first_line(text: str) -> str:
    return " ".join(text.split())[:300]
