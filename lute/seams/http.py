"""HTTP: how a session authenticates."""

import requests
from requests.auth import AuthBase

from lute.errors import ConfigError


class BearerAuth(AuthBase):
    """Sends `Authorization: Bearer TOKEN`.

    As an auth object and not as a header, because requests lets a `.netrc` entry replace a header.
    """

    def __init__(self, token: str) -> None:
        self._token = token.removeprefix("Bearer ").strip()
        if not self._token.isascii() or not self._token.isprintable():
            # requests would refuse it too, with the token in its message.
            raise ConfigError("the token holds characters that no token has", next_step="check Authorization")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "BearerAuth(***)"


class NegotiateAuth(AuthBase):
    """Sends `Authorization: Negotiate ...`, which a Kerberos ticket gives; not as a header, as above.

    Args:
        header: what `lute.seams.kerberos.negotiate` returned.
    """

    def __init__(self, header: str) -> None:
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request

    def __repr__(self) -> str:
        return "NegotiateAuth(***)"
