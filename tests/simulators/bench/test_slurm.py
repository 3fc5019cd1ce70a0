import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulators.bench.slurm import TOO_LARGE, Replay
from simulators.kernel.seeds import Seeds
from simulators.workload.generate import random_load
from simulators.workload.load import LoadJob, Outcome

ROOT = Path(__file__).resolve().parents[3]
TRACE = "; MaxProcs: 8\n" + "".join(
    f"{number} {submit} -1 {run} {procs} -1 -1 {procs} 600 -1 {status} 1 1 -1 -1 -1 -1 -1\n"
    for number, (submit, run, procs, status) in enumerate(
        [(0, 60, 4, 1), (10, 60, 8, 1), (20, 30, 4, 0), (30, 5, 4, 5), (40, 5, 9, 1), (50, -1, 1, 1)], 1
    )
)


def lute_sim(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "simulators.cli", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def bench(*words: str) -> dict[str, Any]:
    done = lute_sim("bench", "slurm", *words)
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    figures: dict[str, Any] = json.loads(line)
    return figures


def test_figures_of_three_jobs() -> None:
    jobs = [LoadJob(0, 100, 4, 600), LoadJob(0, 50, 4, 600), LoadJob(60, 10, 4, 600)]
    figures = Replay(1, 4, "bf_interval=0").run(jobs)
    assert figures["jobs"] == 3
    assert figures["final_states"] == {"COMPLETED": 3}
    assert figures["policy"] == "fifo"
    # one after the other; each start waits for the scheduler's next turn
    assert figures["makespan_s"] == pytest.approx(160, abs=10)
    assert figures["mean_wait_s"] == pytest.approx((0 + 100 + 90) / 3, abs=4)
    assert figures["utilisation"] == pytest.approx(1, abs=0.06)


def test_jobs_end_as_in_the_log() -> None:
    jobs = [
        LoadJob(0, 10, 1, 60),
        LoadJob(0, 10, 1, 60, Outcome.FAILED),
        LoadJob(0, 10, 1, 60, Outcome.CANCELLED),
        LoadJob(0, 200, 1, 60),
        LoadJob(0, 10, 3, 60),
    ]
    replay = Replay(1, 2)
    figures = replay.run(jobs)
    assert figures["final_states"] == {"CANCELLED": 1, "COMPLETED": 1, "FAILED": 1, "TIMEOUT": 1}
    assert figures["skipped"] == replay.skipped == {TOO_LARGE: 1}


def test_no_jobs_are_no_error() -> None:
    figures = Replay(1, 2).run([])
    assert (figures["jobs"], figures["makespan_s"], figures["utilisation"]) == (0, 0, 0)


def test_a_job_whose_moment_has_passed_comes_at_once() -> None:
    assert Replay(1, 2).run([LoadJob(100, 1, 1, 60), LoadJob(50, 1, 1, 60)])["jobs"] == 2


def test_the_same_load_gives_the_same_schedule() -> None:
    digests = [
        Replay(4, 32, parameters).run(random_load(Seeds(5), jobs=400, load=1.2, cpus=128, max_procs=64))[
            "digest"
        ]
        for parameters in ("", "", "bf_interval=0")
    ]
    assert digests[0] == digests[1] != digests[2]


def test_backfill_fills_gaps() -> None:
    waits_s = [
        Replay(4, 32, parameters).run(random_load(Seeds(5), jobs=400, load=0.9, cpus=128, max_procs=64))[
            "mean_wait_s"
        ]
        for parameters in ("", "bf_interval=0")
    ]
    assert waits_s[0] < 0.8 * waits_s[1]  # type: ignore[operator]


def test_jobs_that_ended_are_forgotten() -> None:
    replay = Replay(20, 128)
    most = 0

    def watched() -> Any:
        nonlocal most
        for job in random_load(Seeds(1), jobs=3000, load=0.5, cpus=20 * 128, mean_run_s=600):
            most = max(most, len(replay._controller.cluster.jobs))
            yield job

    assert replay.run(watched())["jobs"] == 3000
    assert most < 100
    assert not replay._controller.cluster.jobs
    assert not replay._loads
    assert not replay._ends


def test_a_trace(tmp_path: Path) -> None:
    file = tmp_path / "small.swf"
    file.write_text(TRACE)
    figures = bench("--trace", str(file), "--nodes", "2", "--cores", "4", "--policy", "fifo")
    assert figures["trace"] == "small.swf"
    assert figures["jobs"] == 4
    assert figures["skipped"] == {"no run time": 1, TOO_LARGE: 1}
    assert figures["final_states"] == {"CANCELLED": 1, "COMPLETED": 2, "FAILED": 1}
    assert figures["policy"] == "fifo"
    assert figures["cpu_s"] >= 0
    assert 10 < figures["peak_memory_mb"] < 300


def test_a_random_load_is_quick() -> None:
    figures = bench("--jobs", "5000", "--load", "0.7", "--seed", "3")
    assert (figures["jobs"], figures["seed"], figures["nodes"], figures["cores"]) == (5000, 3, 200, 128)
    # 5,000 is promised on a computer of its own; here others may run beside it
    assert figures["jobs_per_cpu_s"] > 1500
    assert figures["peak_memory_mb"] < 200


def test_the_benches_are_listed() -> None:
    done = lute_sim("bench")
    assert done.returncode == 0
    assert "slurm  " in done.stdout


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--trace", "/no/such.swf"], "does not exist"),
        (["--scheduler-parameters", "bf_magic=1"], "not simulated: bf_magic=1"),
        (["--policy", "lifo"], "lifo"),
        (["--jobs", "0"], "greater than or equal to 1"),
    ],
)
def test_wrong_usage_exits_2(words: list[str], what: str) -> None:
    done = lute_sim("bench", "slurm", *words)
    assert done.returncode == 2
    assert what in done.stderr
    assert "Traceback" not in done.stderr


def test_a_trace_that_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "text.swf"
    file.write_text("hello\n")
    done = lute_sim("bench", "slurm", "--trace", str(file))
    assert done.returncode == 2
    assert f"{file}:1: not a line of the Standard Workload Format" in done.stderr
