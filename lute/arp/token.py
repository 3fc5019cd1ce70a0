"""The token that authorises a workflow's jobs."""

import getpass

import requests

from lute.errors import ConfigError, PermanentError, TransientError
from lute.seams import Runtime
from lute.settings import Settings


def user_name() -> str:
    """Return the name of the user whose process this is."""
    return getpass.getuser()


def fetch_token(experiment: str, settings: Settings, runtime: Runtime) -> str:
    """Ask the eLog for a token with the user's Kerberos ticket and return `Bearer <token>`.

    Known: GET `<ws-kerb>/lgbk/<experiment>/ws/generate_arp_token?token_lifetime=<minutes>`; the value is
    the bare token.

    Raises:
        ConfigError: Kerberos support is not installed.
        PermanentError: the eLog refused.
        TransientError: the eLog is out of reach.
    """
    try:
        from requests_gssapi import HTTPSPNEGOAuth
    except ImportError as error:
        raise ConfigError(
            "there is no Authorization in the environment, and no Kerberos support to get one",
            next_step="launch from the eLog, or install requests-gssapi and run kinit",
        ) from error
    endpoint = f"{settings.elog.kerberos_url}/lgbk/{experiment}/ws/generate_arp_token"
    session = runtime.new_session()
    try:
        reply = session.get(
            endpoint,
            params={"token_lifetime": settings.elog.token_lifetime_min},
            auth=HTTPSPNEGOAuth(),
            timeout=(settings.timeouts.connect_s, settings.timeouts.read_s),
        )
    except requests.RequestException as error:
        raise TransientError(
            f"the eLog cannot be reached for a token: {type(error).__name__}",
            endpoint=endpoint,
            next_step="is your Kerberos ticket valid (klist)?",
        ) from error
    try:
        value = reply.json().get("value") if reply.status_code == 200 else None
    except (ValueError, AttributeError):
        value = None
    if not isinstance(value, str) or not value:
        raise PermanentError(
            f"the eLog gave no token (HTTP {reply.status_code})",
            endpoint=endpoint,
            http_status=reply.status_code,
            next_step="run kinit, and check that you may post to this experiment",
        )
    return f"Bearer {value}"
