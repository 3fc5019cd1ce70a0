"""What a recording holds: a header, the exchanges, an end. Each is one line of JSON."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT = 1
"""Goes up with every change that makes older recordings play differently."""

Service = Literal["jid", "airflow"]
Failure = Literal["refused", "reset", "timeout"]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(_Line):
    """The first line.

    Attributes:
        when: when the recording began, UTC.
        lute: the version of this package.
        airflow: the version of Airflow, None where it is not known.
        workflow: the workflow that was launched, None for a recording of a site.
        slurm_args: the arguments for Slurm on the launcher's command line, None for a recording of a site.
        services: the address of each recorded service.
    """

    kind: Literal["header"] = "header"
    format: int = FORMAT
    when: str
    lute: str
    airflow: str | None = None
    workflow: str | None = None
    slurm_args: tuple[str, ...] | None = None
    services: dict[Service, str] = Field(default_factory=dict)


class Exchange(_Line):
    """One request and what came of it.

    Attributes:
        sent_s: when the request had come, in seconds since the recording began.
        replied_s: when its reply or its failure had.
        path: below the service's address, with the query.
        headers: the request's Authorization (its scheme alone), Content-Type and Accept.
        request, reply: the bodies; see `simulators.recording.body`. A reply with the body of an earlier one
            names its line: `{"as_in_line": 7}`.
        status: of the reply, None if there was none.
        failure: `refused`: nobody listened; `reset`: the connection broke; `timeout`: no reply came in time,
            or the client had given up before. The client saw a broken connection for the first two.
        line: where it stands in its file.
    """

    kind: Literal["exchange"] = "exchange"
    service: Service
    sent_s: float
    replied_s: float
    method: str
    path: str
    headers: dict[str, str] = Field(default_factory=dict)
    request: dict[str, Any] | None = None
    status: int | None = None
    reply_headers: dict[str, str] = Field(default_factory=dict)
    reply: dict[str, Any] | None = None
    failure: Failure | None = None
    line: int = Field(default=0, exclude=True)

    @property
    def asked(self) -> Any:
        """The JSON of the request's body; its text, where it is none."""
        return _content(self.request)

    @property
    def answered(self) -> Any:
        """The JSON of the reply's body; its text, where it is none."""
        return _content(self.reply)


class LauncherEnd(_Line):
    """How the launcher of a recorded workflow ended, and what it printed."""

    exit_code: int
    output: str


class End(_Line):
    """The last line. A file without it was cut short.

    Attributes:
        exchanges: how many there are.
        launcher: None for a recording of a site.
    """

    kind: Literal["end"] = "end"
    exchanges: int
    launcher: LauncherEnd | None = None


def _content(body: dict[str, Any] | None) -> Any:
    return None if not body else body.get("json", body.get("text"))
