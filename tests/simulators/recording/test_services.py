"""The recorded JID by itself, and how a course of states is told again."""

import json
from typing import Any

from simulators.net.messages import HttpReply, HttpRequest
from simulators.recording.course import Course
from simulators.recording.names import Names, conf_names
from simulators.recording.reader import load_recording
from simulators.recording.recorded_airflow import RecordedAirflow, triggers
from simulators.recording.recorded_jid import RecordedJid
from simulators.recording.stage import Stage
from tests.simulators.recording.samples import AIRFLOW3


class World:
    """The JID of a recording, at a time that the test sets."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.stage = Stage(lambda: self.now_s)
        recording = load_recording(AIRFLOW3)
        self.started = [found for found in recording.of("jid") if found.path.endswith("/start_job")]
        self.jid = RecordedJid(recording, self.stage)

    def ask(self, path: str, body: Any) -> HttpReply:
        headers = {"authorization": "Bearer abcdefgh"}
        url = f"http://jid.virtual:8446/jid/ws{path}"
        return self.jid.handle(HttpRequest("POST", url, headers, json.dumps(body).encode()))

    def start(self, task: str) -> dict[str, Any]:
        (document,) = (found.asked for found in self.started if found.asked["def"]["name"] == task)
        return dict(json.loads(self.ask("/mfxl1000126/start_job", document).body)["value"])


def statuses(reply: HttpReply) -> list[str]:
    return [document["status"] for document in json.loads(reply.body)["value"]]


def test_statuses_of_several_jobs_come_in_one_reply_each_by_its_own_time() -> None:
    world = World()
    tester = world.start("Tester")
    world.now_s += 50
    binary = world.start("BinaryTester")
    assert statuses(world.ask("/job_statuses", [tester, binary])) == ["RUNNING", "RUNNING"]
    assert statuses(world.ask("/job_statuses", [binary, tester])) == ["RUNNING", "DONE"]
    world.now_s += 50
    assert statuses(world.ask("/job_statuses", [tester, binary])) == ["DONE", "DONE"]
    assert json.loads(world.ask("/job_statuses", tester).body)["value"]["status"] == "DONE"
    assert world.stage.divergences == []


def test_a_job_that_nobody_started_has_no_status() -> None:
    world = World()
    reply = world.ask("/job_statuses", [{"tool_id": "1"}])
    assert reply.status == 500
    assert "POST /job_statuses: not in the recording; nearest: POST /job_statuses" in str(
        world.stage.divergences[0]
    )


def test_a_reply_has_the_ids_of_the_present_request() -> None:
    world = World()
    (document,) = (found.asked for found in world.started if found.asked["def"]["name"] == "Tester")
    own = "11111111-2222-4333-8444-555555555555"
    reply = json.loads(world.ask("/mfxl1000126/start_job", {**document, "_id": own}).body)
    assert reply["value"]["_id"] == own
    assert json.loads(world.ask("/job_statuses", [reply["value"]]).body)["value"][0]["_id"] == own


class AirflowWorld:
    """The Airflow of a recording, at a time that the test sets, with its run started."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.stage = Stage(lambda: self.now_s)
        self.told: list[str] = []
        recording = load_recording(AIRFLOW3)
        (self.trigger,) = triggers(recording)
        for word, name in conf_names(self.trigger.asked).items():
            self.stage.names.recorded(word, name)
        self.airflow = RecordedAirflow(
            recording,
            self.stage,
            start=lambda dag_id, run_id, _conf: self.told.append(f"start {dag_id} {run_id}"),
            fail=lambda: self.told.append("fail"),
        )
        self.run = f"{self.trigger.path}/{self.trigger.asked['dag_run_id']}"
        self.ask("POST", self.trigger.path, self.trigger.asked)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"authorization": "Bearer abcdefgh"}
        data = b"" if body is None else json.dumps(body).encode()
        return json.loads(self.airflow.handle(HttpRequest(method, f"http://a{path}", headers, data)).body)

    def tasks(self) -> set[str]:
        found = self.ask("GET", f"{self.run}/taskInstances?limit=100&offset=0")["task_instances"]
        return {str(task["state"]) for task in found}

    def state(self) -> str:
        return str(self.ask("GET", self.run)["state"])


def test_the_run_does_not_end_before_all_is_told_of_its_tasks() -> None:
    world = AirflowWorld()
    assert world.told == [f"start lute_test {world.trigger.asked['dag_run_id']}"]
    assert world.state() == "queued"
    assert world.tasks() == {"None"}
    world.now_s += 55  # by then everything has ended, within the patience
    seen = []
    while world.state() != "success":
        seen.append(world.tasks())
    assert len(seen) > 5
    assert seen[-1] == {"success"}


def test_once_the_run_has_ended_so_have_its_tasks() -> None:
    world = AirflowWorld()
    assert world.tasks() == {"None"}
    world.now_s += 1000  # nobody has asked for the tasks for so long
    while world.state() != "success":
        pass
    assert world.tasks() == {"success"}


def test_a_course_skips_no_change_and_tells_none_before_its_time() -> None:
    course = Course([(0, "a"), (1, "a"), (2, "b"), (3, "c"), (9, "d")])
    assert [course.at(time_s) for time_s in (0, 1.5, 3.5, 3.5, 3.5, 8.9, 9)] == [
        "a",
        "a",
        "b",
        "c",
        "c",
        "c",
        "d",
    ]
    assert course.next_s() is None


def test_a_course_can_be_told_to_its_end_at_once() -> None:
    course = Course([(5, "a"), (6, "b"), (7, "c")])
    assert not course.is_asked
    assert course.at(0) == "a"
    assert course.next_s() == 6
    course.finish()
    assert course.at(0) == course.now == "c"


def test_names_are_whole_words_and_paths_begin_where_no_other_goes_on() -> None:
    names = Names()
    for word, name in {"lute": "/lute", "config": "/lute/config/test.yaml", "run": "r12_x"}.items():
        names.recorded(word, name)
    masked = names.of_recorded
    assert (
        masked("-c /lute/config/test.yaml x=/lute/a /sdf/lute/b /lute2")
        == "-c {config} x={lute}/a /sdf/lute/b /lute2"
    )
    assert masked("/dagRuns/r12_x/r12_xy 2026-11-24T22:44:57.1Z") == "/dagRuns/{run}/r12_xy {time}"
    names.present("lute", "/opt/now")
    names.present("run", "r13_y")
    assert names.to_present("/lute/a of r12_x") == "/opt/now/a of r13_y"
    assert names.of_present("/opt/now/a of r13_y") == "{lute}/a of {run}"
