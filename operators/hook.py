"""Airflow's connection to the JID."""

from typing import Any

from lute.operators._compat import AirflowNotFoundException, BaseHook
from lute.settings import Settings


class JidHook(BaseHook):  # type: ignore[misc]
    """Finds the JID: Airflow Connection `jid_default` if there is one, else the site's settings.

    The Connection's host is the base URL (`https://host/prefix/jid/ws`). It may come from Airflow's
    database or from `AIRFLOW_CONN_JID_DEFAULT='{"conn_type": "jid", "host": "https://..."}'`.
    """

    conn_name_attr = "jid_conn_id"
    default_conn_name = "jid_default"
    conn_type = "jid"
    hook_name = "JID (job interface daemon)"

    def __init__(self, jid_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.jid_conn_id = jid_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return how Airflow's form for such a Connection looks."""
        return {
            "hidden_fields": ["schema", "login", "password", "port", "extra"],
            "relabeling": {"host": "Base URL"},
            "placeholders": {"host": "https://host/prefix/jid/ws"},
        }

    def base_url(self, settings: Settings) -> str:
        """Return the JID's base URL."""
        try:
            connection = self.get_connection(self.jid_conn_id)
        except AirflowNotFoundException:
            return settings.jid.url
        host = connection.host or ""
        if "://" in host:
            return host
        if not host:
            return settings.jid.url
        name, slash, path = host.partition("/")
        port = f":{connection.port}" if connection.port else ""
        return f"{connection.schema or 'https'}://{name}{port}{slash}{path}"
