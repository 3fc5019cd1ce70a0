#!/usr/bin/env bash
# Submit one managed Task to Slurm. The JID runs this script for every step of a workflow.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: submit_slurm.sh -c CONFIG -t TASK [--debug] [--submission-id ID --try N] SLURM_ARGS...

  -c, --config CONFIG   YAML file with the Tasks' parameters
  -t, --task TASK       managed Task to run (--taskname is accepted too)
  --debug               more messages
  --submission-id ID    RUN/TASK/INDEX: submit it once, however often it is asked for
  --try N               which try of it; a later one goes on with a job that runs or has succeeded
  --cleared-at N        the tries up to N are to be done again
  --known-job JOB       only tell how JOB, which is this try's, is now
  --cancel              cancel this try instead, now and for ever
  -h, --help            this text

All other arguments go to sbatch as they are.
TEXT
}

fail() {
    printf 'submit_slurm.sh: error: %s\n' "$1" >&2
    usage >&2
    exit 2
}

scripts_dir="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)"
# shellcheck source=scripts/common.sh
source "$scripts_dir/common.sh"
# shellcheck source=scripts/submission.sh
source "$scripts_dir/submission.sh"

config=""
task=""
submission=""
try=1
cleared_at=0
known_job=""
wants_cancel=""
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
        --submission-id | --try | --cleared-at | --known-job)
            (($# >= 2)) || fail "$1 needs a value"
            case "$1" in
                --submission-id) submission="$2" ;;
                --try) try="$2" ;;
                --known-job) known_job="$2" ;;
                *) cleared_at="$2" ;;
            esac
            shift
            ;;
        --cancel) wants_cancel=yes ;;
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
[[ "$try" =~ ^[1-9][0-9]{0,3}$ ]] || fail "'$try' is not the number of a try"
[[ "$cleared_at" =~ ^(0|[1-9][0-9]{0,3})$ ]] || fail "'$cleared_at' is not the number of a try"
[[ "$known_job" =~ ^[0-9]*$ ]] || fail "'$known_job' is not the number of a job"
if [[ -n "$submission" ]]; then
    [[ "$submission" =~ ^$NAME_PATTERN/$NAME_PATTERN/$NAME_PATTERN$ ]] ||
        fail "'$submission' is not RUN/TASK/INDEX"
elif [[ -n "$wants_cancel$known_job" ]]; then
    fail "--cancel and --known-job need --submission-id"
fi
config="$(realpath -m -- "$config")"
check_config() {
    [[ -f "$config" ]] || fail "there is no configuration file $config"
}
[[ -n "$submission" ]] || check_config # else later: a job that is there already does not need it any more

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
arguments=(--job-name="$task" --output="$log_file" --error="$log_file" ${slurm_args[@]+"${slurm_args[@]}"})
script="$scripts_dir/job_task.sh"
task_args=(-c "$config" -t "$task" ${task_args[@]+"${task_args[@]}"})

if [[ -z "$submission" ]]; then
    exec sbatch "${arguments[@]}" "$script" "$scripts_dir" "${task_args[@]}"
fi
# Beside the logs, unless the site says otherwise: both must be on the shared file system.
records="${LUTE_SUBMISSIONS_DIR:-$PWD/.lute/submissions}"
step="$records/$submission"
[[ -z "$wants_cancel" ]] || cancel_try
[[ -z "$known_job" ]] || tell_of_known_job
submit_once "${arguments[@]}" --comment="$(mark "$try")" "$script" "$scripts_dir" \
    --record "$step/try-$try" "$submission" "$try" "${task_args[@]}"
