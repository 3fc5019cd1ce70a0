"""JSON web tokens, read without a look at the machine's clock.

`jwt.decode` asks for the real time even where no claim of the token depends on it.
"""

import json
from collections.abc import Sequence
from typing import Any

import jwt
from jwt.exceptions import InvalidSubjectError

_JWS = jwt.PyJWS()


def read_claims(token: str, key: Any, algorithm: str, require: Sequence[str]) -> dict[str, Any]:
    """Return what a token says, its signature being right; its times are for the caller to check.

    Raises:
        jwt.InvalidTokenError: it is no token, not signed with this key, or lacks a required claim.
    """
    payload = _JWS.decode(token, key, algorithms=[algorithm])
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise jwt.DecodeError(f"Invalid payload string: {error}") from error
    if not isinstance(claims, dict):
        raise jwt.DecodeError("Invalid payload string: must be a json object")
    for name in require:
        if claims.get(name) is None:
            raise jwt.MissingRequiredClaimError(name)
    if not isinstance(claims.get("sub", ""), str):
        raise InvalidSubjectError("Subject must be a string")
    if claims.get("aud") is not None:
        raise jwt.InvalidAudienceError("Invalid audience")  # nobody here is one
    return claims
