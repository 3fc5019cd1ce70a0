# Sourced by the other scripts, after lute_location is set: the site's environment and small helpers.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # lute_location comes from the script that sources this, lute_python is for it

# Source the script of the site that LUTE_SITE names (see lute/settings.py), if it has one.
load_site() {
    local site="${LUTE_SITE:-s3df}" script
    case "$site" in
        *.toml) script="${site%.toml}.sh" ;;
        *) script="$lute_location/config/sites/$site.sh" ;;
    esac
    if [[ -f "$script" ]]; then
        set +eu # set-up scripts of a site are not written for these
        # shellcheck source=/dev/null
        source "$script"
        set -eu
    fi
    export PYTHONPATH="$lute_location${PYTHONPATH:+:$PYTHONPATH}"
    lute_python="${LUTE_PYTHON:-python3}"
}

# Print <name>_<EXPERIMENT>_r<RUN>_<date>_%J.out for a name; RUN_NUM may be "12_<time>".
log_file_name() {
    local run="${RUN_NUM:-${RUN:-0}}"
    run="${run%%_*}"
    [[ "$run" =~ ^[0-9]+$ ]] || run=0
    printf '%s_%s_r%04d_%s_%%J.out' "$1" "${EXPERIMENT:-none}" "$((10#$run))" "$(date +%Y-%m-%d_%H-%M-%S)"
}

# A job submitted from inside another job must not take that job's size for its own.
forget_enclosing_job() {
    local name
    for name in "${!SLURM_@}"; do
        [[ "$name" == SLURM_CONF ]] || unset "$name"
    done
}
