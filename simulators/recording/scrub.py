"""Taking secrets out of everything that goes into a recording."""

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

from lute.redact import MASK, redact
from simulators.recording.walk import map_strings

_SECRET_NAME = re.compile(r"(password|passwd|token|secret|authorization)$", re.IGNORECASE)
_SCHEME = re.compile(r"(Bearer|Basic|Negotiate)\s+", re.IGNORECASE)
_SHORTEST = 8
"""A shorter secret is masked where it stands as one, but not inside other text: it may be a common word."""


class Scrubber:
    """Removes what looks like a secret, and every secret that it has seen anywhere before.

    It learns from headers (Authorization, cookies) and from values whose names say that they are secret, and
    then removes them from all texts, in the spellings of URLs, HTML, JSON and base64 as well.
    """

    def __init__(self) -> None:
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._stand_ins: dict[str, str] = {}

    def stand_in(self, text: str, replacement: str) -> None:
        """Write `replacement`, without backslashes, for `text` where it is a whole name or begins a path."""
        self._stand_ins[text] = replacement

    @property
    def known(self) -> int:
        """How many secrets, in how many spellings, it knows."""
        return len(self._spellings)

    def learn(self, *secrets: str) -> None:
        """Remember secrets."""
        new: set[str] = set()
        for secret in secrets:
            bare = _SCHEME.sub("", secret, count=1).strip()
            if len(bare) >= _SHORTEST and bare != MASK:
                new |= _spellings(bare)
        new -= self._spellings
        if new:
            self._spellings |= new
            longest_first = sorted(self._spellings, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(text) for text in longest_first))

    def learn_from_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Remember the credentials and cookies of a request or a reply."""
        found: list[str] = []
        for name, value in headers:
            if name.lower() in ("authorization", "proxy-authorization"):
                found += [value, *_basic_parts(value)]
            elif name.lower() in ("cookie", "set-cookie"):
                parts = value.split(";")
                for part in parts if name.lower() == "cookie" else parts[:1]:
                    found.append(part.partition("=")[2].strip().strip('"'))
        self.learn(*found)

    def learn_from(self, value: Any) -> None:
        """Remember the secrets in a JSON value, or in the text of a form."""
        found: list[str] = []
        todo = [dict(parse_qsl(value)) if isinstance(value, str) else value]
        while todo:
            item = todo.pop()
            if isinstance(item, list):
                todo += item
            elif isinstance(item, Mapping):
                todo += item.values()
                secrets = [text for name, text in item.items() if _is_secret(name, text)]
                found += secrets
                if user := item.get("username"):
                    found += [base64.b64encode(f"{user}:{text}".encode()).decode() for text in secrets]
        self.learn(*found)

    def without_known(self, text: str) -> str:
        """Return a text without the secrets seen so far."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        text = redact(self.without_known(text))
        for old, new in self._stand_ins.items():
            text = re.sub(rf"(?<![\w/.-]){re.escape(old)}(?![\w-])", new, text)
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON value without secrets."""
        return map_strings(
            value, self.text, by_name=lambda name, text: MASK if _is_secret(name, text) else None
        )

    def data(self, data: bytes) -> bytes:
        """Return bytes that are no text without the secrets seen so far."""
        for spelling in sorted(self._spellings, key=len, reverse=True):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                data = data.replace(spelling.encode(encoding), MASK.encode(encoding))
        return data

    def authorization(self, value: str) -> str:
        """Return the value of an Authorization header as it is recorded: its scheme alone."""
        scheme = _SCHEME.match(value)
        return f"{scheme[1]} {MASK}" if scheme else MASK


def _is_secret(name: object, value: object) -> bool:
    return isinstance(value, str) and value != "" and bool(_SECRET_NAME.search(str(name)))


def _basic_parts(value: str) -> list[str]:
    """Return the password in a Basic credential."""
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        return [base64.b64decode(encoded.strip()).decode(errors="replace").partition(":")[2]]
    except binascii.Error:
        return []


def _spellings(secret: str) -> set[str]:
    """Return how a secret may be written in URLs, HTML, JSON and as base64."""
    plain = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        json.dumps(secret)[1:-1],
    }
    encoded = base64.b64encode(secret.encode(errors="replace")).decode()
    urlsafe = base64.urlsafe_b64encode(secret.encode(errors="replace")).decode()
    return plain | {secret.replace("/", "\\/"), encoded.rstrip("="), urlsafe.rstrip("=")}
