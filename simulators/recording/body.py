"""Bodies as a recording holds them: JSON as JSON, other text as text, anything else as base64."""

import base64
import gzip
import json
import zlib
from typing import Any

from simulators.recording.scrub import Scrubber
from simulators.recording.walk import map_strings

LONGEST_TEXT = 512 * 1024
"""Characters of one text (a log); of a longer one the end is kept, which is what the operators keep too."""
LARGEST_BODY = 4 * 1024 * 1024
"""Bytes; of a larger body only its size is kept, even after its texts were cut."""


def encode_body(data: bytes, scrub: Scrubber, *, encoding: str = "") -> dict[str, Any] | None:
    """Return a body without secrets as a recording holds it, None for an empty one.

    Args:
        encoding: the Content-Encoding of the data.
    """
    if not data:
        return None
    plain = _decompressed(data, encoding.lower())
    if plain is None:
        return {"omitted": len(data)}  # a secret in it could not be seen
    found, value = _as_json(plain)
    if found:
        scrub.learn_from(value)
        body = {"json": map_strings(scrub.value(value), _cut)}
    else:
        try:
            text = plain.decode()
        except UnicodeDecodeError:
            body = {"base64": base64.b64encode(scrub.data(plain)).decode()}
        else:
            scrub.learn_from(text)
            body = {"text": _cut(scrub.text(text))}
    return body if len(json.dumps(body)) <= LARGEST_BODY else {"omitted": len(data)}


def decode_body(body: dict[str, Any] | None) -> bytes:
    """Return the bytes of a recorded body; none for one that was too large to keep."""
    if not body or "omitted" in body:
        return b""
    if "json" in body:
        return json.dumps(body["json"], separators=(",", ":")).encode()
    if "text" in body:
        return str(body["text"]).encode()
    return base64.b64decode(body["base64"], validate=True)


def _cut(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"[lute-sim record: {len(text) - LONGEST_TEXT} earlier characters cut]\n{text[-LONGEST_TEXT:]}"


def _decompressed(data: bytes, encoding: str) -> bytes | None:
    try:
        if encoding in ("", "identity"):
            return data
        if encoding == "gzip":
            return gzip.decompress(data)
        if encoding == "deflate":
            return zlib.decompress(data)
    except (OSError, EOFError, zlib.error):
        pass
    return None


def _as_json(data: bytes) -> tuple[bool, Any]:
    """Return whether `data` is JSON that says the same after it was read and written again, and its value."""
    try:
        value = json.loads(data, object_pairs_hook=_object, parse_constant=_refuse)
        json.dumps(value, allow_nan=False)  # 1e999 becomes infinite
    except (ValueError, RecursionError):
        return False, None
    return True, value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name comes twice")
    return made


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
