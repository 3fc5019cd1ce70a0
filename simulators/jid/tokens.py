"""The ARP's tokens: JSON web tokens, RS256, one experiment and one user each.

Known since June 2026: header kid `PCDS_ARP`; claims iss `PCDS`, sub and name = user, iat and exp in float
seconds, scp = experiment; no aud, nbf or jti.
"""

import math
from dataclasses import dataclass
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from lute.seams import Clock
from simulators.net.signed import read_claims

_ALGORITHM = "RS256"
_MOST_REMEMBERED = 1024


class TokenRefused(Exception):
    """A token does not authorise the request.

    Args:
        http_status: 401 where the token is no good at all, 403 where it is good for something else.
            Assumed: the real JID's codes are not known.
    """

    def __init__(self, http_status: int, reason: str) -> None:
        super().__init__(reason)
        self.http_status = http_status
        self.reason = reason


@dataclass(frozen=True)
class Claims:
    """Whom a token speaks for."""

    user: str
    experiment: str | None


def new_key() -> rsa.RSAPrivateKey:
    """Return a new key; making one takes some 50 ms of CPU."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def shared_key() -> rsa.RSAPrivateKey:
    """Return the key of this process's virtual worlds, which keep nothing from each other."""
    return new_key()


class TokenAuthority:
    """Issues tokens and checks them.

    Args:
        key: signs the tokens; None for one that lives as long as the object.

    Attributes:
        longest_min: no token lives longer, whatever is asked for.
        issued: all tokens that it ever issued.
    """

    def __init__(self, clock: Clock, key: rsa.RSAPrivateKey | None = None) -> None:
        self._clock = clock
        self._key = key or new_key()
        self.longest_min = math.inf
        self.issued: list[str] = []
        self._verified: dict[str, tuple[Claims, float]] = {}

    def issue(self, user: str, experiment: str, *, lifetime_min: float) -> str:
        """Return a bare token."""
        now_s = self._clock.now().timestamp()
        claims = {
            "iss": "PCDS",
            "sub": user,
            "name": user,
            "iat": now_s,
            "exp": now_s + min(lifetime_min, self.longest_min) * 60,
            "scp": experiment,
        }
        token = jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"kid": "PCDS_ARP"})
        self.issued.append(token)
        return token

    def check(self, authorization: str | None, *, experiment: str | None, user: str | None) -> Claims:
        """Check a request's Authorization header.

        Args:
            experiment: the one in the path; None where the path names none.
            user: the `user` of the request's document; None where it has no document.

        Raises:
            TokenRefused: with the reason.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme != "Bearer" or not token:
            raise TokenRefused(401, "no bearer token in the Authorization header")
        claims = self._decode(token)
        if experiment is not None and claims.experiment != experiment:
            raise TokenRefused(403, f"the token is for experiment {claims.experiment}, not {experiment}")
        if user is not None and claims.user != user:
            raise TokenRefused(403, f"the token is for user {claims.user}, not {user}")
        return claims

    def _decode(self, token: str) -> Claims:
        """Return whom a token speaks for, if it still does."""
        known = self._verified.get(token)
        if known is None:
            known = self._verify(token)
            if len(self._verified) >= _MOST_REMEMBERED:
                self._verified.clear()
            self._verified[token] = known
        claims, expires_s = known
        if expires_s <= self._clock.now().timestamp():
            raise TokenRefused(401, "the token has expired")
        return claims

    def _verify(self, token: str) -> tuple[Claims, float]:
        """Return the claims of a token of this authority, and when it expires in POSIX seconds."""
        try:
            # Expiry is checked at each use, against this world's clock.
            claims = read_claims(token, self._key.public_key(), _ALGORITHM, ["sub", "exp"])
        except jwt.InvalidSignatureError as error:
            raise TokenRefused(401, "the token's signature is wrong") from error
        except jwt.InvalidTokenError as error:
            raise TokenRefused(401, f"not a valid token: {error}") from error
        return Claims(user=str(claims["sub"]), experiment=claims.get("scp")), float(claims["exp"])
