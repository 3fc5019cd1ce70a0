"""Choosing a workflow by -w or -W."""

from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.launch.arguments import main, parse_launch_arguments


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    config, flow = tmp_path / "config.yaml", tmp_path / "my 'flow'.yaml"
    config.write_text("title: t\nexperiment: exp\nrun: 12\n---\nTest: {}\n")
    flow.write_text("{task_name: Tester, next: [{task_name: BinaryTester, max_cores: 2}]}")
    return {"CONFIG": str(config), "FLOW": str(flow)}


def test_a_file_stands_in_for_the_name(files: dict[str, str]) -> None:
    found = parse_launch_arguments(["-c", files["CONFIG"], "-W", files["FLOW"], "--ntasks=4"])
    assert found.workflow == "run_time"
    assert found.run_time is not None
    assert found.run_time.links == {"Tester": ("BinaryTester",), "BinaryTester": ()}
    assert parse_launch_arguments(["-c", files["CONFIG"], "-w", "test"]).run_time is None


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-c", "CONFIG"], "-w/--workflow or -W/--workflow-file, and none of them is given"),
        (["-c", "CONFIG", "-w", "test", "-W", "FLOW"], "-W/--workflow-file, and both are given"),
        (["-c", "CONFIG", "-w", "run_time"], "run_time has no steps of its own"),
        (["-c", "CONFIG", "-w", "lute_run_time"], "run_time has no steps of its own"),
        (["-c", "CONFIG", "-W", "/no such/file.yaml"], "cannot be read"),
        (["-c", "CONFIG", "-W", "FLOW", "--ntasks=x"], "ntasks"),
        (["--attach", "run", "-W", "FLOW"], "--attach starts nothing: -W"),
    ],
)
def test_mistakes(files: dict[str, str], argv: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_launch_arguments([files.get(word, word) for word in argv])


def test_a_run_of_such_a_workflow_can_be_attached() -> None:
    assert parse_launch_arguments(["--attach", "some_run", "-w", "run_time"]).attach == "some_run"


def test_the_submit_script_checks_the_parameters_too(
    files: dict[str, str], capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUTE_SITE", "local")
    assert main(["-c", files["CONFIG"], "-W", files["FLOW"], "--account=lcls:x"]) == 0
    assert capfdbinary.readouterr().out == b"launch_run_time\0--account=lcls:x\0"
    Path(files["CONFIG"]).write_text("title: t\nexperiment: exp\nrun: 12\n---\nTest: {flaot_var: 1}\n")
    assert main(["-c", files["CONFIG"], "-W", files["FLOW"]]) == 2
    assert b"config.yaml:5: unknown parameter 'Test.flaot_var'" in capfdbinary.readouterr().err
