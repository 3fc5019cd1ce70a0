"""For each checker, histories that break its invariant, and such that just do not."""

from dataclasses import replace
from pathlib import Path

import pytest

from simulators.checkers.all import CHECKERS, check
from simulators.checkers.model import Facts, Registry
from simulators.checkers.no_job_left import GRACE_S
from tests.simulators.checkers.story import FACTS, RUN, Story, broken

LONG_S = GRACE_S + 1
TITLE = "Tester: success (try 1, Slurm job 1)"


def healthy() -> Story:
    """Return a run of one task in which all is well."""
    return (
        Story()
        .launched()
        .run(1, "queued")
        .run(2, "running")
        .task(3, "running")
        .job(4, "PENDING")
        .job(5, "RUNNING", nodes={"sdfmilan001": 4})
        .http(6, "Tester", "jid.job_statuses")
        .job(20, "COMPLETED")
        .http(21, "Tester", "jid.job_log_file")
        .task(22, "success")
        .run(23, "success")
        .says(24, TITLE)
        .says(25, "Workflow test: success")
        .ended(25, 0)
    )


def test_a_healthy_run_breaks_nothing() -> None:
    facts = replace(FACTS, caps={"Tester": 4}, secrets=("token",), steps=frozenset({"Tester"}))
    assert check(healthy().history, facts) == []


def test_every_checker_says_in_a_sentence_what_it_is_about() -> None:
    for name, found in CHECKERS.items():
        assert found.name == name
        assert found.about.endswith(".")
        assert found.about[0].isupper()


def test_every_checker_has_its_cases_here() -> None:
    text = Path(__file__).read_text()
    assert [name for name in CHECKERS if f'broken("{name}"' not in text] == []


def test_a_checker_is_registered_under_its_name() -> None:
    registry = Registry()

    @registry
    def nothing(history, facts):  # type: ignore[no-untyped-def]
        """Nothing is wrong.

        More.
        """
        return iter(())

    assert (registry["nothing"].name, registry["nothing"].about) == ("nothing", "Nothing is wrong.")


# ends_in_time


def test_what_has_not_ended_is_named() -> None:
    facts = replace(FACTS, ended=False)
    story = Story().launched().run(1, "running").task(2, "running").job(3, "PENDING")
    (text,) = broken("ends_in_time", story, facts)
    assert text == f"after 3600 s not ended: launcher, run {RUN} (running), job 1 of Tester"
    assert broken("ends_in_time", story, FACTS) == []


def test_a_killed_launcher_has_ended_and_its_run_may_go_on_in_time() -> None:
    facts = replace(FACTS, ended=False)
    story = Story().launched().run(1, "running").add(2, "launcher", "signal", signal="SIGKILL").ended(2, None)
    assert broken("ends_in_time", story, facts) == [f"after 3600 s not ended: run {RUN} (running)"]
    assert broken("ends_in_time", healthy(), facts) == ["after 3600 s not ended: a process of Airflow"]


# caps_hold


@pytest.mark.parametrize(
    ("task", "cpus", "is_broken"),
    [("Tester", 4, False), ("Tester", 5, True), ("Tester#2", 5, True), ("Tester[3]", 5, True),
     ("Tester[3]#2", 5, True), ("Other", 99, False)],
)  # fmt: skip
def test_a_job_has_no_more_cores_than_its_cap(task: str, cpus: int, is_broken: bool) -> None:
    story = Story().job(1, "PENDING", task=task, cpus=cpus)
    assert bool(broken("caps_hold", story, replace(FACTS, caps={"Tester": 4}))) is is_broken


# never_oversubscribed


def full(node: str = "sdfmilan001", cores: int = 128) -> Story:
    return Story().job(1, "PENDING").job(2, "RUNNING", nodes={node: cores})


def test_a_node_can_be_full_and_not_fuller() -> None:
    assert broken("never_oversubscribed", full()) == []
    assert broken("never_oversubscribed", full(cores=129)) == [
        "129 cores of sdfmilan001 were held at once, it has 128"
    ]
    both = full().job(3, "PENDING", 2).job(4, "RUNNING", 2, nodes={"sdfmilan001": 1})
    assert len(broken("never_oversubscribed", both)) == 1


@pytest.mark.parametrize(("start_s", "is_broken"), [(9.0, True), (10.0, True), (11.0, False), (12.0, False)])
def test_cores_are_free_once_their_job_has_completed(start_s: float, is_broken: bool) -> None:
    story = full().job(10, "COMPLETING").job(11, "COMPLETED")
    story.job(3, "PENDING", 2).job(start_s, "RUNNING", 2, nodes={"sdfmilan001": 1})
    assert bool(broken("never_oversubscribed", story)) is is_broken


def test_a_requeued_job_holds_what_it_held_each_time() -> None:
    story = full().job(10, "PENDING").job(20, "RUNNING", nodes={"sdfmilan002": 128}).job(30, "COMPLETED")
    story.job(3, "PENDING", 2).job(4, "RUNNING", 2, nodes={"sdfmilan002": 128}).job(20, "COMPLETED", 2)
    assert broken("never_oversubscribed", story) == []
    story.job(3, "PENDING", 3).job(12, "RUNNING", 3, nodes={"sdfmilan002": 1})
    assert len(broken("never_oversubscribed", story)) == 1


def test_a_cluster_of_its_own_has_its_own_nodes() -> None:
    facts = replace(FACTS, partitions={"tiny": {"one": 2}})
    assert broken("never_oversubscribed", full("one", 2), facts) == []
    assert len(broken("never_oversubscribed", full("one", 3), facts)) == 1
    assert len(broken("never_oversubscribed", full(), facts)) == 1


# one_live_job_per_try


def test_a_try_submits_one_job() -> None:
    story = Story().ran(1, 5).ran(6, 9, 2)
    assert broken("one_live_job_per_try", story) == ["Tester try 1 submitted jobs 1 and 2"]
    assert broken("one_live_job_per_try", Story().ran(1, 5).ran(5, 9, 2, number=2)) == []
    assert broken("one_live_job_per_try", Story().ran(1, 5).ran(6, 9, 2, task="Other")) == []
    assert broken("one_live_job_per_try", Story().ran(1, 5).ran(6, 9, 2, task="Tester#2")) == []


def test_the_next_try_waits_for_the_last_ones_job() -> None:
    story = Story().ran(1, 7).ran(6, 9, 2, number=2)
    assert broken("one_live_job_per_try", story) == ["Tester try 2 submitted job 2 beside job 1"]
    still = Story().job(1, "PENDING").ran(6, 9, 2, number=2)
    assert len(broken("one_live_job_per_try", still)) == 1


def test_jobs_of_a_try_are_seen_with_another_between_them() -> None:
    story = Story().ran(1, 2).ran(3, 4, 2, number=2).ran(5, 6, 3, number=1)
    assert broken("one_live_job_per_try", story) == ["Tester try 1 submitted jobs 1 and 3"]
    story = Story().job(1, "PENDING").ran(3, 4, 2, number=2).ran(5, 6, 3, number=3)
    assert len(broken("one_live_job_per_try", story)) == 2


# no_job_left, no_job_after_task


@pytest.mark.parametrize("state", ["success", "failed", "deleted"])
def test_no_job_outlives_its_run_by_more_than_the_grace(state: str) -> None:
    for late_s, is_broken in ((GRACE_S, False), (LONG_S, True)):
        story = Story().run(0, "running").job(1, "PENDING").run(10, state).job(10 + late_s, "COMPLETED")
        assert bool(broken("no_job_left", story)) is is_broken


def test_a_job_that_never_ends_is_left() -> None:
    story = Story().run(0, "running").job(1, "PENDING").run(10, "failed").add(10 + LONG_S, "world", "x")
    assert len(broken("no_job_left", story)) == 1


def test_jobs_belong_to_their_own_run() -> None:
    story = Story().run(0, "running", "a").run(1, "running", "b").run(2, "failed", "a")
    story.ran(1, 99, 1, task="Tester#2")
    assert broken("no_job_left", story) == []
    assert len(broken("no_job_left", story.run(3, "failed", "b"))) == 1


@pytest.mark.parametrize(
    ("end_s", "endpoint", "status", "failure", "is_broken"),
    [
        (300, "airflow.get_run", None, "refused", False),
        (300, "airflow.get_run", 503, None, False),
        (300, "jid.job_statuses", None, "refused", True),
        (300, "airflow.get_run", 200, None, True),
        (400, "airflow.get_run", None, "refused", True),
    ],
)
def test_while_the_launcher_cannot_see_the_end_its_sweep_is_not_late(
    end_s: float, endpoint: str, status: int | None, failure: str | None, is_broken: bool
) -> None:
    story = Story().run(0, "running").job(1, "PENDING").run(10, "failed")
    for at_s in (9, 40, 190):
        story.http(at_s, endpoint=endpoint, status=status, failure=failure)
    story.http(210).job(end_s, "COMPLETED")
    assert bool(broken("no_job_left", story)) is is_broken


def test_a_launcher_that_never_sees_airflow_again_excuses_nothing() -> None:
    story = Story().run(0, "running").job(1, "PENDING").run(10, "failed")
    story.http(9, status=None, failure="refused").job(10 + LONG_S, "COMPLETED")
    assert len(broken("no_job_left", story)) == 1


@pytest.mark.parametrize("state", ["success", "failed", "skipped"])
def test_no_job_outlives_its_task_by_more_than_the_grace(state: str) -> None:
    for late_s, is_broken in ((GRACE_S, False), (LONG_S, True)):
        story = Story().run(0, "running").task(1, "running").job(2, "PENDING")
        story.task(10, state).job(10 + late_s, "COMPLETED")
        assert bool(broken("no_job_after_task", story)) is is_broken


def test_the_job_of_a_later_try_is_not_that_of_an_earlier_one() -> None:
    story = Story().run(0, "running").task(1, "running").ran(2, 9).task(10, "up_for_retry")
    story.task(20, "running", 2).ran(21, 99, 2, number=2).task(100, "success", 2)
    assert broken("no_job_after_task", story) == []


# success_only_when_done, failed_only_for_a_reason


@pytest.mark.parametrize("end", ["FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PENDING", "COMPLETING"])
def test_success_needs_a_job_that_completed(end: str) -> None:
    story = Story().run(0, "running").ran(1, 9, end=end).task(10, "success")
    assert broken("success_only_when_done", story) == [f"Tester is a success, its job 1 ended as {end}"]
    assert broken("success_only_when_done", story.task(11, "failed")) == []
    assert broken("success_only_when_done", healthy()) == []


def test_success_before_the_job_has_completed_is_a_lie_even_if_it_does_later() -> None:
    early = Story().run(0, "running").job(1, "PENDING").task(5, "success").job(9, "COMPLETED")
    assert broken("success_only_when_done", early) == ["Tester is a success, its job 1 ran on for 4.0 s"]
    later = Story().run(0, "running").job(1, "PENDING").job(5, "COMPLETED").task(5, "success")
    assert broken("success_only_when_done", later) == []


def test_the_last_job_counts() -> None:
    story = Story().run(0, "running").ran(1, 9, end="FAILED").ran(10, 20, 2, number=2).task(21, "success", 2)
    assert broken("success_only_when_done", story) == []


def test_a_step_that_never_had_a_job_is_no_success() -> None:
    story = Story().run(0, "running").task(1, "running").task(2, "success")
    facts = replace(FACTS, steps=frozenset({"Tester"}))
    assert broken("success_only_when_done", story, facts) == ["Tester is a success and had no job"]
    assert broken("success_only_when_done", story) == []


def test_who_is_marked_is_excused_and_nobody_else() -> None:
    story = Story().run(0, "running", "a").run(1, "running", "b")
    story.ran(2, 9, 1, end="FAILED").ran(3, 9, 2, end="FAILED", task="Tester#2")
    story.task(10, "success", run_id="a").task(10, "success", run_id="b")
    story.fault(9, "mark_task", "airflow.task", "Tester#2")
    assert broken("success_only_when_done", story) == ["Tester is a success, its job 1 ended as FAILED"]


def test_a_task_fails_only_if_its_job_did_or_something_else_went_wrong() -> None:
    def story() -> Story:
        return Story().run(0, "running").ran(1, 9).task(10, "failed")

    text = ["Tester failed, its job 1 completed and nothing else went wrong"]
    assert broken("failed_only_for_a_reason", story()) == text
    assert broken("failed_only_for_a_reason", story().fault(5, "log", "log.file", "Tester")) == text
    assert broken("failed_only_for_a_reason", story().fault(5, "refused")) == []
    assert broken("failed_only_for_a_reason", story(), replace(FACTS, forgets_soon=True)) == []
    failed = Story().run(0, "running").ran(1, 9, end="FAILED").task(10, "failed")
    assert broken("failed_only_for_a_reason", failed) == []


# launcher_tells_the_truth


def followed(*states: str) -> Story:
    """Return a launcher that followed a run through these states, one a second."""
    story = Story().launched()
    for second, state in enumerate(states, start=1):
        story.run(second, state)
    return story


LIES = "launcher_tells_the_truth"


def test_exit_0_means_success() -> None:
    assert broken("launcher_tells_the_truth", followed("running", "success").ended(9, 0)) == []
    assert broken(LIES, followed("running", "failed").ended(9, 0)) == [
        "launcher exits with 0, its run is failed"
    ]
    assert broken(LIES, followed("running").ended(9, 0)) == ["launcher exits with 0, its run is running"]
    assert broken(LIES, Story().launched().ended(9, 0)) == ["launcher exits with 0, its run is none"]


def test_a_run_that_is_changed_after_the_launchers_end_does_not_make_it_a_liar() -> None:
    assert broken(LIES, followed("running", "success").ended(3, 0).run(4, "running").run(9, "failed")) == []
    assert broken(LIES, followed("running", "failed").ended(3, 1).run(4, "running").run(9, "success")) == []
    assert len(broken(LIES, followed("running").ended(3, 0).run(9, "success"))) == 1


def test_exit_1_means_that_the_run_failed_or_that_a_reason_is_given() -> None:
    assert broken(LIES, followed("running", "failed").ended(9, 1)) == []
    assert broken(LIES, followed("running", "success").ended(9, 1)) == [
        "launcher exits with 1 and gives no reason, its run is success"
    ]
    reason = "launch_airflow.py: error: Airflow cannot be reached: ReadTimeout"
    assert broken(LIES, followed("running").says(8, reason).ended(9, 1)) == []


def test_who_lost_airflow_is_excused_only_if_airflow_was_lost() -> None:
    def story() -> Story:
        return followed("running", "success").says(8, "launch_airflow.py: error: no idea").ended(9, 1)

    assert broken(LIES, story()) == [
        "launcher exits with 1, its run is a success and Airflow always answered"
    ]
    assert broken(LIES, story().http(7, status=502)) == []
    assert broken(LIES, story().http(7, status=None, failure="reset")) == []
    assert broken(LIES, story().fault(7, "malformed", "airflow.*", "launcher")) == []
    assert len(broken(LIES, story().http(7, "Tester", status=502))) == 1


def test_who_was_interrupted_is_excused_only_if_somebody_did_that() -> None:
    for code in (None, 143):
        story = followed("running").ended(9, code)
        assert len(broken(LIES, story)) == 1
        assert broken(LIES, story.add(9, "launcher", "signal", signal="SIGTERM")) == []


def test_a_crash_is_told() -> None:
    story = followed("running", "failed").ended(9, 1, crash="TypeError: no")
    assert broken(LIES, story) == ["launcher crashes: TypeError: no"]
    assert broken(LIES, followed("running")) == []  # it has not ended


def test_launchers_are_judged_by_the_runs_that_they_launched_whatever_the_order() -> None:
    story = Story().launched(0, "launcher", "second").launched(0, "launcher-2", "first")
    story.run(1, "queued", "first").run(2, "queued", "second").run(3, "success", "first").run(
        4, "failed", "second"
    )
    assert broken(LIES, story.ended(9, 1).ended(9, 0, "launcher-2")) == []


# each_log_once


def logged(
    *titles: str, states: tuple[tuple[float, str, int], ...] = ((1, "running", 1), (9, "success", 1))
) -> Story:
    story = Story().launched().run(0, "running")
    for at_s, state, number in states:
        story.task(at_s, state, number)
    for title in titles:
        story.says(100, title)
    return story.run(100, "success").says(101, "Workflow test: success").ended(101, 0)


def test_a_log_is_printed_once() -> None:
    assert broken("each_log_once", logged(TITLE)) == []
    assert broken("each_log_once", logged(TITLE, TITLE)) == [
        "launcher prints the log of Tester, try 1, 2 times"
    ]
    assert broken("each_log_once", logged()) == ["launcher does not print the log of Tester, try 1"]


RETRIED = ((1, "running", 1), (9, "up_for_retry", 1), (50, "running", 2), (60, "success", 2))


def test_the_log_of_each_try_is_printed_if_there_was_time_to_see_its_end() -> None:
    second = "Tester: success (try 2, Slurm job 2)"
    first = "Tester: up_for_retry (try 1, Slurm job 1)"
    assert broken("each_log_once", logged(first, second, states=RETRIED)) == []
    assert broken("each_log_once", logged(second, states=RETRIED)) == [
        "launcher does not print the log of Tester, try 1"
    ]
    assert broken("each_log_once", logged(first, states=RETRIED)) == [
        "launcher does not print the log of Tester, try 2"
    ]
    short = ((1, "running", 1), (9, "up_for_retry", 1), (12, "running", 2), (60, "success", 2))
    assert broken("each_log_once", logged(second, states=short)) == []
    assert broken("each_log_once", logged(second, states=RETRIED).http(20, status=502)) == []


def test_tries_and_labels_that_end_in_digits_are_told_apart() -> None:
    story = logged(TITLE, "Tester1: success (try 1, Slurm job 2)", "Tester: failed (try 11, Slurm job 3)")
    assert broken("each_log_once", story) == []


def test_a_task_that_never_ran_and_a_launcher_that_left_early_owe_no_log() -> None:
    assert broken("each_log_once", logged(states=((1, "scheduled", 0), (9, "failed", 0)))) == []
    early = Story().launched().run(0, "running").task(1, "running").task(2, "success")
    assert broken("each_log_once", early.says(3, "launch_airflow.py: error: x").ended(3, 1)) == []
    assert broken("each_log_once", logged(TITLE).task(500, "running", 2).task(600, "success", 2)) == []


def test_a_try_fetches_its_log_once_unless_a_fault_ate_it() -> None:
    story = Story().ran(1, 9).http(10, "Tester", "jid.job_log_file")
    assert broken("each_log_once", story) == []
    story.http(11, "Tester", "jid.job_log_file")
    assert broken("each_log_once", story) == ["Tester fetched its log 2 times for 1 jobs"]
    assert broken("each_log_once", story.fault(10, "malformed", "jid.job_log_file", "Tester")) == []
    failed = Story().ran(1, 9).http(10, "Tester", "jid.job_log_file")
    assert broken("each_log_once", failed.http(11, "Tester", "jid.job_log_file", 502)) == []


@pytest.mark.parametrize(("restart_s", "is_broken"), [(10.2, False), (9.5, False), (12.5, True)])
def test_a_log_that_a_triggerer_could_not_hand_on_is_fetched_again(restart_s: float, is_broken: bool) -> None:
    story = Story().ran(1, 9).http(10, "triggerer", "jid.job_log_file")
    story.fault(restart_s, "triggerer_restart", "airflow.triggerer").http(80, "triggerer", "jid.job_log_file")
    assert bool(broken("each_log_once", story)) is is_broken


# request_budget


def asking(times: int, interval_s: float) -> Story:
    story = Story().ran(0, 9999)
    for number in range(times):
        story.http(number * interval_s, "Tester", "jid.job_statuses")
    return story


def test_status_requests_stay_within_their_budget() -> None:
    assert broken("request_budget", asking(40, 0.1)) == []
    assert len(broken("request_budget", asking(50, 0.1))) == 1
    assert broken("request_budget", asking(500, 5.0)) == []
    assert len(broken("request_budget", asking(500, 3.0))) == 1
    assert broken("request_budget", asking(50, 0.1).fault(1, "reset", target="Tester")) == []


# no_secret

SECRET = replace(FACTS, secrets=("s3cr3t",))


def test_a_secret_stands_nowhere() -> None:
    assert broken("no_secret", healthy(), SECRET) == []
    assert broken("no_secret", healthy().log(9, "Tester", "conf: s3cr3t"), SECRET) == [
        "a token stands in the log of Tester"
    ]
    assert broken("no_secret", healthy().says(9, "Bearer s3cr3t"), SECRET) == [
        "a token stands in the output of launcher"
    ]
    facts: Facts = replace(SECRET, texts={"XCom log of Tester": "it is s3cr3t", "other": "fine"})
    assert broken("no_secret", healthy(), facts) == ["a token stands in XCom log of Tester"]
