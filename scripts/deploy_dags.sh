#!/usr/bin/env bash
# Lay out the DAG files, the operators and what they import in DIR, for an Airflow without the package
# lute: DIR is (in) its DAGs folder. Airflow puts that folder on Python's path.
set -euo pipefail

if (($# != 1)) || [[ "$1" == -* ]]; then
    echo "usage: deploy_dags.sh DIR" >&2
    exit 2
fi
mkdir -p -- "$1"
target="$(cd -- "$1" && pwd)"
lute_location="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"

# A whole new copy of the package, swapped in at the end, so that no old module stays behind.
new="$(mktemp -d -- "$target/.lute-new.XXXXXX")"
trap 'rm -rf -- "$new"' EXIT
cd -- "$lute_location/lute"
cp -rL -- __init__.py errors.py redact.py retry.py settings.py seams jid slurm workflows operators sites "$new/"
find "$new" -name __pycache__ -prune -exec rm -rf {} +
chmod -R a+rX -- "$new"
if [[ -d "$target/lute" ]]; then
    old="$(mktemp -d -- "$target/.lute-old.XXXXXX")"
    trap 'rm -rf -- "$new" "$old"' EXIT
    mv -- "$target/lute" "$old/"
fi
mv -- "$new" "$target/lute"
cp -- "$lute_location"/workflows/airflow/*.py "$target/"
ignore="$target/.airflowignore"
grep -qsx 'lute/' "$ignore" || echo 'lute/' >>"$ignore"
echo "deployed to $target: $(cd -- "$target" && echo ./*.py)"
