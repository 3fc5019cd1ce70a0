"""What Airflow asks of a provider package."""

from typing import Any

import lute


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, as the entry point `apache_airflow_provider` wants it."""
    return {
        "package-name": "lute",
        "name": "LUTE",
        "description": "Runs managed Tasks of LUTE in Slurm through the job interface daemon (JID).",
        "versions": [lute.__version__],
        "connection-types": [
            {"connection-type": "jid", "hook-class-name": "lute.operators.hook.JidHook"},
        ],
    }
