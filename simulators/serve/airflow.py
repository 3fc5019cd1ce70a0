"""A real Airflow on 127.0.0.1: its configuration and its processes, for 2.11 and 3.3."""

import importlib.metadata
import json
import os
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simulators.serve.components import StackError

USER = "admin"

_COMMON = {
    "CORE__LOAD_EXAMPLES": "False",
    "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "CORE__PARALLELISM": "8",
    # A changed DAG file is seen at once, not after Airflow's default of half a minute.
    "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
    "CORE__MIN_SERIALIZED_DAG_FETCH_INTERVAL": "0",
    "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    "SCHEDULER__JOB_HEARTBEAT_SEC": "1",
    "SCHEDULER__CATCHUP_BY_DEFAULT": "False",
}
_AIRFLOW2 = {
    "CORE__EXECUTOR": "SequentialExecutor",  # the one that 2.11 allows on SQLite
    "API__AUTH_BACKENDS": "airflow.providers.fab.auth_manager.api.auth.backend.basic_auth",
    "WEBSERVER__WORKERS": "1",
    "SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": "1",
    "SCHEDULER__PARSING_PROCESSES": "1",
    "SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "5",
    "SCHEDULER__DAG_DIR_LIST_INTERVAL": "3",
}
_AIRFLOW3 = {
    "CORE__EXECUTOR": "LocalExecutor",
    "API__WORKERS": "1",
    "API__HOST": "127.0.0.1",
    "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    "DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
    "DAG_PROCESSOR__REFRESH_INTERVAL": "3",
    "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
}


def installed_version() -> tuple[int, ...]:
    """Return the version of the Airflow beside this package.

    Raises:
        StackError: there is none.
    """
    try:
        text = importlib.metadata.version("apache-airflow")
    except importlib.metadata.PackageNotFoundError as error:
        raise StackError(
            "Airflow is not installed here", next_step="pip install '.[airflow3,sim]', or --airflow none"
        ) from error
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


@dataclass(frozen=True)
class AirflowInstance:
    """One Airflow on its embedded SQLite.

    Attributes:
        home: its AIRFLOW_HOME, private.
        dags: the folder of DAG files.
        port: of its web or API server.
        deferrable: whether steps wait in a triggerer, where the DAG file does not say.
    """

    version: tuple[int, ...]
    home: Path
    dags: Path
    port: int
    deferrable: bool = False

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def health_url(self) -> str:
        """Where it tells how it is, without a login."""
        return f"{self.url}/api/v1/health" if self._is_2 else f"{self.url}/api/v2/monitor/health"

    @property
    def warm_up_url(self) -> str | None:
        """What to ask once before use: Airflow 3 builds its execution API at the first request, in 3 s."""
        return None if self._is_2 else f"{self.url}/execution/health"

    @property
    def version_text(self) -> str:
        """The version as Airflow writes it."""
        return ".".join(str(part) for part in self.version)

    @property
    def password_file(self) -> Path:
        """The file whose first line is the password of USER."""
        return self.home / "password.txt"

    @property
    def _is_2(self) -> bool:
        return self.version < (3,)

    def environment(self, base: Mapping[str, str], jid_url: str) -> dict[str, str]:
        """Return the environment of all its processes; makes its secrets, so call it once."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        password = secrets.token_urlsafe(16)
        self._write_secret(self.password_file, password + "\n")
        values = _COMMON | (_AIRFLOW2 if self._is_2 else _AIRFLOW3)
        values |= {
            "CORE__DAGS_FOLDER": str(self.dags),
            "CORE__FERNET_KEY": "",
            "OPERATORS__DEFAULT_DEFERRABLE": str(self.deferrable),
            "TRIGGERER__JOB_HEARTBEAT_SEC": "1",
            "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db",
        }
        if self._is_2:
            values |= {
                "WEBSERVER__SECRET_KEY": secrets.token_hex(32),
                "WEBSERVER__WEB_SERVER_HOST": "127.0.0.1",
                "WEBSERVER__WEB_SERVER_PORT": str(self.port),
            }
        else:
            passwords = self.home / "passwords.json"
            self._write_secret(passwords, json.dumps({USER: password}))
            values |= {
                "API__SECRET_KEY": secrets.token_hex(32),
                "API__PORT": str(self.port),
                "API_AUTH__JWT_SECRET": secrets.token_hex(32),
                "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
                "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
                "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            }
        path = f"{Path(sys.executable).parent}{os.pathsep}{base.get('PATH', os.defpath)}"
        return (
            dict(base)
            | {f"AIRFLOW__{name}": value for name, value in values.items()}
            | {
                "AIRFLOW_HOME": str(self.home),
                "AIRFLOW_CONN_JID_DEFAULT": json.dumps({"conn_type": "jid", "host": jid_url}),
                "PATH": path,  # 2.11's executor runs `airflow` by name
                "PYTHONWARNINGS": "ignore",
            }
        )

    def set_up(self) -> list[tuple[str, list[str]]]:
        """Return the commands to run to their end before the servers start, with a name each."""
        migrate = ("database", self._airflow("db", "migrate"))
        if not self._is_2:
            return [migrate]
        # The password comes from the file, since an argument could be read by every user.
        create = [sys.executable, "-m", "simulators.serve.airflow2_user", USER, str(self.password_file)]
        return [migrate, ("user", create)]

    def servers(self) -> list[tuple[str, list[str]]]:
        """Return the long-running commands, with a name each."""
        triggerer = ("triggerer", self._airflow("triggerer", "--skip-serve-logs"))
        more = [triggerer] if self.deferrable else []
        if self._is_2:
            return [
                ("webserver", self._airflow("webserver")),
                ("scheduler", self._airflow("scheduler", "--skip-serve-logs")),
                *more,
            ]
        return [
            ("api-server", self._airflow("api-server")),
            ("scheduler", self._airflow("scheduler", "--skip-serve-logs")),
            ("dag-processor", self._airflow("dag-processor")),
            *more,
        ]

    @staticmethod
    def _airflow(*words: str) -> list[str]:
        return [sys.executable, "-m", "airflow", *words]

    @staticmethod
    def _write_secret(path: Path, text: str) -> None:
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
