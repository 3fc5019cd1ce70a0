from simulators.serve.critical_path import critical_path

DOWNSTREAM = {"a": ["b", "c"], "b": ["d"], "c": [], "d": []}


def test_the_path_leads_to_the_step_that_ended_last() -> None:
    assert critical_path({"a": 1, "b": 2, "c": 9, "d": 3}, DOWNSTREAM) == ["a", "c"]
    assert critical_path({"a": 1, "b": 2, "c": 3, "d": 4}, DOWNSTREAM) == ["a", "b", "d"]


def test_of_equal_ends_the_later_job_counts() -> None:
    assert critical_path({"a": 1, "b": 2, "c": 2, "d": 2}, DOWNSTREAM) == ["a", "b", "d"]


def test_steps_that_never_ran_are_not_on_it() -> None:
    assert critical_path({"a": 1}, DOWNSTREAM) == ["a"]
    assert critical_path({}, DOWNSTREAM) == []


def test_a_join_waits_for_its_slowest_branch() -> None:
    join = {"a": ["c"], "b": ["c"], "c": []}
    assert critical_path({"a": 5, "b": 3, "c": 9}, join) == ["a", "c"]
