"""Times as Slurm reads and writes them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulators.slurm.request import UNLIMITED_MIN

_FORMS = (
    r"(?P<m>\d{1,20})",
    r"(?P<m>\d{1,20}):(?P<s>\d{1,20})",
    r"(?P<h>\d{1,20}):(?P<m>\d{1,20}):(?P<s>\d{1,20})",
    r"(?P<d>\d{1,20})-(?P<h>\d{1,20})",
    r"(?P<d>\d{1,20})-(?P<h>\d{1,20}):(?P<m>\d{1,20})",
    r"(?P<d>\d{1,20})-(?P<h>\d{1,20}):(?P<m>\d{1,20}):(?P<s>\d{1,20})",
)


def parse_time_limit(text: str) -> int:
    """Return a time limit in minutes, rounded up (measured): `90`, `1:30`, `1:0:0`, `1-0`, `UNLIMITED`.

    Raises:
        ValueError: it is none of these.
    """
    if text.lower() in ("infinite", "unlimited", "-1"):
        return UNLIMITED_MIN
    for form in _FORMS:
        match = re.fullmatch(form, text, re.ASCII)
        if match:
            parts = {name: int(value) for name, value in match.groupdict().items()}
            minutes = (parts.get("d", 0) * 24 + parts.get("h", 0)) * 60 + parts.get("m", 0)
            minutes += -(-parts.get("s", 0) // 60)
            return min(minutes, UNLIMITED_MIN) or UNLIMITED_MIN
    raise ValueError(text)


def zone_of(env: Mapping[str, str]) -> tzinfo | None:
    """Return the zone that TZ names, None for the machine's own."""
    try:
        return ZoneInfo(env["TZ"]) if env.get("TZ") else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def stamp(moment_s: float | None, zone: tzinfo | None, empty: str = "Unknown") -> str:
    """Return POSIX seconds as `2026-11-22T10:15:36` in local time, `empty` for None."""
    if moment_s is None:
        return empty
    try:
        return datetime.fromtimestamp(int(moment_s), UTC).astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return empty  # beyond the year 9999


def parse_moment(text: str, now_s: float, zone: tzinfo | None = None) -> float:
    """Return the POSIX time of `now+60`, `now+2hours`, `16:00[:00]` or `2026-11-22[T10:15[:36]]`.

    Args:
        zone: in which times of day are meant; None for the machine's own.

    Raises:
        ValueError: it is none of these. Others that sbatch takes (`noon`, `tomorrow`) are not simulated.
    """
    relative = re.fullmatch(r"now(?:\+([0-9]{1,9})([a-z]*))?", text, re.ASCII)
    if relative:
        unit = relative[2] or "seconds"
        found = [seconds for name, seconds in _UNITS.items() if name.startswith(unit)]
        if not found:
            raise ValueError(text)
        return now_s + int(relative[1] or 0) * found[0]
    today = datetime.fromtimestamp(now_s, UTC).astimezone(zone)
    clock = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?", text, re.ASCII)
    if clock:
        moment = today.replace(
            hour=int(clock[1]), minute=int(clock[2]), second=int(clock[3] or 0), microsecond=0
        )
        return (moment if moment >= today else moment + timedelta(days=1)).timestamp()
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?)?", text, re.ASCII):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    return (moment.astimezone() if zone is None else moment.replace(tzinfo=zone)).timestamp()


_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}


def clock_duration(duration_s: float) -> str:
    """Return a duration as scontrol does: `00:05:00`, `1-00:00:00`."""
    seconds = max(0, int(duration_s))
    days, seconds = divmod(seconds, 86400)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{days}-{text}" if days else text


def short_duration(duration_s: float) -> str:
    """Return a duration as squeue does: `0:07`, `1:02:03`, `1-00:00:00`."""
    seconds = max(0, int(duration_s))
    if seconds >= 86400:
        return clock_duration(seconds)
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{seconds // 60}:{seconds % 60:02d}"


def limit_text(minutes: int | None, *, short: bool, unlimited: str = "UNLIMITED") -> str:
    """Return a time limit in minutes as squeue (`short`) or scontrol prints it."""
    if minutes is None or minutes == UNLIMITED_MIN:
        return unlimited
    return short_duration(minutes * 60) if short else clock_duration(minutes * 60)
