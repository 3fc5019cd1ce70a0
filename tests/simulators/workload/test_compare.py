import pytest

from simulators.workload.compare import compare, summarise
from simulators.workload.mix import JobRecord, MixRun


def record(
    name: str, start_s: float, nodelist: str = "n1", cores: str = "0-1", state: str = "COMPLETED"
) -> JobRecord:
    return JobRecord(
        name=name,
        script_start_s=start_s,
        end_s=start_s + 10,
        nodelist=nodelist,
        started_by="Main",
        cpu_ids=(f"Nodes={nodelist} CPU_IDs={cores}",),
        state_reason_seq=((start_s + 10, state, "None"),),
    )


def run(*records: JobRecord) -> MixRun:
    return MixRun(run="r", results=records)


def test_equal_runs() -> None:
    same = run(record("a", 1), record("b", 2, "n[1-2]"))
    summary = summarise([compare("m", same, same)])
    assert (summary.mixes, summary.jobs, summary.same_nodes, summary.same_cores) == (1, 2, 1, 1)
    assert (summary.max_start_error_s, summary.max_makespan_error_percent, summary.swapped_pairs) == (0, 0, 0)
    assert summary.is_within_limits


def test_what_differs_is_told() -> None:
    expected = run(record("a", 0), record("b", 30, "n[1-2]"), record("c", 40))
    actual = run(record("b", 31, "n[1,2]"), record("c", 38.5, state="TIMEOUT"), record("a", 0.5, "n2", "4-5"))
    comparison = compare("m", expected, actual)
    told = {
        job.expected.name: (job.start_error_s, job.same_nodes, job.same_cores, job.same_state)
        for job in comparison.jobs
    }
    assert told == {
        "a": (0.5, False, False, True),
        "b": (1, True, True, True),
        "c": (-1.5, True, True, False),
    }
    assert comparison.makespan_s == 50
    assert comparison.makespan_error_percent == pytest.approx(3)
    summary = summarise([comparison])
    assert summary.same_nodes == pytest.approx(2 / 3)
    assert summary.median_start_error_s == 1
    assert not summary.is_within_limits


def test_the_order_of_starts() -> None:
    expected = run(record("a", 0), record("b", 5), record("c", 5.5))
    actual = run(record("a", 7), record("b", 5), record("c", 4.2))
    # b and c start within a second of each other on the one, so they have no order
    assert compare("m", expected, actual).swapped == (("a", "b"), ("a", "c"))


def test_the_makespan_counts_by_its_median() -> None:
    comparisons = [
        compare(str(number), run(record("a", 90)), run(record("a", 90 + error_s)))
        for number, error_s in enumerate((0.5, 0.9, 9))
    ]
    summary = summarise(comparisons)
    assert summary.median_makespan_error_percent == pytest.approx(0.9)
    assert summary.max_makespan_error_percent == pytest.approx(9)
    assert summary.is_within_limits


def test_nothing_has_no_summary() -> None:
    with pytest.raises(ValueError, match="nothing to summarise"):
        summarise([])
