"""The JID's paths: the one table behind both ways to serve it."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

PREFIX = "/jid/ws"
LARGEST_BODY = 8 * 1024 * 1024
"""Bytes; more are refused with HTTP 413 (assumed)."""


@dataclass(frozen=True)
class Path:
    """One path that takes POST, and no other method. No trailing slash on any (known).

    Attributes:
        name: of the endpoint.
        template: the path, with `{parameter}` for a part that varies.
    """

    name: str
    template: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """The path as a regular expression, as Starlette makes it: no part is empty."""
        parts = re.sub("{([a-z_]+)}", r"(?P<\1>[^/]+)", self.template)
        return re.compile(f"^{parts}$")


_OF_EXPERIMENTS = ("start_job", "job_statuses", "job_log_file", "job_details", "kill_job", "get_counters")

PATHS = (
    Path("job_statuses", f"{PREFIX}/job_statuses"),
    *(Path(name, f"{PREFIX}/{{experiment}}/{name}") for name in _OF_EXPERIMENTS),
    Path("replace_counters", f"{PREFIX}/replace_counters/{{experiment}}/{{root_job_id}}"),
)
"""In the order in which they are tried."""


@dataclass(frozen=True)
class Found:
    """What a request asks for; the parameters are None where its path has none."""

    name: str
    experiment: str | None
    root_job_id: str | None


_PATTERNS = tuple((path.name, path.pattern) for path in PATHS)


@lru_cache(maxsize=4096)
def find(url: str) -> Found | None:
    """Return what an address asks for, None where the JID has no such path."""
    path = unquote(urlsplit(url).path)
    for name, pattern in _PATTERNS:
        if match := pattern.match(path):
            values = match.groupdict()
            return Found(name, values.get("experiment"), values.get("root_job_id"))
    return None
