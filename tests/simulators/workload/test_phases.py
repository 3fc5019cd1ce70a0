import pytest

from simulators.slurm.conf import Latencies
from simulators.workload.mix import JobRecord, MixRun
from simulators.workload.phases import COMPLETION_S, LAUNCH_S, latencies_of


def run(*starts: tuple[str, float], origin_s: float | None = None) -> MixRun:
    records = tuple(
        JobRecord(
            name=str(number),
            script_start_s=start_s,
            end_s=start_s + 1,
            nodelist="n",
            started_by=started_by,
            cpu_ids=(),
            state_reason_seq=((start_s + 1, "COMPLETED", "None"),),
        )
        for number, (started_by, start_s) in enumerate(starts)
    )
    return MixRun(run="r", origin_posix_s=origin_s, results=records)


def test_backfill_tells_its_moment_in_the_second() -> None:
    latencies = latencies_of(run(("Backfill", 1.3), ("Main", 2.9), ("Backfill", 7.34), origin_s=1000.5))
    assert latencies.backfill_phase_s == pytest.approx(0.82 - LAUNCH_S)
    assert latencies.main_phase_s == pytest.approx(0.89 - LAUNCH_S)
    assert (latencies.launch_s, latencies.completion_s) == (LAUNCH_S, COMPLETION_S)


def test_the_end_of_a_second_is_near_its_beginning() -> None:
    phase_s = latencies_of(run(("Backfill", 0.98 + LAUNCH_S), ("Backfill", 2.04 + LAUNCH_S))).backfill_phase_s
    assert phase_s == pytest.approx(0.01)


def test_a_main_loop_that_started_nothing_runs_just_before_jobs_end() -> None:
    latencies = latencies_of(run(("Backfill", 1.5 + LAUNCH_S)))
    assert 0 < latencies.main_phase_s - latencies.backfill_phase_s < LAUNCH_S + COMPLETION_S


def test_without_backfill_there_is_nothing_to_tell_it() -> None:
    assert latencies_of(run(("Main", 1.5))).backfill_phase_s == Latencies().backfill_phase_s
