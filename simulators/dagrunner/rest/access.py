"""Who asks: HTTP Basic on Airflow 2, tokens on Airflow 3."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import jwt

from simulators.net.signed import read_claims

_ALGORITHM = "HS512"
_KEY = hashlib.sha512(b"simulated Airflow").hexdigest()
"""Always the same: like the real one, a restarted API server knows the tokens that it gave out before."""
_LEEWAY_S = 10.0
"""[api_auth] jwt_leeway."""
_LIFETIME_S = {"login": 86400.0, "cli": 3600.0}
_MOST_REMEMBERED = 1024


def basic_user(header: str | None, passwords: Mapping[str, str]) -> str | None:
    """Return whom an Authorization header of HTTP Basic stands for, None if for nobody."""
    kind, _, coded = (header or "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user if colon and passwords.get(user) == password else None


class TokenRefusedError(Exception):
    """A request without a token that is good.

    Args:
        status: of the reply.
        detail: what the reply says (measured; of an expired token read in the source).
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _Claims:
    user: str
    expires_s: float


class Tokens:
    """Gives out tokens and checks them."""

    def __init__(self) -> None:
        self._given = 0
        self._known: dict[str, _Claims] = {}

    def issue(self, user: str, now: datetime, *, is_cli: bool) -> str:
        """Return a new token: good for 24 h, that of /auth/token/cli for 1 h."""
        self._given += 1
        now_s = now.timestamp()
        lifetime_s = _LIFETIME_S["cli" if is_cli else "login"]
        claims = {"sub": user, "iat": now_s, "exp": now_s + lifetime_s, "jti": str(self._given)}
        return jwt.encode(claims, _KEY, _ALGORITHM)

    def user(self, header: str | None, now: datetime) -> str:
        """Return whom an Authorization header stands for.

        Raises:
            TokenRefusedError: for nobody, or not any more.
        """
        claims = self._known.get(header or "")
        if claims is None:
            claims = self._read(header or "")
        if now.timestamp() > claims.expires_s + _LEEWAY_S:
            raise TokenRefusedError(401, "Token Expired")
        return claims.user

    def _read(self, header: str) -> _Claims:
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or not token:
            raise TokenRefusedError(401, "Not authenticated")
        # The times are checked here and not there, against the world's clock.
        try:
            found = read_claims(token, _KEY, _ALGORITHM, ["sub", "exp"])
        except jwt.InvalidTokenError as error:
            raise TokenRefusedError(403, "Invalid JWT token") from error
        claims = _Claims(str(found["sub"]), float(found["exp"]))
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[header] = claims
        return claims
