"""Takes tokens and passwords out of text before it is logged or stored."""

import re

MASK = "***"

_PATTERNS = (
    # An HTTP credential after its scheme word, as in `Authorization: Bearer eyJ...`.
    (re.compile(r"\b(Bearer|Basic|Negotiate)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    # A JSON web token wherever it stands: three base64url parts, the first an encoded '{"'.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), MASK),
    # A password inside a URL; it may hold an @ itself.
    (re.compile(r"(\w://[^/\s:@]+):[^/\s]+@"), rf"\1:{MASK}@"),
    # `db_password = ...`, `"access_token": "..."`, `Authorization: ...`: up to the quote, or to white space.
    (
        re.compile(
            r"(?i)((?:password|passwd|token|secret|authorization)['\"]?\s*[:=]\s*)"
            r"(?:\"[^\"\n]*\"|'[^'\n]*'|(?!(?:Bearer|Basic|Negotiate)\s)[^\s'\",}]+)"
        ),
        rf"\1{MASK}",
    ),
)


_WORDS = ("bearer", "basic", "negotiate", "eyj", "://", "passw", "token", "secret", "authorization")
"""Each pattern needs one of them, in whatever case: most texts have none, and logs are long."""


def redact(text: str) -> str:
    """Return `text` with everything that looks like a credential replaced by `***`."""
    folded = text.casefold()
    if not any(word in folded for word in _WORDS):
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
