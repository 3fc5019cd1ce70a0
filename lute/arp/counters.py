"""Progress of a Task in the eLog: its row among the counters of the workflow's root job."""

from collections.abc import Callable, Mapping
from typing import Any, Self

import requests

from lute.arp.token import user_name
from lute.seams import Runtime
from lute.seams.http import BearerAuth

_LIMIT_S = 5.0


class CountersError(Exception):
    """The counters could not be read or written; never a reason for a Task to fail."""


class Counters:
    """The counters of one root job.

    Reading, changing and writing back is not atomic there (known): of two Tasks that report at the same
    moment, one row may be lost until its next report.

    Args:
        replace_url: `<base>/replace_counters/<experiment>/<root job id>`, as the ARP hands it out.
        query: the document that get_counters takes.
        authorization: returns `Bearer <token>`, as it is at that moment; empty for none.
    """

    def __init__(
        self, replace_url: str, query: Mapping[str, str], authorization: Callable[[], str], runtime: Runtime
    ) -> None:
        self._replace_url = replace_url
        base, experiment = replace_url.rsplit("/", 3)[0], replace_url.rsplit("/", 3)[2]
        self._get_url = f"{base}/{experiment}/get_counters"
        self._query = dict(query)
        self._authorization = authorization
        self._session = runtime.new_session()

    @classmethod
    def from_environment(
        cls, env: Mapping[str, str], runtime: Runtime, authorization: Callable[[], str] | None = None
    ) -> Self | None:
        """Return the counters that the ARP's variables name, None where the ARP set none.

        Args:
            authorization: returns the token of each moment; None for the one in `env`.
        """
        url = env.get("JID_UPDATE_COUNTERS") or env.get("ARP_UPDATE_COUNTERS") or ""
        if url.count("/") < 5:
            return None
        query = {
            "_id": env.get("ARP_ROOT_JOB_ID", ""),
            "experiment": env.get("EXPERIMENT", ""),
            "run_num": env.get("RUN_NUM", ""),
            "user": user_name(),
        }
        return cls(url, query, authorization or (lambda: env.get("Authorization", "")), runtime)

    def update(self, rows: Mapping[str, str]) -> None:
        """Set these rows and keep all others.

        Raises:
            CountersError: not done.
        """
        merged = {**self.read(), **rows}
        # Known: no client sends a token with replace_counters.
        self._post(self._replace_url, [{"key": key, "value": value} for key, value in merged.items()], None)

    def read(self) -> dict[str, Any]:
        """Return all rows.

        Raises:
            CountersError: they cannot be read.
        """
        authorization = self._authorization()
        auth = BearerAuth(authorization) if authorization else None
        found = self._post(self._get_url, self._query, auth)
        if not isinstance(found, list):
            raise CountersError("the counters' reply holds no list")
        return {str(row["key"]): row.get("value") for row in found if isinstance(row, dict) and "key" in row}

    def _post(self, url: str, body: Any, auth: BearerAuth | None) -> Any:
        try:
            reply = self._session.post(url, json=body, auth=auth, timeout=_LIMIT_S)
            answer = reply.json()
        except (requests.RequestException, ValueError) as error:
            raise CountersError(f"{type(error).__name__} from {url}") from error
        if reply.status_code != 200 or not isinstance(answer, dict) or answer.get("success") is not True:
            raise CountersError(f"HTTP {reply.status_code} from {url}")
        return answer.get("value")
