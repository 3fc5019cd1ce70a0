#!/usr/bin/env bash
# The batch script of one step. Slurm runs a copy of it, hence the first argument: the folder it comes from.
set -euo pipefail
scripts_dir="$1"
shift
# shellcheck source=scripts/common.sh
source "$scripts_dir/common.sh"
record=()
if [[ "${1:-}" == --record ]]; then
    # shellcheck source=scripts/submission.sh
    source "$scripts_dir/submission.sh"
    submission="$3"
    try="$4"
    check_own_job "$2"
    record=(--exit-code-file "${2%/*}/ended-$SLURM_JOB_ID")
    rm -f -- "${record[1]}" # of its life before Slurm put it back into the queue
    shift 4
fi
load_site
check_python
# -P: a folder lute where the job runs is not this one.
exec "$lute_python" -P -m lute.run_task ${record[@]+"${record[@]}"} "$@"
