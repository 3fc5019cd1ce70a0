"""The endpoints of the simulated services: where exchange faults can happen."""

from fnmatch import fnmatchcase

from simulators.dagrunner.rest import routes as airflow
from simulators.elog import server as elog
from simulators.jid import paths as jid

ENDPOINTS = frozenset(
    [
        *(f"jid.{path.name}" for path in jid.PATHS),
        *airflow.ENDPOINTS,
        *(f"elog.{route.name}" for route in elog.ROUTES),
        "jid.other",
        "elog.other",
    ]
)
"""As the servers name them; `other` stands for all paths that a service does not have."""


def matching(pattern: str) -> frozenset[str]:
    """Return the endpoints that a name, or a pattern such as `jid.*`, stands for."""
    return frozenset(name for name in ENDPOINTS if fnmatchcase(name, pattern))
