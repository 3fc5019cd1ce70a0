"""Reading a Kerberos credentials cache of type FILE: whose it is, and how long its ticket lasts.

The format is MIT's, version 4 (documented at web.mit.edu/kerberos, `ccache_file_format`), which Heimdal
writes too. Keys and tickets are skipped, never kept.
"""

import struct
from dataclasses import dataclass

_VERSION = b"\x05\x04"
_RENEWABLE = 0x00800000
"""TKT_FLG_RENEWABLE of RFC 4120."""


class NotACacheError(ValueError):
    """Bytes are no complete credentials cache of version 4."""


@dataclass(frozen=True)
class Ticket:
    """The ticket-granting ticket of a cache: what gets tickets for services.

    Attributes:
        principal: whose it is, `user@REALM`.
        starts_s, ends_s: when it is valid, in POSIX seconds.
        renewable_until_s: until then `kinit -R` replaces it without a password; 0 if never.
    """

    principal: str
    starts_s: float
    ends_s: float
    renewable_until_s: float

    def can_be_renewed_at(self, now_s: float) -> bool:
        """Tell whether `kinit -R` would give a ticket that lasts longer than this one."""
        return now_s < self.ends_s < self.renewable_until_s


class _Reader:
    """Takes big-endian values off the front of bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._data)

    def take(self, length: int) -> bytes:
        if self._at + length > len(self._data):
            raise NotACacheError("it ends too early")
        taken = self._data[self._at : self._at + length]
        self._at += length
        return taken

    def numbers(self, form: str) -> tuple[int, ...]:
        form = f">{form}"
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def number(self, form: str) -> int:
        return self.numbers(form)[0]

    def text(self) -> str:
        return self.take(self.number("I")).decode("utf-8", "replace")

    def principal(self) -> str:
        _kind, count = self.numbers("II")
        realm = self.text()
        # Not a list comprehension over `count`: a damaged one would reserve room for it.
        parts = []
        for _ in range(count):
            parts.append(self.text())  # noqa: PERF401
        return f"{'/'.join(parts)}@{realm}"

    def skip_list(self) -> None:
        """Skip addresses, or authorization data: each a type and bytes."""
        for _ in range(self.number("I")):
            self.number("H")
            self.take(self.number("I"))


def read_ticket(data: bytes) -> Ticket | None:
    """Return the ticket-granting ticket in a cache's bytes, None if there is none.

    Of several the one that lasts longest.

    Raises:
        NotACacheError: they are no cache.
    """
    reader = _Reader(data)
    if reader.take(2) != _VERSION:
        raise NotACacheError("it does not begin as one")
    reader.take(reader.number("H"))
    owner = reader.principal()
    realm = owner.rpartition("@")[2]
    found: Ticket | None = None
    while not reader.is_at_end:
        server, ticket = _read_credential(reader)
        if server == f"krbtgt/{realm}@{realm}" and (found is None or ticket.ends_s > found.ends_s):
            found = ticket
    return found


def _read_credential(reader: _Reader) -> tuple[str, Ticket]:
    """Return for which service the next ticket is, and the ticket."""
    client, server = reader.principal(), reader.principal()
    reader.number("H")  # the kind of the session key
    reader.take(reader.number("I"))
    issued_s, starts_s, ends_s, renewable_until_s = reader.numbers("4I")
    reader.number("B")
    flags = reader.number("I")
    reader.skip_list()
    reader.skip_list()
    reader.take(reader.number("I"))
    reader.take(reader.number("I"))
    renewable_until_s = renewable_until_s if flags & _RENEWABLE else 0
    return server, Ticket(client, starts_s or issued_s, ends_s, renewable_until_s)
