#!/usr/bin/env bash
# Submit one managed Task to Slurm. The JID runs this script for every step of a workflow.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: submit_slurm.sh -c CONFIG -t TASK [--debug] SLURM_ARGS...

  -c, --config CONFIG   YAML file with the Tasks' parameters
  -t, --task TASK       managed Task to run (--taskname is accepted too)
  --debug               more messages
  -h, --help            this text

All other arguments go to sbatch as they are.
TEXT
}

fail() {
    printf 'submit_slurm.sh: error: %s\n' "$1" >&2
    usage >&2
    exit 2
}

lute_location="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
# shellcheck source=scripts/common.sh
source "$lute_location/scripts/common.sh"

config=""
task=""
task_args=()
slurm_args=()
while (($#)); do
    case "$1" in
        -c | --config | -t | --task | --taskname)
            (($# >= 2)) || fail "$1 needs a value"
            case "$1" in -c | --config) config="$2" ;; *) task="$2" ;; esac
            shift
            ;;
        --config=*) config="${1#*=}" ;;
        --task=* | --taskname=*) task="${1#*=}" ;;
        --debug) task_args+=(--debug) ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) slurm_args+=("$1") ;;
    esac
    shift
done
[[ -n "$config" ]] || fail "-c CONFIG is missing"
[[ -n "$task" ]] || fail "-t TASK is missing"
[[ "$task" =~ ^[A-Za-z0-9_]+$ ]] || fail "'$task' is not the name of a managed Task"
config="$(realpath -m -- "$config")"
[[ -f "$config" ]] || fail "there is no configuration file $config"

has_option() {
    local arg
    for arg in ${slurm_args[@]+"${slurm_args[@]}"}; do
        # shellcheck disable=SC2053 # the right side is a pattern on purpose
        if [[ "$arg" == $1 || "$arg" == $2 ]]; then
            return 0
        fi
    done
    return 1
}
has_option '-p*' '--part*' || [[ -n "${SBATCH_PARTITION:-}" ]] ||
    echo "submit_slurm.sh: warning: no --partition given: S3DF needs one" >&2
has_option '-A*' '--acc*' || [[ -n "${SBATCH_ACCOUNT:-}" ]] ||
    echo "submit_slurm.sh: warning: no --account given: S3DF needs one" >&2

load_site
forget_enclosing_job
run="${RUN_NUM:-${RUN:-}}"
if [[ -n "$run" ]]; then
    export RUN="${run%%_*}" # RUN_NUM is "<run>_<time>" when a workflow submits
fi
log_file="$(log_file_name "$task")"

exec sbatch --job-name="$task" --output="$log_file" --error="$log_file" \
    ${slurm_args[@]+"${slurm_args[@]}"} \
    "$lute_location/scripts/job_task.sh" "$lute_location" -c "$config" -t "$task" \
    ${task_args[@]+"${task_args[@]}"}
