"""The launcher as an actor: its signals, its output, its end."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

import simulators.virtual.launch as launch_module
from lute.launch.process import Interrupted, Process
from simulators.facility import Facility
from simulators.kernel.actors import Actors
from simulators.kernel.events import Agenda
from simulators.scenario.runner import begin, conclude, run_scenario
from simulators.scenario.schema import Scenario
from simulators.virtual.launch import Launch, VirtualSignals
from tests.fakes import fake_runtime

Main = Callable[[Process, Actors], int]


class Stage:
    """A world with nothing in it but one launcher whose `main` a test writes."""

    def __init__(self, main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
        self.agenda = Agenda(1000.0)
        self.actors = Actors(self.agenda)
        monkeypatch.setattr(launch_module, "main", lambda _argv, process: main(process, self.actors))
        self.lines: list[str] = []
        self.ends: list[int | None] = []
        self.launch = Launch(
            "launcher",
            self.actors,
            [],
            {},
            fake_runtime(),
            on_line=self.lines.append,
            on_end=lambda launch: self.ends.append(launch.exit_code),
        )

    def send(self, number: int, at_s: float = 5.0) -> bool:
        self.agenda.advance(1000.0 + at_s)
        return self.launch.signals.send(number)


def patient(process: Process, actors: Actors) -> int:
    process.signals.raise_interrupted()
    try:
        actors.sleep(100)
    except Interrupted as interrupt:
        process.signals.ignore()
        actors.sleep(10)
        process.write("tidied up")
        return interrupt.exit_code
    return 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_raises_where_the_launcher_is(
    number: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(patient, monkeypatch)
    assert stage.send(number)
    stage.agenda.run()
    assert (stage.ends, stage.lines, stage.agenda.now_s) == ([code], ["tidied up"], 1015.0)
    assert stage.launch.output == "tidied up\n"


def test_a_second_signal_is_ignored_while_it_tidies_up_and_kill_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage(patient, monkeypatch)
    assert stage.send(signal.SIGTERM)
    assert stage.send(signal.SIGTERM, 6.0)
    assert stage.ends == []
    assert stage.send(signal.SIGKILL, 7.0)
    stage.agenda.run()
    assert (stage.ends, stage.lines) == ([None], [])
    assert not stage.send(signal.SIGKILL, 200.0)


def test_a_signal_before_the_handlers_are_there_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_start(process: Process, actors: Actors) -> int:
        actors.sleep(10)
        process.signals.raise_interrupted()
        return 0

    stage = Stage(slow_start, monkeypatch)
    assert stage.send(signal.SIGTERM)
    stage.agenda.run()
    assert stage.ends == [None]


def test_a_signal_before_its_first_step_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(patient, monkeypatch)
    assert stage.launch.signals.send(signal.SIGTERM)
    stage.agenda.run()
    assert stage.ends == [None]


def test_a_signal_to_nobody_is_no_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not VirtualSignals().send(signal.SIGTERM)
    stage = Stage(lambda _process, _actors: 0, monkeypatch)
    stage.agenda.run()
    assert not stage.launch.signals.send(signal.SIGTERM)
    assert stage.ends == [0]


@pytest.mark.parametrize(
    ("error", "code"),
    [(SystemExit(2), 2), (SystemExit(None), 0), (SystemExit("no"), 1), (ValueError("no"), 1)],
)
def test_what_comes_out_of_main_ends_it_as_a_process(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_process: Process, _actors: Actors) -> int:
        raise error

    stage = Stage(fail, monkeypatch)
    stage.agenda.run()
    assert stage.ends == [code]
    assert ("Traceback (most recent call last):" in stage.lines) is isinstance(error, ValueError)
    assert stage.launch.crash == ("ValueError: no" if isinstance(error, ValueError) else "")


def test_lines_are_told_one_by_one_and_kept_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(process: Process, _actors: Actors) -> int:
        process.write("one\ntwo\n\nthree é")
        process.write_error("wrong")
        return 0

    stage = Stage(talk, monkeypatch)
    stage.agenda.run()
    assert stage.lines[:3] == ["one", "two", ""]
    assert stage.launch.output == "one\ntwo\n\nthree é\n"
    assert stage.launch.errors == "wrong\n"


def test_a_crash_of_the_launcher_is_found_and_leaves_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_arguments: Any, **_options: Any) -> None:
        raise TypeError("a bug")

    monkeypatch.setattr("lute.launch.workflow.find_workflow", crash)
    result = run_scenario(Scenario())
    assert result.exit_codes == [1]
    assert [found.text for found in result.broken] == ["launcher crashes: TypeError: a bug"]
    assert "TypeError: a bug" in result.output


def test_wrong_usage_ends_the_launcher_as_on_a_command_line() -> None:
    with Facility(Scenario()) as world:
        begin(world)
        wrong = world.launch("--no-such-option=1", "--ntasks=many")
        result = conclude(world, ended=world.finish())
    assert wrong.exit_code == 2
    assert not [found for found in result.broken if "launcher-2" in found.text]


def test_a_killed_launcher_leaves_its_run_and_the_world_ends_all_the_same() -> None:
    faults = [{"what": "launcher_signal", "signal": "SIGKILL", "at_s": 20}]
    result = run_scenario(Scenario.model_validate({"faults": faults}))
    assert result.exit_codes == [None]
    assert (result.run_state, result.ended, result.broken) == ("success", True, [])
