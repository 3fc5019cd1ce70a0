#!/usr/bin/env bash
# The batch script of one step. Slurm runs a copy of it, hence the first argument: where LUTE lies.
set -euo pipefail
lute_location="$1"
shift
# shellcheck source=scripts/common.sh
source "$lute_location/scripts/common.sh"
record=()
if [[ "${1:-}" == --record ]]; then
    # shellcheck source=scripts/submission.sh
    source "$lute_location/scripts/submission.sh"
    submission="$3"
    try="$4"
    check_own_job "$2"
    record=(--exit-code-file "${2%/*}/ended-$SLURM_JOB_ID")
    shift 4
fi
load_site
exec "$lute_python" -m lute.run_task ${record[@]+"${record[@]}"} "$@"
