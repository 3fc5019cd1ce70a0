import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MIX = ROOT / "tests" / "recordings" / "slurm" / "mix1.json"


def differ(*words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "simulators.cli", "differ", *words],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_recorded_run() -> None:
    done = differ(str(MIX), "--recorded", "rc5")
    assert done.returncode == 0, done.stderr
    assert "12 jobs of 1 mixes: 100.0% on the same nodes, 100.0% on the same cores" in done.stdout
    assert done.stdout.rstrip().endswith("the fake is within its limits")


def test_as_json() -> None:
    done = differ(str(MIX), "--recorded", "rc5", "--json")
    report = json.loads(done.stdout)
    assert report["is_within_limits"] is True
    assert report["summary"]["jobs"] == len(report["mixes"][0]["jobs"]) == 12


def test_a_run_that_the_fake_does_not_follow_exits_1(tmp_path: Path) -> None:
    raw = json.loads(MIX.read_text())
    for record in raw["runs"][0]["results"]:
        record["script_start"] += 30
        record["end"] += 30
    file = tmp_path / "late.json"
    file.write_text(json.dumps(raw))
    done = differ(str(file), "--recorded", "rc5")
    assert done.returncode == 1
    assert "the fake is NOT within its limits" in done.stdout


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "name files of job mixes"),
        (["/no/such.json"], "does not exist"),
        (["--random", "1", "--recorded", "rc5"], "random mixes have no recorded run"),
        ([str(MIX), "--recorded", "rc9"], "has no run 'rc9'"),
    ],
)
def test_wrong_usage_exits_2(words: list[str], what: str) -> None:
    done = differ(*words)
    assert done.returncode == 2
    assert what in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_without_real_slurm_the_line_that_installs_it_is_told(tmp_path: Path) -> None:
    done = differ("--random", "1", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "real Slurm needs" in done.stderr
    assert "next: apt-get install slurm-wlm munge" in done.stderr
