from itertools import pairwise
from typing import Any

import pytest

from simulators.timeline.entries import clock_text, span_text
from simulators.timeline.lanes import read_timeline
from simulators.timeline.model import Group, Lane, Timeline
from tests.simulators.timeline import samples
from tests.simulators.timeline.samples import entry, fault, header, http, job, node, task


def lane(timeline: Timeline, group: Group, name: str) -> Lane:
    (found,) = (one for one in timeline.lanes if (one.group, one.name) == (group, name))
    return found


def bars(one: Lane) -> list[tuple[float, float, str]]:
    return [(bar.start_s, bar.end_s, bar.kind) for bar in one.bars]


def names(timeline: Timeline, group: Group) -> list[str]:
    return [one.name for one in timeline.lanes if one.group is group]


def test_lanes_of_a_success_from_top_to_bottom() -> None:
    timeline = read_timeline(samples.success())
    groups = [one.group for one in timeline.lanes]
    assert groups == sorted(groups, key=list(Group).index)
    steps = ["Tester", "BinaryTester", "SocketTester"]
    assert names(timeline, Group.TASK) == steps
    assert names(timeline, Group.CLIENT) == ["launcher", *steps]
    assert names(timeline, Group.JOB) == ["1001 Tester", "1002 BinaryTester", "1003 SocketTester"]
    assert names(timeline, Group.NODE) == ["sdfmilan001"]
    assert (timeline.title, timeline.verdict) == (
        "Workflow test, scenario calm, seed 3",
        "succeeded, as expected",
    )
    assert timeline.is_good is True
    assert "3 of 3 tasks succeeded" in timeline.summary
    assert timeline.duration_s == pytest.approx(20.1)


def test_launcher() -> None:
    one = lane(read_timeline(samples.failure()), Group.LAUNCHER, "launcher")
    assert bars(one) == [(0.5, 352, "launcher")]
    assert [(mark.at_s, mark.kind) for mark in one.marks] == [
        (352, "launcher:bad"),
        (pytest.approx(0.7), "print"),
        (pytest.approx(351.9), "print"),
    ]
    assert one.marks[0].label == "exit code 1"


def test_a_launcher_without_an_end_lasts_as_long_as_the_record() -> None:
    one = lane(
        read_timeline([entry(1, "launcher-2", "start", argv=["x"]), header(t=0) | entry(9, "a", "b")]),
        Group.LAUNCHER,
        "launcher-2",
    )
    assert bars(one) == [(0, 8, "launcher")]
    assert one.marks == []
    assert "did not end" in one.bars[0].hover


def test_states_of_a_task_are_bars_and_its_last_one_a_mark() -> None:
    one = lane(read_timeline(samples.failure()), Group.TASK, "SmallDataProducer")
    assert bars(one)[2:5] == [
        (4, 35.5, "airflow:running"),
        (35.5, 65.5, "airflow:up_for_retry"),
        (65.5, 66, "airflow:scheduled"),
    ]
    assert one.bars[2].labels == ("running, try 1", "try 1")
    assert one.bars[4].labels == ("scheduled, try 2", "try 2")
    assert [(mark.at_s, mark.kind, mark.label) for mark in one.marks] == [(346, "airflow:failed", "failed")]


def test_two_runs_of_a_workflow_are_told_apart() -> None:
    timeline = read_timeline([header(), task(1, "A", "running"), task(2, "A", "running", run_id="run-2")])
    assert names(timeline, Group.TASK) == ["A (run-1)", "A (run-2)"]


def test_requests() -> None:
    one = lane(read_timeline(samples.failure()), Group.CLIENT, "SmallDataProducer")
    lost = one.marks[0]
    assert (lost.at_s, lost.since_s, lost.kind) == (35, 5, "request-failed")
    assert "timeout" in lost.hover
    kinds = [mark.kind for mark in one.marks]
    assert kinds.count("request:jid.job_statuses") == 32
    assert kinds.count("request-failed") == 7
    assert kinds.count("log:error") == kinds.count("log:warning") == 1


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ({"status": 200, "failure": None}, "request:e"),
        ({"status": 399, "failure": None}, "request:e"),
        ({"status": 400, "failure": None}, "request-failed"),
        ({"status": 200, "failure": "reset"}, "request-failed"),
        ({"status": None, "failure": None}, "request-failed"),
    ],
)
def test_a_request_has_failed(how: dict[str, Any], kind: str) -> None:
    one = lane(read_timeline([header(), http(1, "A", "e", **how)]), Group.CLIENT, "A")
    assert [mark.kind for mark in one.marks] == [kind]


def test_requests_to_airflow_are_of_three_kinds() -> None:
    endpoints = (
        "airflow.trigger",
        "airflow.get_run",
        "airflow.list_task_instances",
        "airflow.login",
        "elog.x",
    )
    requests = [http(n, "launcher", endpoint) for n, endpoint in enumerate(endpoints)]
    one = lane(read_timeline([header(), *requests]), Group.CLIENT, "launcher")
    assert [mark.kind.removeprefix("request:") for mark in one.marks] == [
        "airflow.trigger",
        "airflow.watch",
        "airflow.watch",
        "airflow",
        "elog.x",
    ]


def test_a_signal_to_a_launcher() -> None:
    entries = [
        header(),
        entry(0, "launcher", "start", argv=[]),
        entry(5, "launcher", "signal", signal="SIGTERM"),
    ]
    one = lane(read_timeline(entries), Group.LAUNCHER, "launcher")
    assert [(mark.at_s, mark.kind) for mark in one.marks] == [(5, "signal")]
    assert "SIGTERM" in one.marks[0].hover


def test_a_job_that_is_requeued_has_two_stays() -> None:
    one = lane(read_timeline(samples.failure()), Group.JOB, "1002 SmallDataProducer")
    assert bars(one) == [
        (68, 75, "job:PENDING"),
        (75, 240, "job:NODE_FAIL"),
        (241, 262, "job:PENDING"),
        (262, 340, "job:OUT_OF_MEMORY"),
    ]
    assert [(mark.at_s, mark.label) for mark in one.marks] == [(240, ""), (340, "OUT_OF_MEMORY")]
    assert "sdfmilan002, 12 cores" in one.bars[1].hover
    assert "reason: Priority, NodeDown" in one.bars[1].hover


def test_a_job_cancelled_in_the_queue_never_ran() -> None:
    timeline = read_timeline(
        [header(), job(1, 7, "A", "PENDING"), job(5, 7, "A", "CANCELLED"), node(9, "n", "up")]
    )
    one = lane(timeline, Group.JOB, "7 A")
    assert bars(one) == [(1, 5, "job:PENDING")]
    assert [mark.label for mark in one.marks] == ["CANCELLED"]
    assert [line.ran_s for line in timeline.rows[0].jobs] == [None]
    assert "never ran" in one.bars[0].hover


def test_a_job_without_an_end_runs_on() -> None:
    timeline = read_timeline(
        [
            header(),
            job(1, 7, "A", "PENDING"),
            job(2, 7, "A", "RUNNING", "n1"),
            job(3, 7, "A", "nonsense"),
            node(9, "n", "idle"),
        ]
    )
    assert bars(lane(timeline, Group.JOB, "7 A")) == [(1, 2, "job:PENDING"), (2, 9, "job:RUNNING")]
    assert bars(lane(timeline, Group.NODE, "n1")) == [(2, 9, "job:RUNNING")]
    assert names(timeline, Group.NODE) == ["n1"]


def test_nodes_and_controller() -> None:
    timeline = read_timeline(samples.failure())
    assert bars(lane(timeline, Group.NODE, "sdfmilan002")) == [
        (240, 300, "outage"),
        (75, 240, "job:NODE_FAIL"),
    ]
    assert bars(lane(timeline, Group.NODE, "Slurm controller")) == [(160, 190, "outage")]


def test_jobs_side_by_side_on_a_node_do_not_hide_each_other() -> None:
    one = lane(read_timeline(samples.success()), Group.NODE, "sdfmilan001")
    assert [bar.level for bar in one.bars] == [0, 0, 1]
    assert one.levels == 2


def test_many_jobs_of_no_task_share_a_lane() -> None:
    timeline = read_timeline(samples.long_run(polls=10))
    assert names(timeline, Group.JOB)[3:] == ["40 other jobs"]
    shared = lane(timeline, Group.JOB, "40 other jobs")
    taken = sorted((bar.level or 0, bar.start_s, bar.end_s) for bar in shared.bars)
    for (level, _, end_s), (next_level, start_s, _) in pairwise(taken):
        assert level != next_level or end_s <= start_s
    assert timeline.rows[-1].task == "(20 more jobs)"


def test_table_of_tasks() -> None:
    rows = read_timeline(samples.failure()).rows
    assert [(row.task, row.state, row.tries) for row in rows] == [
        ("SmallDataProducer", "failed", "2"),
        ("SmallDataXSSAnalyzer", "upstream_failed", "0"),
        ("SmallDataXASAnalyzer", "upstream_failed", "0"),
    ]
    assert [(line.job, line.state, line.waited_s, line.ran_s) for line in rows[0].jobs] == [
        ("1001", "COMPLETED", 35, 215),
        ("1002", "NODE_FAIL", 7, 165),
        ("1002", "OUT_OF_MEMORY", 21, 78),
    ]


def test_a_job_that_may_be_of_two_mapped_tasks_is_given_to_none() -> None:
    mapped = [task(1, "A[0]", "running"), task(1, "A[1]", "running"), job(2, 7, "A", "PENDING")]
    assert [row.task for row in read_timeline([header(), *mapped]).rows] == [
        "A[0]",
        "A[1]",
        "(no task of its own) A",
    ]
    ended = task(1.5, "A[0]", "success")
    rows = read_timeline([header(), *mapped, ended]).rows
    assert [(row.task, [line.job for line in row.jobs]) for row in rows] == [("A[0]", []), ("A[1]", ["7"])]


def test_the_trace_may_name_the_task_of_a_job() -> None:
    mapped = [
        task(1, "A[0]", "running"),
        task(1, "A[1]", "running"),
        job(2, 7, "A", "PENDING") | {"task": "A[1]"},
    ]
    rows = read_timeline([header(), *mapped]).rows
    assert [(row.task, [line.job for line in row.jobs]) for row in rows] == [("A[0]", []), ("A[1]", ["7"])]


def test_nodes_may_be_told_with_their_cores() -> None:
    entries = [
        header(),
        job(1, 7, "A", "RUNNING") | {"nodes": {"n1": 4, "n2": 8}},
        job(5, 7, "A", "COMPLETED"),
    ]
    assert names(read_timeline(entries), Group.NODE) == ["n1", "n2"]


def test_a_whole_scenario_in_the_header() -> None:
    timeline = read_timeline([header(scenario={"name": "rough", "retries": 2})])
    assert timeline.title == "Workflow test, scenario rough, seed 3"
    assert '"retries": 2' in dict(timeline.facts)["scenario"]


def test_faults_and_their_ends() -> None:
    timeline = read_timeline(samples.failure())
    assert [(one.at_s, one.end_s, one.label) for one in timeline.faults] == [
        (pytest.approx(5.2), None, "lost reply: jid.start_job of SmallDataProducer"),
        (160, 190, "down: slurm.controller"),
        (240, None, "node fails: slurm.node of sdfmilan002"),
    ]
    assert [one.cells for one in timeline.broken] == [("one_live_job_per_try", "1001 and 1002 both live")]


def test_equal_faults_end_one_by_one() -> None:
    spans = [
        fault(1, "n", "slow"),
        fault(2, "n", "slow", end=True),
        fault(3, "n", "slow"),
        fault(4, "n", "slow", end=True),
    ]
    timeline = read_timeline([header(), *spans])
    assert [(one.at_s, one.end_s) for one in timeline.faults] == [(1, 2), (3, 4)]


@pytest.mark.parametrize(
    ("verdict", "broken", "is_good", "words"),
    [
        ({"verdict": "success", "expected": "success"}, False, True, "succeeded, as expected"),
        ({"verdict": "failed", "expected": "failed"}, False, True, "failed, as expected"),
        ({"verdict": "failed", "expected": "success"}, False, False, "failed, but expected was: succeeded"),
        ({"verdict": "failed", "expected": "as expected"}, False, True, "failed, as expected"),
        ({"verdict": "success", "expected": "not as expected"}, False, False, "succeeded, not as expected"),
        ({"verdict": "success"}, False, True, "succeeded"),
        ({"verdict": "failed"}, False, False, "failed"),
        ({"verdict": "success", "expected": "success"}, True, False, "succeeded, as expected; 1 rule broken"),
    ],
)
def test_verdict(verdict: dict[str, str], broken: bool, is_good: bool, words: str) -> None:
    rule = [entry(1, "checker", "broken", checker="c", text="t")] if broken else []
    timeline = read_timeline([header(), *rule, entry(2, "world", "verdict", **verdict)])
    assert (timeline.is_good, timeline.verdict) == (is_good, words)


def test_a_record_without_verdict() -> None:
    timeline = read_timeline([header()])
    assert timeline.is_good is None
    assert timeline.verdict.startswith("no verdict")


def test_header_keys_beyond_the_title_are_told() -> None:
    timeline = read_timeline(samples.success())
    assert dict(timeline.facts) == {"airflow": "3.3.2", "version": "0.1.0", "commit": "abc123"}
    assert timeline.replay == "lute-sim world test --scenario calm --seed 3"


def test_what_is_not_known_is_left_out() -> None:
    known = samples.success()
    unknown: list[dict[str, Any]] = [
        entry(3, "slurm", "new_event", state="x"),
        {"actor": "slurm", "event": "job", "job": 1, "state": "PENDING"},
        {"t": "soon", "actor": "slurm", "event": "job", "job": 1, "state": "PENDING"},
        {"t": float("nan"), "actor": "slurm", "event": "job", "job": 1, "state": "PENDING"},
        {"t": 10**400, "actor": "slurm", "event": "job", "job": 1, "state": "PENDING"},
    ]
    assert read_timeline(known[:5] + unknown + known[5:]) == read_timeline(known)


def test_texts_lose_what_would_spoil_the_page() -> None:
    one = lane(
        read_timeline([header(), entry(1, "A\u202e", "log", text="a\nb\x00\ud800" + "x" * 5000)]),
        Group.CLIENT,
        "A ",
    )
    hover = one.marks[0].hover
    assert "a\nb  x" in hover
    assert len(hover) < 2100
    assert hover.endswith("…")


@pytest.mark.parametrize(
    ("seconds", "clock", "span"),
    [
        (0, "0:00:00", "0 ms"),
        (0.25, "0:00:00.2", "250 ms"),
        (59.96, "0:01:00", "60.0 s"),
        (75, "0:01:15", "1 min 15 s"),
        (90061.5, "25:01:01.5", "25 h 1 min 2 s"),
        (-3, "-0:00:03", "0 ms"),
    ],
)
def test_times_in_words(seconds: float, clock: str, span: str) -> None:
    assert (clock_text(seconds), span_text(seconds)) == (clock, span)
