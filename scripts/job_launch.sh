#!/usr/bin/env bash
# The batch script of the launcher. Slurm runs a copy of it, hence the first argument: the folder it comes from.
set -euo pipefail
scripts_dir="$1"
shift
# shellcheck source=scripts/common.sh
source "$scripts_dir/common.sh"
load_site
# This job is the launcher's own, unlike one in which a user calls launch_airflow.py.
export LUTE_LAUNCHER_JOB="${SLURM_JOB_ID:-}"
exec "$lute_python" "$scripts_dir/launch_airflow.py" "$@"
