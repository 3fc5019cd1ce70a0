#!/usr/bin/env bash
# Run launch_airflow.py as a batch job of one core. The ARP gives the first job of a workflow 30 s, so
# this returns as soon as sbatch has answered, with sbatch's exit code.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: submit_launch_airflow.sh -c CONFIG {-w WORKFLOW | -W FILE} [-e EXPERIMENT] [-r RUN] SLURM_ARGS...

The arguments are launch_airflow.py's (see launch_airflow.py --help). The launcher's own job takes one core
and, of SLURM_ARGS, partition, account, qos and reservation; every step of the workflow takes all of them.
TEXT
}

scripts_dir="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)"
# shellcheck source=scripts/common.sh
source "$scripts_dir/common.sh"

if (($# == 0)); then
    usage >&2
    exit 2
fi
for arg in "$@"; do
    if [[ "$arg" == -h || "$arg" == --help ]]; then
        usage
        exit 0
    fi
done

if [[ ! -w . ]]; then
    echo "submit_launch_airflow.sh: error: the launcher's log would lie in $PWD, which cannot be written" >&2
    echo "  next: change to a folder of yours" >&2
    exit 2
fi
load_site
check_python
# Checks the whole command line and answers with the log's name and the launcher's own sbatch arguments.
mapfile -d '' -t own_args < <("$lute_python" -P -m lute.launch.arguments "$@")
wait "$!" || exit "$?"
log_name="${own_args[0]}"
for arg in "$@"; do
    # It is over in seconds, and its answer is wanted here.
    [[ "$arg" != --dry-run ]] || exec "$lute_python" "$scripts_dir/launch_airflow.py" "$@"
done
forget_enclosing_job
log_file="$(log_file_name "$log_name")"

# The run's own copy of the user's Kerberos tickets, where batch nodes see it. The launcher removes it at its end.
tickets="$("$lute_python" -P -m lute.arp.kerberos)" || tickets=""
[[ -z "$tickets" ]] || export KRB5CCNAME="$tickets"

exit_code=0
exec 3>&1
# Appending, so that a second start by Slurm keeps what the first has said.
said="$(sbatch --job-name="$log_name" --ntasks=1 --output="$log_file" --error="$log_file" --open-mode=append \
    "${own_args[@]:1}" "$scripts_dir/job_launch.sh" "$scripts_dir" "$@" 2>&1 >&3)" || exit_code="$?"
[[ -z "$said" ]] || printf '%s\n' "$said" >&2
((exit_code != 0)) || printf 'Its log: %s/%s, with the job for %%J\n' "$PWD" "$log_file" >&2
# Where sbatch got no reply there may be a job, which needs them; old copies are removed some day anyway.
if ((exit_code != 0)) && [[ -n "$tickets" && "$said" != *"timed out"* && "$said" != *"Zero Bytes"* ]]; then
    "$lute_python" -P -m lute.arp.kerberos --remove
fi
exit "$exit_code"
