"""Kerberos caches as MIT writes them, version 4 of the format, without anybody's keys."""

import struct

REALM = "LUTE.TEST"
_RENEWABLE = 0x00800000


def _data(value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(raw)) + raw


def _principal(name: str) -> bytes:
    parts, _, realm = name.partition("@")
    names = parts.split("/")
    return struct.pack(">II", 1, len(names)) + _data(realm) + b"".join(_data(part) for part in names)


def credential(
    server: str, *, starts_s: int = 0, ends_s: int = 0, renewable_until_s: int = 0, user: str = "scientist"
) -> bytes:
    flags = _RENEWABLE if renewable_until_s else 0
    return (
        _principal(f"{user}@{REALM}")
        + _principal(server)
        + struct.pack(">H", 18)
        + _data(b"k" * 32)
        + struct.pack(">4I", starts_s, starts_s, ends_s, renewable_until_s)
        + struct.pack(">BI", 0, flags)
        + struct.pack(">IH", 1, 2)
        + _data(b"\x7f\0\0\1")
        + struct.pack(">IH", 1, 5)
        + _data(b"authorization")
        + _data(b"ticket")
        + _data(b"")
    )


def cache(*credentials: bytes, user: str = "scientist") -> bytes:
    header = struct.pack(">HHII", 1, 8, 0, 0)  # the clock's offset, as MIT writes it
    return (
        b"\x05\x04"
        + struct.pack(">H", len(header))
        + header
        + _principal(f"{user}@{REALM}")
        + b"".join(credentials)
    )


def with_ticket(*, starts_s: float = 0, ends_s: float, renewable_until_s: float = 0) -> bytes:
    """Return a cache with a ticket-granting ticket, a service's and one of MIT's notes to itself."""
    return cache(
        credential("krb5_ccache_conf_data/fast_avail@X-CACHECONF:"),
        credential(
            f"krbtgt/{REALM}@{REALM}",
            starts_s=int(starts_s),
            ends_s=int(ends_s),
            renewable_until_s=int(renewable_until_s),
        ),
        credential(f"HTTP/elog.test@{REALM}", ends_s=4_000_000_000),
    )
