"""Make the administrator of an Airflow 2, with the password taken from a file.

usage: python -m simulators.serve.airflow2_user USER PASSWORD_FILE
"""

import sys
from pathlib import Path


def main(user: str, password_file: str) -> None:
    """Create the user in the database that Airflow's configuration names."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    password = Path(password_file).read_text(encoding="utf-8").strip()
    with get_application_builder() as builder:
        manager = builder.sm
        created = manager.add_user(
            user, "LUTE", "Demo", f"{user}@localhost", manager.find_role("Admin"), password
        )
    if not created:
        raise SystemExit(f"Airflow did not create the user {user}")


if __name__ == "__main__":
    main(*sys.argv[1:])
