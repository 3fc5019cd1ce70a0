"""Writing a recording: each line at once, readable by its owner only, free of secrets."""

import base64
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import lute
from lute.errors import ConfigError
from lute.seams import Clock
from simulators.recording.body import encode_body
from simulators.recording.model import End, Exchange, Failure, Header, LauncherEnd, Service
from simulators.recording.scrub import Scrubber

_REQUEST_HEADERS = ("content-type", "accept")
_REPLY_HEADERS = ("content-type", "location", "retry-after", "allow", "www-authenticate")

_BASE64 = re.compile(r'((?:"request"|"reply"):\{"base64":")([^"]*)')

Headers = Iterable[tuple[str, str]]


class Recorder:
    """A recording being made. Several threads may add to it.

    Args:
        path: of the file; one that is there is replaced.
        about: what the header says beside time and version: `workflow`, `airflow`, `slurm_args`, `services`.

    Raises:
        ConfigError: the file cannot be written.
    """

    def __init__(self, path: Path, clock: Clock, scrub: Scrubber, **about: Any) -> None:
        if path.suffix == ".gz":
            raise ConfigError("a recording is written as it is; compress it afterwards", file=path)
        self.count = 0
        self._clock = clock
        self._scrub = scrub
        self._lock = threading.Lock()
        self._lines: dict[bytes, int] = {}
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}", file=path) from error
        os.fchmod(handle, 0o600)  # it may have been there
        self._file = os.fdopen(handle, "r+", encoding="utf-8")
        self._start_s = clock.monotonic()
        services = {name: scrub.text(url) for name, url in about.pop("services", {}).items()}
        when = clock.now().isoformat(timespec="seconds")
        header = Header(when=when, lute=lute.__version__, services=services, **about)
        self._write(header)

    def now_s(self) -> float:
        """Return the seconds since the recording began."""
        return self._clock.monotonic() - self._start_s

    def add(
        self,
        service: Service,
        *,
        sent_s: float,
        method: str,
        path: str,
        headers: Headers,
        body: bytes,
        status: int | None = None,
        reply_headers: Headers = (),
        reply: bytes = b"",
        failure: Failure | None = None,
    ) -> None:
        """Add an exchange that has just ended; after `close` it is dropped."""
        given, answered = list(headers), list(reply_headers)
        sent, received = _lower(given), _lower(answered)
        with self._lock:
            if self._file.closed:
                return
            scrub = self._scrub
            known = scrub.known
            scrub.learn_from_headers([*given, *answered])
            scrub.learn_from(urlsplit(path).query)
            request = encode_body(body, scrub)
            answer = encode_body(reply, scrub, encoding=received.get("content-encoding", ""))
            if scrub.known != known:
                self._clean()
                request = encode_body(body, scrub)  # the reply may have told what is secret
            kept = {name: scrub.text(sent[name]) for name in _REQUEST_HEADERS if name in sent}
            if "authorization" in sent:
                kept["authorization"] = scrub.authorization(sent["authorization"])
            self.count += 1
            exchange = Exchange(
                service=service,
                sent_s=round(sent_s, 3),
                replied_s=round(self.now_s(), 3),
                method=method,
                path=scrub.text(path),
                headers=kept,
                request=request,
                status=status,
                reply_headers={
                    name: scrub.text(received[name]) for name in _REPLY_HEADERS if name in received
                },
                reply=self._once(answer),
                failure=failure,
            )
            self._write(exchange)

    def close(self, launcher: LauncherEnd | None = None) -> None:
        """Write the last line; harmless if it is written."""
        with self._lock:
            if self._file.closed:
                return
            if launcher is not None:
                launcher = LauncherEnd(exit_code=launcher.exit_code, output=self._scrub.text(launcher.output))
            self._write(End(exchanges=self.count, launcher=launcher))
            self._file.close()

    def _once(self, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return a reply's body, or where it stands already: most replies to polls tell nothing new."""
        if not body:
            return body
        line = self.count + 1
        first = self._lines.setdefault(hashlib.sha256(json.dumps(body).encode()).digest(), line)
        return body if first == line else {"as_in_line": first}

    def _write(self, line: Header | Exchange | End) -> None:
        plain = {
            name: value for name, value in line.model_dump(mode="python").items() if value not in (None, {})
        }
        self._file.write(json.dumps(plain, separators=(",", ":")) + "\n")
        self._file.flush()

    def _clean(self) -> None:
        """Take a secret that has only now become known out of the lines before."""
        self._file.seek(0)
        text = self._file.read()
        cleaned = self._scrub.without_known(_BASE64.sub(self._clean_data, text))
        if cleaned != text:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(cleaned)
            self._file.flush()

    def _clean_data(self, found: re.Match[str]) -> str:
        data = self._scrub.data(base64.b64decode(found[2]))
        return found[1] + base64.b64encode(data).decode()


def _lower(headers: Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}
