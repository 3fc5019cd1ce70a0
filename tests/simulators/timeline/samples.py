"""Traces made by hand: a success, a failure with faults, a long run, hostile texts."""

import json
from collections.abc import Iterable
from typing import Any

Entry = dict[str, Any]

START_S = 1_772_000_000.0
DAG, RUN = "lute_test", "run-1"


def entry(at_s: float, actor: str, event: str, **fields: object) -> Entry:
    return {"t": START_S + at_s, "actor": actor, "event": event, **fields}


def header(**fields: object) -> Entry:
    values = {"workflow": "test", "scenario": "calm", "seed": 3, "airflow": "3.3.2", "version": "0.1.0"}
    return entry(0, "world", "header", format=1, **(values | fields))


def run(at_s: float, state: str) -> Entry:
    return entry(at_s, "airflow", "run", dag_id=DAG, run_id=RUN, state=state)


def task(at_s: float, label: str, state: str, number: int = 1, run_id: str = RUN) -> Entry:
    return entry(at_s, "airflow", "task", dag_id=DAG, run_id=run_id, task=label, state=state) | {
        "try": number
    }


def http(at_s: float, actor: str, endpoint: str, took_s: float = 0.05, **how: object) -> Entry:
    fields = {"status": 200, "failure": None} | how
    return entry(at_s, actor, "http", endpoint=endpoint, sent_s=START_S + at_s - took_s, **fields)


def job(at_s: float, number: int, name: str, state: str, *nodes: str, reason: str = "None") -> Entry:
    fields = {"job": number, "name": name, "state": state, "nodes": list(nodes), "cpus": 12, "reason": reason}
    return entry(at_s, "slurm", "job", **fields)


def node(at_s: float, name: str, state: str) -> Entry:
    return entry(at_s, "slurm", "node", node=name, state=state)


def fault(at_s: float, where: str, what: str, target: str | None = None, end: bool = False) -> Entry:
    event = "fault_end" if end else "fault"
    return entry(at_s, "faults", event, where=where, what=what, target=target, detail=f"{what} at {where}")


def step(
    at_s: float, label: str, number: int, *, wait_s: float, run_s: float, node_name: str, poll_s: float = 5.0
) -> list[Entry]:
    """A step of a workflow from its schedule to success."""
    sent_s = at_s + 1.2
    start_s = sent_s + wait_s
    end_s = start_s + run_s
    polls = int((end_s + 2 - sent_s) / poll_s)
    return [
        task(at_s, label, "scheduled"),
        task(at_s + 0.4, label, "queued"),
        task(at_s + 0.9, label, "running"),
        job(sent_s, number, label, "PENDING", reason="Priority"),
        http(sent_s + 0.1, label, "jid.start_job", 0.3),
        entry(sent_s + 0.1, label, "log", level="INFO", text=f"started Slurm job {number}"),
        task(sent_s + 0.2, label, "deferred"),
        *(http(sent_s + (n + 1) * poll_s, label, "jid.job_statuses") for n in range(polls)),
        job(start_s, number, label, "RUNNING", node_name),
        job(end_s, number, label, "COMPLETING", node_name),
        job(end_s + 0.3, number, label, "COMPLETED", node_name),
        http(end_s + 2.1, label, "jid.job_log_file"),
        entry(end_s + 2.2, label, "log", level="INFO", text="the job is DONE"),
        task(end_s + 2, label, "scheduled"),
        task(end_s + 2.05, label, "running"),
        task(end_s + 2.4, label, "success"),
    ]


def ordered(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda one: one["t"])


def launcher(start_s: float, end_s: float, exit_code: int) -> list[Entry]:
    return [
        entry(start_s, "launcher", "start", argv=["launch_airflow", "-c", "test.yaml", "-w", "test"]),
        entry(start_s + 0.2, "launcher", "print", text="launched DAG lute_test"),
        http(start_s + 0.1, "launcher", "airflow.create_run", 0.08),
        entry(end_s - 0.1, "launcher", "print", text="the run has ended"),
        entry(end_s, "launcher", "end", exit_code=exit_code),
    ]


def success() -> list[Entry]:
    """Three steps in 20 seconds, all well."""
    return [
        header(replay="lute-sim world test --scenario calm --seed 3", commit="abc123"),
        *ordered(
            [
                *launcher(0.1, 20, 0),
                run(0.3, "queued"),
                run(0.6, "running"),
                *step(0.8, "Tester", 1001, wait_s=1, run_s=3, node_name="sdfmilan001", poll_s=0.5),
                *step(9, "BinaryTester", 1002, wait_s=0.5, run_s=4, node_name="sdfmilan001", poll_s=0.5),
                *step(9.1, "SocketTester", 1003, wait_s=1.5, run_s=3, node_name="sdfmilan001", poll_s=0.5),
                run(19.4, "success"),
            ]
        ),
        entry(20.1, "world", "verdict", verdict="success", expected="success"),
    ]


def failure() -> list[Entry]:
    """Six minutes: a reply lost, a retry that starts a second job, a node that fails, a rule broken."""
    label = "SmallDataProducer"
    return [
        header(
            workflow="smd_summaries", scenario="lost_start_job_reply", replay="lute-sim world smd --seed 3"
        ),
        *ordered(
            [
                *launcher(0.5, 352, 1),
                run(1, "queued"),
                run(2, "running"),
                task(2.5, label, "scheduled"),
                task(3, label, "queued"),
                task(4, label, "running"),
                job(5, 1001, label, "PENDING", reason="Resources"),
                fault(5.2, "jid.start_job", "lost_reply", label),
                http(35, label, "jid.start_job", 30, status=None, failure="timeout"),
                entry(35.1, label, "log", level="ERROR", text="no reply to start_job: look before you retry"),
                task(35.5, label, "up_for_retry"),
                job(40, 1001, label, "RUNNING", "sdfmilan001"),
                task(65.5, label, "scheduled", 2),
                task(66, label, "queued", 2),
                task(67, label, "running", 2),
                job(68, 1002, label, "PENDING", reason="Priority"),
                http(68.3, label, "jid.start_job", 0.4),
                task(68.6, label, "deferred", 2),
                entry(
                    69,
                    "checker",
                    "broken",
                    checker="one_live_job_per_try",
                    text="1001 and 1002 both live",
                ),
                job(75, 1002, label, "RUNNING", "sdfmilan002"),
                *(http(70 + n * 5, label, "jid.job_statuses") for n in range(18)),
                fault(160, "slurm.controller", "down"),
                entry(160, "slurm", "controller", state="down"),
                *(
                    http(162 + n * 5, label, "jid.job_statuses", 0.2, status=500, failure=None)
                    for n in range(6)
                ),
                entry(162, label, "log", level="WARNING", text="the JID says: Slurm does not answer"),
                entry(190, "slurm", "controller", state="up"),
                fault(190, "slurm.controller", "down", end=True),
                *(http(195 + n * 5, label, "jid.job_statuses") for n in range(13)),
                fault(240, "slurm.node", "node_fails", "sdfmilan002"),
                node(240, "sdfmilan002", "down"),
                job(240, 1002, label, "NODE_FAIL", "sdfmilan002", reason="NodeDown"),
                job(241, 1002, label, "PENDING", reason="BeginTime"),
                job(255, 1001, label, "COMPLETING", "sdfmilan001"),
                job(256, 1001, label, "COMPLETED", "sdfmilan001"),
                job(262, 1002, label, "RUNNING", "sdfmilan001"),
                node(300, "sdfmilan002", "idle"),
                job(340, 1002, label, "OUT_OF_MEMORY", "sdfmilan001", reason="OutOfMemory"),
                http(345, label, "jid.job_statuses"),
                http(345.4, label, "jid.job_log_file"),
                task(345, label, "scheduled", 2),
                task(345.2, label, "running", 2),
                task(346, label, "failed", 2),
                task(346.5, "SmallDataXSSAnalyzer", "upstream_failed", 0),
                task(346.6, "SmallDataXASAnalyzer", "upstream_failed", 0),
                run(347, "failed"),
            ]
        ),
        entry(353, "world", "verdict", verdict="failed", expected="success"),
    ]


def long_run(polls: int = 2000) -> list[Entry]:
    """Six hours, thousands of polls, forty jobs of other users."""
    others = [
        one
        for n in range(40)
        for one in (
            job(n * 400, 5000 + n, f"other{n}", "PENDING", reason="Priority"),
            job(n * 400 + 300, 5000 + n, f"other{n}", "RUNNING", f"sdfmilan00{n % 4 + 1}"),
            job(n * 400 + 300 + 2500, 5000 + n, f"other{n}", "COMPLETED", f"sdfmilan00{n % 4 + 1}"),
        )
    ]
    hours = 3600.0
    return [
        header(workflow="find_peaks_index", scenario="long", seed=11),
        *ordered(
            [
                *launcher(1, 5.95 * hours, 0),
                run(2, "queued"),
                run(3, "running"),
                *step(
                    5,
                    "PeakFinderPyAlgos",
                    6001,
                    wait_s=1800,
                    run_s=2.4 * hours,
                    node_name="sdfmilan001",
                    poll_s=2.9 * hours / polls,
                ),
                *step(
                    2.95 * hours,
                    "CrystFELIndexer",
                    6002,
                    wait_s=900,
                    run_s=2 * hours,
                    node_name="sdfmilan002",
                    poll_s=60,
                ),
                *step(
                    5.3 * hours,
                    "PartialatorMerger",
                    6003,
                    wait_s=20,
                    run_s=0.5 * hours,
                    node_name="sdfmilan003",
                    poll_s=60,
                ),
                run(5.9 * hours, "success"),
                *others,
            ]
        ),
        entry(6 * hours, "world", "verdict", verdict="success", expected="success"),
    ]


HOSTILE = '<script>document.documentElement.dataset.error="owned"</script><img src=x onerror=alert(1)>'


def hostile() -> list[Entry]:
    """Every text is an attack: tags, links in plotly's HTML, controls, right-to-left, half a surrogate."""
    name = f"{HOSTILE}\u202e\x00\ud800"
    link = '<a href="https://example.org/">here</a>'
    return [
        header(workflow=name, scenario=link, replay=f"x {HOSTILE}", extra={"a": HOSTILE})
        | {HOSTILE: HOSTILE},
        entry(0, name, "start", argv=[HOSTILE, link]),
        entry(0.5, name, "print", text=f"{link}\n{HOSTILE * 100}"),
        run(1, name),
        task(1, name, "running"),
        task(2, link, "success"),
        task(2, "%{y} $x^2$ </script>", "running"),
        http(2, name, HOSTILE, failure=HOSTILE),
        http(2, name, HOSTILE),
        entry(2, name, "log", level=HOSTILE, text=HOSTILE),
        job(2, 1, name, "PENDING", reason=HOSTILE),
        job(3, 1, name, "RUNNING", HOSTILE, link),
        node(3, link, HOSTILE),
        fault(4, HOSTILE, HOSTILE, link),
        entry(5, "checker", "broken", checker=HOSTILE, text=link),
        entry(6, "world", "verdict", verdict=HOSTILE, expected=link),
    ]


def lines(entries: Iterable[Entry]) -> str:
    return "".join(json.dumps(one) + "\n" for one in entries)
