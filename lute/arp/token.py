"""The token that authorises a workflow's jobs."""

import base64
import binascii
import contextlib
import getpass
import json
import math
from typing import Any
from urllib.parse import urlsplit

import requests

from lute.errors import PermanentError, TransientError
from lute.redact import redact
from lute.seams import Runtime
from lute.seams.http import NegotiateAuth
from lute.settings import Settings

_MOST_SAID = 300


def user_name() -> str:
    """Return the name of the user whose process this is."""
    return getpass.getuser()


def fetch_token(experiment: str, settings: Settings, runtime: Runtime, ccache: str | None = None) -> str:
    """Ask the eLog for a token with the user's Kerberos ticket and return `Bearer <token>`.

    Known: GET `<ws-kerb>/lgbk/<experiment>/ws/generate_arp_token?token_lifetime=<minutes>`; the value is
    the bare token.

    Args:
        ccache: name of the credentials cache, as in KRB5CCNAME; None for the user's own.

    Raises:
        ConfigError: there is no valid ticket, or no Kerberos support is installed.
        PermanentError: the eLog refused, or Kerberos gave no ticket for it.
        TransientError: the eLog is out of reach.
    """
    endpoint = f"{settings.elog.kerberos_url}/lgbk/{experiment}/ws/generate_arp_token"
    auth = NegotiateAuth(runtime.negotiate(urlsplit(endpoint).hostname or "", ccache))
    try:
        reply = runtime.new_session().get(
            endpoint,
            params={"token_lifetime": settings.elog.token_lifetime_min},
            auth=auth,
            timeout=(settings.timeouts.connect_s, settings.timeouts.read_s),
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise TransientError(
            f"the eLog, which gives tokens, cannot be reached ({type(error).__name__})",
            endpoint=endpoint,
            next_step="is kerberos_url in the site file right, and the eLog up?",
        ) from error
    if reply.status_code >= 502:
        raise TransientError(
            f"the eLog gave no token (HTTP {reply.status_code})",
            endpoint=endpoint,
            http_status=reply.status_code,
            next_step="is the eLog up?",
        )
    return f"Bearer {_token_in(reply, endpoint)}"


def _token_in(reply: requests.Response, endpoint: str) -> str:
    """Return the token that a reply holds."""
    answer: object = None
    if reply.status_code == 200:
        try:
            answer = reply.json()
        except (ValueError, RecursionError):
            answer = None
    value = answer.get("value") if isinstance(answer, dict) else None
    if isinstance(value, str) and value and value.isascii() and value.isprintable():
        return value
    # Known: a refusal is JSON with `errormsg`, or plain text with HTTP 500. All else might hold a token.
    said = answer.get("errormsg") if isinstance(answer, dict) else ""
    if reply.status_code == 500:
        said = reply.text
    words = " ".join(redact(str(said or "")).split())
    quoted = f": {words[:_MOST_SAID]}" if words and not words.startswith("<") else ""
    raise PermanentError(
        f"the eLog gave no token (HTTP {reply.status_code}){quoted}",
        endpoint=endpoint,
        http_status=reply.status_code,
        next_step="run kinit, look with klist, and check that you may post to this experiment",
    )


def token_experiment(authorization: str) -> str | None:
    """Return the experiment that a token is for; None if it does not say so.

    Known: the claim `scp`, since June 2026.
    """
    value = _claims(authorization).get("scp")
    return value if isinstance(value, str) and value else None


def token_expiry(authorization: str) -> float | None:
    """Return when a token expires, in POSIX seconds; None if it does not say so.

    Known: a JSON web token with the claim `exp`, before June 2026 with `expires`. Its signature is for the
    JID to check.
    """
    claims = _claims(authorization)
    value = claims.get("exp", claims.get("expires"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    with contextlib.suppress(OverflowError):  # a whole number too large for a float
        return float(value) if math.isfinite(value) else None
    return None


def _claims(authorization: str) -> dict[str, Any]:
    """Return what a token says; nothing for one that cannot be read."""
    parts = authorization.removeprefix("Bearer ").strip().split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
