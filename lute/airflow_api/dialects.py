"""What differs between Airflow 2's REST API (v1) and Airflow 3's (v2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from lute.errors import PermanentError
from lute.seams.http import BearerAuth


@dataclass(frozen=True)
class DialectV1:
    """Airflow 2.x: HTTP Basic; a run has no logical_date; XCom values are text."""

    base_path: str = "/api/v1"
    health_path: str = "/api/v1/health"

    def login(
        self,
        session: requests.Session,  # noqa: ARG002
        url: str,  # noqa: ARG002
        user: str,
        password: str,
        timeout_s: float,  # noqa: ARG002
    ) -> AuthBase:
        """Return the credential for every request; nothing is asked of the server."""
        return HTTPBasicAuth(user, password)

    def trigger_body(self, run_id: str, conf: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that starts a run; v1 refuses `logical_date: null` (measured)."""
        return {"dag_run_id": run_id, "conf": dict(conf)}


@dataclass(frozen=True)
class DialectV2:
    """Airflow 3.x: a bearer token from /auth/token; logical_date is required."""

    base_path: str = "/api/v2"
    health_path: str = "/api/v2/monitor/health"

    def login(
        self, session: requests.Session, url: str, user: str, password: str, timeout_s: float
    ) -> AuthBase:
        """Exchange user and password for a token.

        Raises:
            PermanentError: wrong user or password.
            requests.RequestException: no answer.
        """
        endpoint = f"{url}/auth/token"
        reply = session.post(endpoint, json={"username": user, "password": password}, timeout=timeout_s)
        if reply.status_code != 201:
            raise PermanentError(
                f"Airflow refused the login of user '{user}' (HTTP {reply.status_code})",
                endpoint=endpoint,
                http_status=reply.status_code,
                next_step="check user and password_file in the site file",
            )
        return BearerAuth(reply.json()["access_token"])

    def trigger_body(self, run_id: str, conf: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that starts a run; v2 requires the key logical_date (measured)."""
        return {"dag_run_id": run_id, "conf": dict(conf), "logical_date": None}


Dialect = DialectV1 | DialectV2
