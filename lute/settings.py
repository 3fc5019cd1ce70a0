"""The settings of one site, and the only place that reads the process environment.

A site is a TOML file `NAME.toml` in `config/sites/`, or any file whose path is given. The variable
`LUTE_SITE` holds its name or path; without it the site is S3DF. One key, `environment_script`, is read by
`scripts/common.sh` too, where there may be no Python yet: see `_check_environment_script`.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lute.errors import ConfigError, did_you_mean

# As in scripts/common.sh.
_TABLE = re.compile(r"[ \t]*\[")
_KEY = re.compile(r"""[ \t]*["']?environment_script["']?[ \t]*[=.]""")
_ENTRY = re.compile(r"""[ \t]*environment_script[ \t]*=[ \t]*(?:"([^"\\]+)"|'([^']+)')[ \t]*(?:#.*)?""")

SITES_DIR = Path(__file__).parent / "sites"
DEFAULT_SITE = "s3df"


class _Section(BaseModel):
    # Without use_attribute_docstrings: parsing this file for them costs each start of a step 60 ms.
    model_config = ConfigDict(extra="forbid", frozen=True)


class AirflowSettings(_Section):
    """Where Airflow answers, and as whom the launcher talks to it."""

    url: str
    """Airflow's base address, as in `http://HOST:8080`."""
    user: str
    """Whom the launcher logs in as."""
    password_file: Path
    """Its first line is the password. A relative path is taken from the site file's folder."""
    api: Literal["auto", "v1", "v2"] = "auto"
    """v1 is Airflow 2's REST API with HTTP Basic, v2 Airflow 3's with a bearer token; auto asks."""


class JidSettings(_Section):
    """Where the JID answers. Airflow's Connection `jid_default` takes precedence inside Airflow."""

    url: str
    """The JID's base address, which ends in `/jid/ws` at S3DF."""
    token_channel: Literal["conf", "variable"] = "conf"  # noqa: S105 - no password
    """Where operators find the token: in the run's conf, which Airflow's users can read and nobody can
    change, or in an encrypted Airflow Variable of the run, in which the launcher puts new ones in time."""


class ElogSettings(_Section):
    """The eLog's prefixes, each with the way to authenticate that its name says."""

    kerberos_url: str
    """The prefix that takes Kerberos tickets; tokens come from there."""
    jwt_url: str
    """The prefix that takes tokens."""
    token_lifetime_min: int = Field(default=300, ge=1, le=480)
    """Lifetime asked for a token got by Kerberos; the eLog refuses more than 480 min."""
    token_renewal_fraction: float = Field(default=0.5, gt=0, lt=1)
    """A token, or a Kerberos ticket, is renewed once this fraction of its lifetime has passed."""


class TimeoutSettings(_Section):
    """How long to wait for whom, in seconds."""

    connect_s: float = Field(default=5.0, gt=0)
    """Making a connection, to any service."""
    read_s: float = Field(default=30.0, gt=0)
    """Each part of an answer."""
    start_job_s: float = Field(default=60.0, gt=0)
    """The JID gives the submit script 30 s: its own answer to a slow one comes after that."""
    retry_s: float = Field(default=60.0, gt=0)
    """Before anything has been started, transient errors of a request are retried for so long."""
    outage_s: float = Field(default=1800.0, gt=0)
    """Once something runs, an outage of Airflow or the JID is waited out for so long."""
    unknown_status_s: float = Field(default=600.0, gt=0)
    """A status that is no status is asked again for so long before the step fails."""
    queued_s: float = Field(default=1800.0, gt=0)
    """A DAG run that Airflow has not started after so long is an error."""


class LogSettings(_Section):
    """How much of a log travels."""

    max_kib: int = Field(default=256, ge=1)
    """The last so many KiB of a step's log go through Airflow's database; the rest is cut, and said so."""


class Settings(_Section):
    """One site; its name is the file's."""

    name: str
    location: str = "S3DF"
    """The eLog's name for the place where jobs run (ARP_LOCATION)."""
    environment_script: Path | None = None
    """The bash script that is sourced before each `sbatch` and in each job; it brings Python 3.11 and Slurm's
    commands. A relative path is taken from the site file's folder. Without the key it is `NAME.sh` beside
    `NAME.toml`, if there is one."""
    airflow: AirflowSettings
    jid: JidSettings
    elog: ElogSettings
    timeouts: TimeoutSettings = TimeoutSettings()
    logs: LogSettings = LogSettings()


def environment() -> dict[str, str]:
    """Return the process environment as a value."""
    return dict(os.environ)


def load_settings(env: Mapping[str, str], *, test_instance: bool = False) -> Settings:
    """Load the site that `env` names.

    Args:
        env: an environment; `LUTE_SITE` in it is a site's name or the path of its file.
        test_instance: load the site's test instance instead, whose name ends in `-test`.

    Raises:
        ConfigError: no such site, not TOML, an unknown or missing key, a value of the wrong type;
            the message names file and line.
    """
    path = _site_file(env.get("LUTE_SITE") or DEFAULT_SITE, test_instance=test_instance)
    try:
        text = path.read_bytes().decode("utf-8")  # with the line ends that the file has
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=path, next_step="correct the site file") from error
    return _parse(path, text)


@lru_cache(maxsize=8)
def _parse(path: Path, text: str) -> Settings:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else None
        raise ConfigError(f"not valid TOML: {error}", file=path, line=line) from error
    try:
        settings = Settings.model_validate({"name": path.stem} | values)
    except ValidationError as error:
        raise _first_problem(error, path, text) from error
    _check_environment_script(path, text, values.get("environment_script"))
    airflow = settings.airflow
    own = airflow.model_copy(update={"password_file": path.parent / airflow.password_file})
    script = settings.environment_script and path.parent / settings.environment_script
    return settings.model_copy(update={"airflow": own, "environment_script": script})


def _check_environment_script(path: Path, text: str, meant: str | None) -> None:
    """Refuse a file of which the scripts' bash would read something else than TOML does.

    Whether the script is there is for the scripts to say: this may be another computer.
    """
    read = None
    for number, line in enumerate(text.split("\n"), start=1):
        if _TABLE.match(line):
            break
        if not _KEY.match(line) and '"""' not in line and "'''" not in line:
            continue
        found = _ENTRY.fullmatch(line.removesuffix("\r"))
        if not found or read is not None:
            raise _unreadable(path, number)
        read = found[1] or found[2]
    if read != meant:
        raise _unreadable(path, _line_of(["environment_script"], text))


def _unreadable(path: Path, line: int | None) -> ConfigError:
    return ConfigError(
        "the scripts cannot read environment_script",
        file=path,
        line=line,
        next_step='write environment_script = "PATH", on one line and without backslashes',
    )


def _site_file(site: str, *, test_instance: bool) -> Path:
    suffix = "-test" if test_instance else ""
    if site.endswith(".toml") or "/" in site:
        path = Path(site)
        path = path.with_name(f"{path.stem}{suffix}{path.suffix}")
        if not path.is_file():
            raise ConfigError("there is no such site file", file=path, next_step=_next_step(suffix))
        return path
    path = SITES_DIR / f"{site}{suffix}.toml"
    if not path.is_file():
        known = [file.stem for file in SITES_DIR.glob("*.toml")]
        raise ConfigError(
            f"there is no site '{site}{suffix}': {did_you_mean(site + suffix, known)}",
            file=path,
            next_step=_next_step(suffix),
        )
    return path


def _next_step(suffix: str) -> str:
    if suffix:
        return "leave --test out: this site has no test instance"
    return "set LUTE_SITE to a known site's name, or to the path of a site file"


def _first_problem(error: ValidationError, path: Path, text: str) -> ConfigError:
    # A misspelt key is both unknown and missing: the first tells more.
    problem = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    keys = [str(part) for part in problem["loc"]]
    dotted = ".".join(keys)
    if problem["type"] == "extra_forbidden":
        model = _model_of(keys[:-1])
        what = f"unknown key '{dotted}': {did_you_mean(keys[-1], model.model_fields)}"
    elif problem["type"] == "missing":
        what = f"the key '{dotted}' is missing"
    else:
        what = f"'{dotted}': {problem['msg']}"
    return ConfigError(what, file=path, line=_line_of(keys, text))


def _model_of(keys: list[str]) -> type[BaseModel]:
    model: Any = Settings
    for key in keys:
        model = model.model_fields[key].annotation
    found: type[BaseModel] = model
    return found


def _line_of(keys: list[str], text: str) -> int | None:
    """Return the line of a key, or of the table that should hold it."""
    *tables, name = keys
    table_line = None
    current: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if found := re.match(r"\s*\[([^\[\]]+)\]", line):
            current = [part.strip() for part in found[1].split(".")]
            if current == keys:
                return number
            table_line = number if current == tables else table_line
        elif current == tables and re.match(rf"\s*{re.escape(name)}\s*=", line):
            return number
    return table_line
