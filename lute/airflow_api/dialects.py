"""What differs between Airflow 2's REST API (v1) and Airflow 3's (v2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from requests.auth import AuthBase, HTTPBasicAuth

from lute.seams.http import BearerAuth


@dataclass(frozen=True)
class DialectV1:
    """Airflow 2.x: HTTP Basic; a run has no logical_date."""

    base_path: str = "/api/v1"
    health_path: str = "/api/v1/health"

    def login_request(self, _user: str, _password: str) -> None:
        """Return None: nothing is asked of the server to log in."""

    def credential(self, user: str, password: str, _reply: Any) -> AuthBase:
        """Return what authenticates every request."""
        return HTTPBasicAuth(user, password)

    def trigger_body(self, run_id: str, conf: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that starts a run; v1 refuses `logical_date: null` (measured)."""
        return {"dag_run_id": run_id, "conf": dict(conf)}


@dataclass(frozen=True)
class DialectV2:
    """Airflow 3.x: a bearer token from /auth/token; logical_date is required."""

    base_path: str = "/api/v2"
    health_path: str = "/api/v2/monitor/health"

    def login_request(self, user: str, password: str) -> tuple[str, dict[str, str]]:
        """Return path and body of the POST that exchanges user and password for a token."""
        return "/auth/token", {"username": user, "password": password}

    def credential(self, _user: str, _password: str, reply: Any) -> AuthBase:
        """Return what authenticates every request: the token in the login's reply."""
        return BearerAuth(reply["access_token"])

    def trigger_body(self, run_id: str, conf: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that starts a run; v2 requires the key logical_date (measured)."""
        return {"dag_run_id": run_id, "conf": dict(conf), "logical_date": None}


Dialect = DialectV1 | DialectV2
