"""The benchmark of whole runs does what it says, whatever it takes."""

from simulators.bench.stack import profile_stack, run_stack, stack_scenario
from simulators.dagrunner.installed import VERSION


def test_it_counts_what_it_ran() -> None:
    found = run_stack(2, job_s=5.0)
    assert (found["bench"], found["airflow"], found["job_s"]) == ("stack", VERSION, 5.0)
    assert (found["tasks"], found["runs"], found["failed"]) == (10, 2, 0)
    for name in (
        "runs_per_cpu_s",
        "virtual_s_per_run",
        "compression",
        "requests_per_run",
        "cpu_us_per_request",
    ):
        assert float(str(found[name])) > 0


def test_all_its_jobs_last_as_long() -> None:
    (models,) = stack_scenario(7.0).tasks.values()
    assert [model.duration_s for model in models] == [7.0]


def test_the_profile_names_functions() -> None:
    text = profile_stack(1, 5.0, rows=5)
    assert "function calls" in text
    assert "simulators" in text
