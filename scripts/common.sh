# Sourced by the other scripts, after scripts_dir is set: the site's environment and small helpers.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # scripts_dir comes from the script that sources this, lute_python is for it

lute_location="${scripts_dir%/*}"

site_error() { # TEXT NEXT_STEP
    printf '%s: error: %s\n  next: %s\n' "${0##*/}" "$1" "$2" >&2
    exit 2
}

# Source the environment script of the site that LUTE_SITE names, and let Python find this LUTE first.
load_site() {
    local site="${LUTE_SITE:-s3df}" script
    [[ "$site" == *.toml || "$site" == */* ]] || site="$lute_location/config/sites/$site.toml"
    [[ -f "$site" ]] || site_error "there is no site file $site" \
        "set LUTE_SITE to a known site's name, or to the path of a site file"
    script="$(environment_script "$site")" || exit "$?"
    if [[ -n "$script" ]]; then
        set +eu # set-up scripts of a site are not written for these
        # shellcheck source=/dev/null
        source "$script"
        set -eu
    fi
    export PYTHONPATH="$lute_location${PYTHONPATH:+:$PYTHONPATH}"
    lute_python="${LUTE_PYTHON:-python3}"
}

# Print the environment script of a site: what its file says, else NAME.sh beside it if there is one.
# No Python may be there yet that reads TOML; lute/settings.py refuses what these patterns do not get right.
environment_script() { # SITE_FILE
    local line number=0 script="" folder=.
    local table=$'^[ \t]*\\[' key=$'^[ \t]*["\']?environment_script["\']?[ \t]*[=.]'
    local entry=$'^[ \t]*environment_script[ \t]*=[ \t]*("([^"\\\\]+)"|\'([^\']+)\')[ \t]*(#.*)?$'
    while IFS= read -r line || [[ -n "$line" ]]; do
        number=$((number + 1))
        line="${line%$'\r'}"
        [[ ! "$line" =~ $table ]] || break
        [[ "$line" =~ $key || "$line" == *'"""'* || "$line" == *"'''"* ]] || continue
        [[ -z "$script" && "$line" =~ $entry ]] ||
            site_error "$1:$number: the scripts cannot read environment_script" \
                'write environment_script = "PATH", on one line and without backslashes'
        script="${BASH_REMATCH[2]}${BASH_REMATCH[3]}"
    done <"$1"
    if [[ -z "$script" ]]; then
        [[ -f "${1%.toml}.sh" ]] || return 0
        script="${1##*/}"
        script="${script%.toml}.sh"
    fi
    [[ "$1" != */* ]] || folder="${1%/*}"
    [[ "$script" == /* ]] || script="$folder/$script"
    [[ -f "$script" ]] || site_error "there is no environment script $script" "correct environment_script in $1"
    printf '%s' "$script"
}

# To be called before lute_python is: an older one would not even know the option -P.
check_python() {
    "$lute_python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 ||
        site_error "$lute_python is not Python 3.11 or later" \
            "set LUTE_PYTHON, or let the site's environment_script bring one"
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
