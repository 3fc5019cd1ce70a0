"""How the parts of Airflow are."""

from typing import Any

from simulators.dagrunner.orders import Orders


def health_row(orders: Orders) -> dict[str, Any]:
    """Return how the parts of Airflow are, in both versions the same down to the form of the times."""
    told = orders.health()
    now = orders.now().isoformat()
    found: dict[str, Any] = {"metadatabase": {"status": "healthy"}}
    for name in ("scheduler", "triggerer", "dag_processor"):
        status = told.get(name)
        found[name] = {"status": status, f"latest_{name}_heartbeat": now if status == "healthy" else None}
    return found
