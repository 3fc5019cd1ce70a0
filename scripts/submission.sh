# Sourced by submit_slurm.sh and job_task.sh: submitting a step once, whatever happens to those who ask.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # variables are shared with the script that sources this
#
# The record of a try is a folder, <records>/<DAG run>/<task>/<map index>/try-<N>, on the shared file system:
#   attempt-<M>/  somebody submits it; mkdir is atomic on NFS, too
#   job           which Slurm job it is; the first to make that link decides (so is link(2))
#   said          what sbatch said
#   cancelled     it must not run (any more)
# Beside them, ended-<JOB> holds the exit code of a job's Task, written by the job itself.
# Exit codes beyond sbatch's: 75 ask again later (Slurm does not answer, or somebody is at it), 76 its job
# has ended and Slurm has forgotten it.

readonly ATTEMPT_LIVES_S=60 # longer than the JID (30 s) and sbatch (18 s, measured) go on
readonly ANSWER_LIMIT_S=10
readonly KEEP_RECORDS_DAYS=30
readonly NAME_PATTERN='[A-Za-z0-9_~:+%@=-][A-Za-z0-9_.~:+%@=-]*'

give_up() { # EXIT_CODE TEXT
    printf 'submit_slurm.sh: %s\n' "$2" >&2
    exit "$1"
}

again() { give_up 75 "try again: $1"; }

# The mark by which squeue, and the launcher's final sweep, know the job of a try.
mark() { printf 'lute:%s:%s' "$submission" "$1"; }

# Print the job of a record; nothing if it has none yet.
recorded_job() { # RECORD TRY
    [[ -e "$1/job" || -L "$1/job" ]] || return 0
    local lines=()
    if [[ -f "$1/job" && ! -L "$1/job" && -O "$1/job" ]]; then
        mapfile -t lines <"$1/job"
    fi
    if ((${#lines[@]} < 2)) || [[ ! "${lines[0]}" =~ ^job=[0-9]+$ || "${lines[1]}" != "mark=$(mark "$2")" ]]; then
        give_up 1 "error: the record $1/job is damaged or somebody else's: see squeue, then remove $1"
    fi
    printf '%s' "${lines[0]#job=}"
}

# Let JOB be the job of a record unless it has one, and print the one that it has then. Where that cannot be
# written, as on a full disk, JOB is it all the same: squeue knows it, too.
record_job() { # RECORD TRY JOB
    local draft job=""
    if draft="$(mktemp -- "$1/.job.XXXXXX")"; then
        if printf 'job=%s\nmark=%s\nrecorded=%s\n' "$3" "$(mark "$2")" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$draft"; then
            chmod 644 -- "$draft" || true
            ln -T -- "$draft" "$1/job" 2>/dev/null || true
        fi
        rm -f -- "$draft" || true
    fi
    job="$(recorded_job "$1" "$2")" || exit "$?"
    printf '%s' "${job:-$3}"
}

# Print the job that carries the mark of a try, if squeue knows one.
marked_job() { # TRY
    local queue job comment
    unset "${!SQUEUE_@}" # a user's own filters hide jobs
    queue="$(timeout "$ANSWER_LIMIT_S" squeue --me --noheader --states=all --format='%i %k' 2>/dev/null)" ||
        again "Slurm does not answer, so that nobody knows whether the step has a job"
    while read -r job comment; do
        if [[ "$comment" == "$(mark "$1")" ]]; then
            printf '%s' "$job"
            return
        fi
    done <<<"$queue"
}

# Print the job of a try, from its record or from squeue; nothing if it has none.
job_of_try() { # TRY
    local record="$step/try-$1" job
    job="$(recorded_job "$record" "$1")" || exit "$?"
    if [[ -z "$job" && -n "$(find "$record" -maxdepth 1 -name 'attempt-*' -print -quit 2>/dev/null)" ]]; then
        job="$(marked_job "$1")" || exit "$?"
        [[ -z "$job" ]] || job="$(record_job "$record" "$1" "$job")" || exit "$?"
    fi
    printf '%s' "$job"
}

# Print active, succeeded, failed, or gone for a job that Slurm has forgotten.
job_state() { # JOB
    local shown
    if ! shown="$(timeout "$ANSWER_LIMIT_S" scontrol --oneliner show job "$1" 2>&1)"; then
        [[ "$shown" == *"Invalid job id"* ]] || again "Slurm does not answer about job $1"
        printf 'gone'
        return
    fi
    shown="${shown#*JobState=}"
    case "${shown%% *}" in
        COMPLETED) printf 'succeeded' ;;
        BOOT_FAIL | CANCELLED | DEADLINE | FAILED | NODE_FAIL | OUT_OF_MEMORY | PREEMPTED | REVOKED | TIMEOUT)
            printf 'failed'
            ;;
        *) printf 'active' ;;
    esac
}

exit_code_of() { # JOB
    local code=""
    [[ ! -f "$step/ended-$1" ]] || IFS= read -r code <"$step/ended-$1" || true
    [[ ! "$code" =~ ^[0-9]+$ ]] || printf '%s' "$code"
}

# Answer with a job, as sbatch does; with how it ended if Slurm has forgotten it.
answer() { # JOB STATE
    if [[ "$2" != gone ]]; then
        echo "Submitted batch job $1"
        exit 0
    fi
    local code
    code="$(exit_code_of "$1")"
    [[ -n "$code" ]] || give_up 76 "job $1 is gone: Slurm has forgotten it, and it left no exit code"
    give_up 76 "job $1 has ended with exit code $code"
}

# Look at the tries before this one: go on with a job that runs or has succeeded.
settle_earlier_tries() {
    local earlier job state is_unwanted
    for ((earlier = try - 1; earlier > 0; earlier--)); do
        [[ -d "$step/try-$earlier" ]] || continue
        job="$(job_of_try "$earlier")" || exit "$?"
        is_unwanted=""
        if [[ -z "$job" ]] || ((earlier <= cleared_at)); then
            # Somebody wants the step run once more, or may be submitting that try at this moment.
            is_unwanted=yes
            : >"$step/try-$earlier/cancelled" || give_up 1 "error: the records cannot be written"
            job="$(job_of_try "$earlier")" || exit "$?"
        fi
        [[ -n "$job" ]] || continue
        state="$(job_state "$job")" || exit "$?"
        if [[ -n "$is_unwanted" ]]; then
            [[ "$state" == active ]] || return 0
            timeout "$ANSWER_LIMIT_S" scancel "$job" || true
            sleep 1
            state="$(job_state "$job")" || exit "$?"
            [[ "$state" != active ]] || again "job $job of try $earlier is being cancelled"
            return 0
        fi
        # What a job has left counts only where Slurm has forgotten its own verdict.
        if [[ "$state" == active || "$state" == succeeded ]] ||
            [[ "$state" == gone && "$(exit_code_of "$job")" == 0 ]]; then
            mkdir -p -- "$step/try-$try"
            record_job "$step/try-$try" "$try" "$job" >/dev/null
            echo "submit_slurm.sh: going on with job $job of try $earlier" >&2
            answer "$job" "$state"
        fi
        return 0
    done
}

# Take the right to submit this try; only one process at a time has it.
claim() {
    local number=1 waited=0 job
    while ! mkdir -- "$record/attempt-$number" 2>/dev/null; do
        [[ -d "$record/attempt-$number" ]] || give_up 1 "error: the record $record cannot be written"
        if [[ -d "$record/attempt-$((number + 1))" ]] ||
            (($(date +%s) - $(stat -c %Y -- "$record/attempt-$number") >= ATTEMPT_LIVES_S)); then
            number=$((number + 1))
            continue
        fi
        # Its job may be known in a moment.
        job="$(recorded_job "$record" "$try")" || exit "$?"
        [[ -z "$job" ]] || answer "$job" active
        ((waited < 15)) || again "another submission of this try is under way"
        sleep 1
        waited=$((waited + 1))
    done
    attempt="$record/attempt-$number"
}

refuse_cancelled() {
    [[ ! -e "$record/cancelled" ]] || give_up 1 "error: try $try was cancelled"
}

# Submit a step unless it has a job; print its job as sbatch does, and exit.
submit_once() { # SBATCH ARGUMENTS
    local record="$step/try-$try" attempt job state said code=0
    mkdir -p -- "$step" || give_up 1 "error: the records cannot be written"
    job="$(job_of_try "$try")" || exit "$?"
    if [[ -n "$job" ]]; then
        state="$(job_state "$job")" || exit "$?"
        answer "$job" "$state"
    fi
    check_config
    settle_earlier_tries
    mkdir -p -- "$record" || give_up 1 "error: the records cannot be written"
    refuse_cancelled
    claim
    said="$(sbatch "$@" 2>"$record/said")" || code="$?"
    cat -- "$record/said" >&2
    job="$(sed -n 's/.*Submitted batch job \([0-9][0-9]*\).*/\1/p' <<<"$said" | head -n 1)"
    if ((code != 0)) || [[ -z "$job" ]]; then
        without_a_reply "$code"
    fi
    own="$job"
    job="$(record_job "$record" "$try" "$job")" || job="$own" # the record is damaged, which the next call tells
    [[ "$job" == "$own" ]] || scancel "$own"
    if [[ -e "$record/cancelled" ]]; then
        scancel "$job"
        refuse_cancelled
    fi
    echo "Submitted batch job $job"
    clean_records
    exit 0
}

# sbatch failed: was nothing submitted for good or for now, or is it not known?
without_a_reply() { # EXIT_CODE; sets job
    local reason=""
    (($1 != 0 && $1 < 128)) || reason="timed out" # no word of a job, or killed: as good as that
    case "$reason$(<"$record/said")" in # several lines where sbatch has tried again
        *"timed out"* | *"Zero Bytes were transmitted"* | *"Connection reset"*)
            job="$(marked_job "$try")" || exit "$?"
            [[ -n "$job" ]] || again "sbatch got no reply: the job may appear yet"
            ;;
        *"Unable to contact slurm controller"* | *"temporarily unable to accept job"*)
            rmdir -- "$attempt"
            again "Slurm does not answer"
            ;;
        *)
            job="$(marked_job "$try")" || exit "$?" # an error after the fact, such as of reading the reply
            [[ -z "$job" ]] || return 0
            rmdir -- "$attempt"
            give_up "$1" "error: sbatch refused the step"
            ;;
    esac
}

# Let this try never run (any more), and print its job, if it has one, as sbatch does.
cancel_try() {
    local record="$step/try-$try" job is_noted=""
    if mkdir -p -- "$record" && : >"$record/cancelled"; then
        is_noted=yes
    fi
    job="$(recorded_job "$record" "$try")" || job=""
    [[ -n "$job" ]] || job="$(marked_job "$try")" || exit "$?"
    if [[ -z "$job" ]]; then
        [[ -n "$is_noted" ]] || give_up 1 "error: the records cannot be written"
        echo "submit_slurm.sh: try $try has no job: nothing to cancel"
        exit 0
    fi
    timeout "$ANSWER_LIMIT_S" scancel "$job" || again "scancel failed"
    echo "Submitted batch job $job, and cancelled it"
    exit 0
}

# Tell of the job that somebody knows; never submit another.
tell_of_known_job() {
    local state
    state="$(job_state "$known_job")" || exit "$?"
    answer "$known_job" "$state"
}

# Remove old records, once a day; and nothing else, whatever folder a site has named.
clean_records() {
    local run
    [[ -z "$(find "$records/.cleaned" -mtime -1 2>/dev/null)" ]] || return 0
    : >"$records/.cleaned" || return 0
    while IFS= read -r -d '' run; do
        [[ -z "$(find "$run" -mindepth 3 -maxdepth 3 -type d -name 'try-*' -print -quit 2>/dev/null)" ]] ||
            rm -rf -- "$run" || true
    done < <(find "$records" -mindepth 1 -maxdepth 1 -type d -mtime "+$KEEP_RECORDS_DAYS" -print0)
}

# In the job: end it unless it is the one that its record names.
check_own_job() { # RECORD
    local record="$1" official
    if [[ ! -d "$record" ]]; then
        echo "WARNING: the record $record cannot be seen from here" >&2
        return
    fi
    if [[ -e "$record/cancelled" ]]; then
        echo "this try of the step was cancelled" >&2
        exit 1
    fi
    official="$(record_job "$record" "$try" "$SLURM_JOB_ID")" || return 0
    if [[ "$official" != "$SLURM_JOB_ID" ]]; then
        echo "job $official runs this step: nothing to do here" >&2
        exit 1
    fi
}
