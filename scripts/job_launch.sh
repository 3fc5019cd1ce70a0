#!/usr/bin/env bash
# The batch script of the launcher. Slurm runs a copy of it, hence the first argument: where LUTE lies.
set -euo pipefail
lute_location="$1"
shift
# shellcheck source=scripts/common.sh
source "$lute_location/scripts/common.sh"
load_site
# This job is the launcher's own, unlike one in which a user calls launch_airflow.py.
export LUTE_LAUNCHER_JOB="${SLURM_JOB_ID:-}"
exec "$lute_python" "$lute_location/scripts/launch_airflow.py" "$@"
