"""Reading a recording. Whatever is wrong in it is one `ConfigError` with file and line."""

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from lute.errors import ConfigError
from simulators.recording.model import FORMAT, End, Exchange, Header, Service

_AGAIN = "record it again: lute-sim record"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Recording:
    """A whole recording.

    Attributes:
        exchanges: in the order in which they were asked.
    """

    file: Path
    header: Header
    exchanges: tuple[Exchange, ...]
    end: End

    def of(self, service: Service) -> list[Exchange]:
        """Return what one service was asked."""
        return [exchange for exchange in self.exchanges if exchange.service == service]


def load_recording(file: Path) -> Recording:
    """Read a recording, which may be compressed with gzip.

    Raises:
        ConfigError: it cannot be read, is of another format, broken or cut short.
    """
    lines = _text(file).splitlines()
    plain = [_object(file, number, line) for number, line in enumerate(lines, start=1)]
    if not plain or plain[0].get("kind") != "header":
        _refuse(file, 1, "is no recording: its first line is no header")
    if plain[0].get("format") != FORMAT:
        _refuse(file, 1, f"is of format {plain[0].get('format')}, this version plays format {FORMAT}")
    header = Header.model_validate(_checked(Header, file, 1, plain[0]))
    if plain[-1].get("kind") != "end":
        _refuse(file, len(lines), "is cut short: its last line is no end")
    end = End.model_validate(_checked(End, file, len(lines), plain[-1]))
    exchanges = [_exchange(file, number, plain) for number in range(2, len(lines))]
    if end.exchanges != len(exchanges):
        _refuse(file, len(lines), f"holds {len(exchanges)} exchanges, its end says {end.exchanges}")
    return Recording(file, header, tuple(sorted(exchanges, key=lambda found: found.sent_s)), end)


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
        return (gzip.decompress(data) if data.startswith(_GZIP) else data).decode()
    except (gzip.BadGzipFile, zlib.error) as error:
        _refuse(file, None, f"is no whole gzip file: {error}")
    except EOFError:
        _refuse(file, None, "is cut short: its gzip data ends early")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=file) from error
    except UnicodeDecodeError as error:
        _refuse(file, None, f"is no text: {error}")


def _object(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        _refuse(file, number, f"is not JSON: {reason}")
    if not isinstance(value, dict):
        _refuse(file, number, "is no JSON object")
    return value


def _exchange(file: Path, number: int, plain: list[dict[str, Any]]) -> Exchange:
    found = plain[number - 1]
    if found.get("kind") != "exchange":
        _refuse(file, number, f"'{found.get('kind')}' is no exchange")
    reply = found.get("reply")
    if isinstance(reply, dict) and "as_in_line" in reply:
        line = reply["as_in_line"]
        if not isinstance(line, int) or not 1 < line < number:
            _refuse(file, number, f"its reply is that of line {line}, which is no line before it")
        found = {**found, "reply": plain[line - 1].get("reply")}
    exchange = Exchange.model_validate({**_checked(Exchange, file, number, found), "line": number})
    if exchange.status is None and exchange.failure is None:
        _refuse(file, number, "has neither a status nor a failure")
    return exchange


def _checked(
    model: type[Header | Exchange | End], file: Path, number: int, plain: dict[str, Any]
) -> dict[str, Any]:
    try:
        model.model_validate(plain)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        _refuse(file, number, f"'{place}': {problem['msg']}")
    return plain


def _refuse(file: Path, line: int | None, what: str) -> NoReturn:
    raise ConfigError(what, file=file, line=line, next_step=_AGAIN)
