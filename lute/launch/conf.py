"""Building the conf of a DAG run from the command line and the environment of the ARP."""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from lute.arp.token import user_name
from lute.errors import ConfigError
from lute.jid.documents import LuteParams, RunConf
from lute.launch.arguments import LaunchArguments
from lute.launch.process import SCRIPTS
from lute.seams import Runtime
from lute.settings import Settings

LAUNCHER_JOB = "LUTE_LAUNCHER_JOB"
"""Number of the batch job that is this launcher's own, as scripts/job_launch.sh sets it."""


def build_conf(
    arguments: LaunchArguments,
    env: Mapping[str, str],
    settings: Settings,
    runtime: Runtime,
    scripts: Path = SCRIPTS,
) -> RunConf:
    """Return the conf of a new run.

    The environment's EXPERIMENT, RUN_NUM (or RUN), Authorization, ARP_JOB_ID, ARP_LOCATION and
    JID_UPDATE_COUNTERS (or its newer name ARP_UPDATE_COUNTERS) are what the ARP sets; -e and -r stand in
    for the first two. Without the third the conf has no token yet: see `lute.arp.renewal.TokenKeeper`.

    Args:
        scripts: the folder of the launcher's own script; the steps' jobs are submitted from there, too.

    Raises:
        ConfigError: experiment or run are not known.
    """
    experiment = env.get("EXPERIMENT") or arguments.experiment
    if not experiment:
        raise ConfigError("which experiment? EXPERIMENT is not set", next_step="add -e EXPERIMENT")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", experiment):
        raise ConfigError(
            f"'{experiment}' is not the name of an experiment", next_step="check EXPERIMENT or -e"
        )
    run = (env.get("RUN_NUM") or env.get("RUN") or arguments.run or "").partition("_")[0]
    if not run:
        raise ConfigError("which run? RUN_NUM is not set", next_step="add -r RUN")
    if not run.isdecimal():
        raise ConfigError(f"'{run}' is not a run number", next_step="check RUN_NUM or -r")
    # Object ids of the eLog's database have 24 hexadecimal digits; the ARP may parse it as one (inferred).
    root_job_id = env.get("ARP_JOB_ID") or _root_job_id(experiment, run, env, runtime)
    return RunConf(
        experiment=experiment,
        run_id=f"{int(run)}_{runtime.clock.now().strftime('%Y-%m-%dT%H:%M:%S.%f')}",
        jid_update_counters=env.get("JID_UPDATE_COUNTERS") or env.get("ARP_UPDATE_COUNTERS"),
        arp_root_job_id=root_job_id,
        arp_location=env.get("ARP_LOCATION") or settings.location,
        authorization=env.get("Authorization") or "",
        user=user_name(),
        lute_params=LuteParams(config_file=str(arguments.config_file), debug=arguments.debug),
        slurm_params=arguments.slurm_params,
        workflow=arguments.run_time.to_dict() if arguments.run_time else {},
        lute_location=str(scripts.parent),
        executable_subdir=scripts.name,
        kerb_file=env.get("KRB5CCNAME"),
    )


def _root_job_id(experiment: str, run: str, env: Mapping[str, str], runtime: Runtime) -> str:
    """Return an id for a launch without the ARP: always the same one inside one batch job of a launcher."""
    if job := env.get(LAUNCHER_JOB):
        return sha256(f"{experiment}/{run}/{job}".encode()).hexdigest()[:24]
    return runtime.identity.uuid().hex[:24]


def contradictions(arguments: LaunchArguments, env: Mapping[str, str]) -> list[str]:
    """Return a warning for each argument that the environment overrules."""
    given = {
        "-e": (arguments.experiment, env.get("EXPERIMENT")),
        "-r": (arguments.run, (env.get("RUN_NUM") or env.get("RUN") or "").partition("_")[0]),
    }
    return [
        f"WARNING: {option} {argument} is ignored: the environment says {there}"
        for option, (argument, there) in given.items()
        if argument and there and argument != there
    ]


def dag_run_id(conf: RunConf, env: Mapping[str, str], runtime: Runtime) -> str:
    """Return a unique DAG run id from the characters that both Airflow versions take.

    Inside its own batch job a launcher always gets the same id: Slurm may start that job again, after a
    failure of its node, and the run that it finds then is its own. Elsewhere each launch has its own id.
    Measured: v2 wants `[A-Za-z0-9_.~:+-]`, v1 answers some others with HTTP 500.
    """
    if job := env.get(LAUNCHER_JOB):
        run = conf.run_id.partition("_")[0]
        return f"{conf.experiment}_r{run}_{_plain(conf.arp_root_job_id)}_job{_plain(job)}"
    return f"{conf.experiment}_r{conf.run_id.replace(':', '-')}_{runtime.identity.uuid().hex[:8]}"


def is_restarted(env: Mapping[str, str]) -> bool:
    """Tell whether Slurm has started the launcher's own batch job again."""
    return bool(env.get(LAUNCHER_JOB)) and env.get("SLURM_RESTART_COUNT", "0") not in ("", "0")


def _plain(text: str) -> str:
    return re.sub("[^A-Za-z0-9]", "-", text)
