"""The documents that the JID takes and gives, and the conf that a DAG run carries."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lute.errors import ConfigError
from lute.jid.status import JobStatus
from lute.seams.identity import IdentitySource


class LuteParams(BaseModel):
    """The part of the conf that names the Tasks' configuration file."""

    model_config = ConfigDict(frozen=True)

    config_file: str
    debug: bool = False


class RunConf(BaseModel):
    """The conf of one DAG run: written by the launcher, read by the operators.

    Exactly the site's keys; keys of other launchers are ignored.

    Attributes:
        run_id: `<run>_<UTC time, ISO>`.
        jid_update_counters: where Tasks report progress; None where the ARP did not start the run.
        authorization: `Bearer <token>`, for the JID. Secret.
        slurm_params: sbatch arguments for every step, one token each.
        lute_location: the installation or clone whose scripts run.
        executable_subdir: the folder in it that holds `submit_slurm.sh`.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    experiment: str
    run_id: str
    jid_update_counters: str | None = Field(default=None, alias="JID_UPDATE_COUNTERS")
    arp_root_job_id: str = Field(alias="ARP_ROOT_JOB_ID")
    arp_location: str = Field(default="S3DF", alias="ARP_LOCATION")
    authorization: str = Field(alias="Authorization", repr=False)
    user: str
    lute_params: LuteParams
    slurm_params: tuple[str, ...] = ()
    lute_location: str
    kerb_file: str | None = None
    workflow: dict[str, Any] = Field(default_factory=dict)
    run_type: str | None = None
    is_daq2: bool | None = None
    executable_subdir: str = "scripts"

    @property
    def submit_script(self) -> str:
        """The path of `submit_slurm.sh`, on the computer where the JID runs it.

        Raises:
            ConfigError: `lute_location` is not absolute, or `executable_subdir` leads out of it.
        """
        if not self.lute_location.startswith("/"):
            raise ConfigError(f"lute_location must be an absolute path: '{self.lute_location}'")
        parts = self.executable_subdir.split("/")
        if not all(re.fullmatch(r"[\w.+-]+", part, re.ASCII) and part not in (".", "..") for part in parts):
            raise ConfigError(
                f"executable_subdir must be a folder in lute_location: '{self.executable_subdir}'",
                next_step="start workflows with scripts/launch_airflow.py, which writes the conf",
            )
        return f"{self.lute_location}/{self.executable_subdir}/submit_slurm.sh"

    def to_conf(self) -> dict[str, Any]:
        """Return the JSON object that Airflow stores with the DAG run."""
        return self.model_dump(mode="json", by_alias=True)


def parse_run_conf(conf: dict[str, Any]) -> RunConf:
    """Read the conf of a DAG run.

    Raises:
        ConfigError: a key is missing or of the wrong type.
    """
    try:
        return RunConf.model_validate(conf)
    except ValidationError as error:
        keys = sorted({".".join(str(part) for part in problem["loc"]) for problem in error.errors()})
        raise ConfigError(
            f"the DAG run's conf is missing or has wrong: {', '.join(keys)}",
            next_step="start workflows with scripts/launch_airflow.py, which writes the conf",
        ) from error


def control_document(
    conf: RunConf, *, task: str, executable: str, parameters: str, run_as_user: str, identity: IdentitySource
) -> dict[str, Any]:
    """Return the control document that describes one job to the JID.

    Known: these fields, from upstream LUTE's operator; `run_num` holds the run and a time, and the ids
    are no ObjectIds although the eLog's own documents have such.
    """
    definition_id = str(identity.uuid())
    return {
        "_id": str(identity.uuid()),
        "arp_root_job_id": conf.arp_root_job_id,
        "experiment": conf.experiment,
        "run_num": conf.run_id,
        "user": conf.user,
        "status": "",
        "tool_id": "",
        "def_id": definition_id,
        "def": {
            "_id": definition_id,
            "name": task,
            "executable": executable,
            "trigger": "MANUAL",
            "location": conf.arp_location,
            "parameters": parameters,
            "run_as_user": run_as_user,
        },
    }


@dataclass(frozen=True)
class JobRecord:
    """A job as the JID last told of it.

    Attributes:
        tool_id: Slurm's job id.
        status: None where the JID's word is no status.
        status_word: the word itself.
        log_file_path: on the batch side; a literal `%J` in it is already replaced by the job id.
        document: the whole document, which goes back with the next request.
    """

    tool_id: str
    status: JobStatus | None
    status_word: str
    log_file_path: str | None
    document: dict[str, Any]
