"""Logs printed while they grow: each line once, whatever happens to the file."""

from typing import Any

import pytest

from lute.airflow_api.models import TaskInstance, TaskState
from lute.launch.follow import LogFollower
from lute.launch.output import Output
from lute.launch.steps import Steps
from lute.launch.watch import RunRef
from tests.fakes import FakeClock

PATH = "/logs/Tester_7.out"
RUNNING = TaskInstance("Tester", -1, TaskState.RUNNING, 1)


class Stage:
    """One running step whose log a test writes."""

    def __init__(self) -> None:
        self.file: bytes | None = b""
        self.job = f'{{"tool_id": "7", "log_file_path": "{PATH}"}}'
        self.asked = 0
        self.lines: list[str] = []
        self.clock = FakeClock()
        self.steps = Steps()
        self.steps.update([RUNNING])
        self.follower = LogFollower(
            self,  # type: ignore[arg-type]
            RunRef("lute_test", "r"),
            Output(self.clock, self.lines.append),
            self.steps,
            self.clock,
            self,
        )

    def xcom(self, *_what: Any) -> str:
        self.asked += 1
        return self.job

    def size(self, path: str) -> int | None:
        return None if self.file is None or path != PATH else len(self.file)

    def read(self, _path: str, offset: int, length: int) -> bytes:
        return (self.file or b"")[offset : offset + length]

    def poll(self, file: bytes | None) -> list[str]:
        self.file = file
        self.follower.poll()
        shown, self.lines[:] = list(self.lines), []
        return shown

    def rest(self, log: str | None) -> str | None:
        (step,) = self.steps
        return self.follower.rest(step, log)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_whole_lines_are_printed_with_the_steps_name(stage: Stage) -> None:
    assert stage.poll(b"one\ntw") == ["Tester | one"]
    assert stage.poll(b"one\ntw") == []
    assert stage.poll(b"one\ntwo\n\nthree\n") == ["Tester | two", "Tester | ", "Tester | three"]
    assert stage.asked == 1


def test_what_was_printed_is_not_printed_again_at_the_end(stage: Stage) -> None:
    stage.poll(b"one\ntwo\n")
    assert stage.rest("one\ntwo\n") == "(printed above, line by line)"
    assert stage.lines == []


def test_what_the_file_shows_too_late_comes_through_airflow(stage: Stage) -> None:
    stage.poll(b"one\ntwo\n")
    assert stage.rest("one\ntwo\nthree\n") == "(printed above, line by line)\nthree\n"


def test_the_end_without_a_line_end_is_printed_at_the_end(stage: Stage) -> None:
    stage.poll(b"one\n")
    stage.file = b"one\ntwo\nthr"
    assert stage.rest("one\ntwo\nthr") == "(printed above, line by line)"
    assert stage.lines == ["Tester | two", "Tester | thr"]


def test_a_log_of_which_nothing_was_printed_is_as_without_following(stage: Stage) -> None:
    assert stage.poll(None) == []
    assert stage.rest("one\n") == "one\n"
    assert stage.rest(None) is None


def test_another_text_through_airflow_is_shown_whole(stage: Stage) -> None:
    stage.poll(b"one\n")
    shown = stage.rest("[the log cannot be read]\n")
    assert shown is not None
    assert shown.endswith("[the log cannot be read]\n")


def test_without_a_text_through_airflow_the_file_is_all_there_is(stage: Stage) -> None:
    stage.poll(b"one\n")
    assert stage.rest(None) == "(printed above, line by line)"


def test_broken_texts_are_printed_as_they_come_through_airflow(stage: Stage) -> None:
    assert stage.poll(b"caf\xe9\nn\x00l\n") == ["Tester | caf\ufffd", "Tester | n\ufffdl"]
    assert stage.rest("caf\ufffd\nn\ufffdl\n") == "(printed above, line by line)"


def test_a_letter_cut_by_a_poll_is_whole(stage: Stage) -> None:
    text = "caf\u00e9\n".encode()
    assert stage.poll(text[:4]) == []
    assert stage.poll(text) == ["Tester | caf\u00e9"]


def test_a_log_that_begins_again_is_said_to(stage: Stage) -> None:
    stage.poll(b"one\ntwo\nthree\n")
    first, *others = stage.poll(b"one\n")
    assert first.startswith("Tester | [the log begins again")
    assert others == ["Tester | one"]


def test_a_poll_reads_a_part_and_the_next_ones_the_rest(stage: Stage) -> None:
    file = b"".join(b"line %06d\n" % number for number in range(10_000))
    shown: list[str] = []
    first = len(stage.poll(file))
    assert 1000 < first < 10_000
    for _ in range(5):
        shown += stage.poll(file)
    assert first + len(shown) == 10_000
    assert shown[-1] == "Tester | line 009999"


def test_a_log_that_runs_away_is_printed_from_near_its_end(stage: Stage) -> None:
    stage.poll(b"one\n")
    skipped, *shown = stage.poll(b"one\n" + b"x" * 9_999_999 + b"\nlast\n")
    # 4 bytes were printed, and the last 64 KiB are
    assert skipped == "Tester | [9934469 bytes left out here; all of it: /logs/Tester_7.out]"
    assert shown[-1] == "Tester | last"
    assert sum(map(len, shown)) < 100_000


def test_a_line_without_end_is_printed_in_pieces(stage: Stage) -> None:
    assert len(stage.poll(b"x" * 20_000)) == 1


def test_a_log_that_begins_again_just_before_the_end_has_an_end(stage: Stage) -> None:
    stage.poll(b"one\ntwo\n")
    stage.file = b"new\n"
    assert stage.rest("new\n") == "(printed above, line by line)"
    assert stage.lines[-1] == "Tester | new"


def test_a_log_that_repeats_itself_is_printed_to_its_end(stage: Stage) -> None:
    stage.poll(b"frame ok\n" * 1000)
    assert stage.rest("frame ok\n" * 1500 + "last\n") == (
        "(printed above, line by line)\n" + "frame ok\n" * 500 + "last\n"
    )
    other = Stage()
    other.poll(b"frame ok\n" * 600)
    other.poll(b"frame ok\n" * 1000)
    assert other.rest("frame ok\n" * 1000) == "(printed above, line by line)"


def test_a_token_in_two_parts_is_never_printed(stage: Stage) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJyb290In0." + "s1gn4ture" * 20
    whole = b"x" * 16380 + f" Bearer {token} end\n".encode()
    shown = [line for end in (16395, 16450, len(whole)) for line in stage.poll(whole[:end])]
    assert "".join(shown).count("end") == 1
    assert "s1gn4ture" not in "".join(shown)
    ahead = b"y\n" * 1_000_000 + f"Bearer {token} {'z' * 65_000} end\n".encode()
    assert "s1gn4ture" not in "".join(line for _ in range(4) for line in stage.poll(whole + ahead))


def test_airflow_is_asked_now_and_then_until_the_log_is_known(stage: Stage) -> None:
    stage.job = "{}"
    for _ in range(20):
        stage.poll(b"one\n")
        stage.clock.sleep(1.0)
    assert stage.asked == 2
    stage.job = f'{{"tool_id": "7", "log_file_path": "{PATH.replace("7", "%J")}"}}'
    stage.clock.sleep(10.0)
    assert stage.poll(b"one\n") == ["Tester | one"]


def test_a_step_that_waits_is_not_asked_for(stage: Stage) -> None:
    stage.steps.update([TaskInstance("Tester", -1, TaskState.SCHEDULED, 1)])
    assert stage.poll(b"one\n") == []
    assert stage.asked == 0
