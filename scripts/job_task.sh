#!/usr/bin/env bash
# The batch script of one step. Slurm runs a copy of it, hence the first argument: where LUTE lies.
set -euo pipefail
lute_location="$1"
shift
# shellcheck source=scripts/common.sh
source "$lute_location/scripts/common.sh"
load_site
exec "$lute_python" -m lute.run_task "$@"
