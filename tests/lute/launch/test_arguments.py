import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from lute.errors import ConfigError
from lute.launch import arguments
from lute.launch.arguments import LaunchArguments, launch_parser, main, parse_launch_arguments


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "my 'config'.yaml"
    path.write_text("title: t\nexperiment: exp\nrun: 12\n---\nTest: {}\n")
    return str(path)


def test_what_the_launcher_does_not_know_goes_to_slurm(config: str) -> None:
    found = parse_launch_arguments(
        [
            "-c",
            config,
            "--partition=milano",
            "-w",
            "lute_test",
            "--ntasks",
            "12",
            "--exclusive",
            "-e",
            "exp",
            "-r",
            "7",
        ]
    )
    assert (found.workflow, found.experiment, found.run, found.test, found.debug) == (
        "test",
        "exp",
        "7",
        False,
        False,
    )
    assert found.slurm_params == ("--partition=milano", "--ntasks=12", "--exclusive")
    assert str(found.config_file) == config


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-w", "x"], "-c/--config"),
        (["-c", "CONFIG"], "-w/--workflow"),
        (["-c", "/no such/file.yaml", "-w", "x"], "does not exist|cannot be read|no such"),
        (["-c", "CONFIG", "-w", "x", "--partitoin=milano"], "partition"),
        (
            ["-c", "CONFIG", "-w", "x", "--array=0-9"],
            "--array does not go with a workflow: a step is one job",
        ),
        (["-c", "CONFIG", "-w", "x", "--parsable"], "--parsable does not go with a workflow"),
        (["-c", "CONFIG", "-w", "../../x"], "is not the name of a workflow"),
    ],
)
def test_mistakes_are_told_with_exit_code_2(config: str, argv: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_launch_arguments([config if word == "CONFIG" else word for word in argv])
    assert caught.value.exit_code == 2


def test_the_launchers_own_job_shares_what_says_where_and_on_whose_account(
    config: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    argv = ["-c", config, "-w", "test", "-p", "milano", "--account", "lcls:x y", "--ntasks=100", "--qos=q"]
    assert main(argv) == 0
    assert capsysbinary.readouterr().out == b"launch_test\0--partition=milano\0--account=lcls:x y\0--qos=q\0"


def test_all_that_may_be_said(config: str, tmp_path: Path) -> None:
    report = str(tmp_path / "r.json")
    words = "-w test -e exp -r 7 --debug --test --follow --dry-run --ntasks=2"
    found = parse_launch_arguments(["-c", config, *words.split(), "--report", report, "--report=r.xml"])
    assert found == LaunchArguments(
        config_file=Path(config),
        workflow="test",
        debug=True,
        test=True,
        experiment="exp",
        run="7",
        slurm_params=("--ntasks=2",),
        follow=True,
        dry_run=True,
        reports=(Path(report), Path.cwd() / "r.xml"),
    )
    assert parse_launch_arguments(["--attach", "r 1", "-w", "test"]) == LaunchArguments(
        None, "test", False, False, None, None, (), attach="r 1"
    )


def test_a_configuration_whose_path_airflow_cannot_be_told(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"bad\xff.yaml")
    file.write_text("title: t\n")
    with pytest.raises(ConfigError, match="its path is not UTF-8"):
        parse_launch_arguments(["-c", str(file), "-w", "test"])


HELP = "launch_airflow.py --help"


@pytest.mark.parametrize(
    ("argv", "what", "next_step"),
    [
        ("-c CONFIG", "which workflow? -w/--workflow or -W/--workflow-file, and none of them is given", HELP),
        ("-w test", "the following arguments are required: -c/--config", HELP),
        ("-w test -c", "argument -c/--config: expected one argument", HELP),
        ("-w a/b -c CONFIG", "'a/b' is not the name of a workflow", "check -w"),
        ("-w run_time -c CONFIG", "the workflow run_time has no steps of its own", "give -W FILE"),
        (
            "-w test --attach r -c CONFIG --dry-run --ntasks=2",
            "--attach starts nothing: -c --dry-run --ntasks=2",
            "give --attach RUN_ID -w WORKFLOW alone",
        ),
        (
            "-w test --attach=",
            "--attach starts nothing: and needs a run",
            "give --attach RUN_ID -w WORKFLOW alone",
        ),
        (
            "-w test -c CONFIG --report /r.txt",
            "/r.txt: a report is JSON or XML",
            "give a name in .json or .xml",
        ),
        (
            "-w test -c CONFIG --report /no_such/r.xml",
            "/no_such/r.xml: its folder is not there",
            "make the folder, or check --report",
        ),
        ("-w test -c CONFIG --dryrun", "unrecognized option '--dryrun'", "did you mean --dry-run?"),
        (
            "-w test -c CONFIG --attatch=r --ntasks=2",
            "unrecognized option '--attatch=r'",
            "did you mean --attach?",
        ),
        (
            "-w test -c CONFIG --partiton=m",
            "wrong Slurm arguments: unrecognized option '--partiton=m'",
            "did you mean partition or version or reservation?",
        ),
    ],
)
def test_a_mistake_is_told_with_what_to_do(config: str, argv: str, what: str, next_step: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_launch_arguments([config if word == "CONFIG" else word for word in argv.split()])
    assert (caught.value.what, caught.value.next_step) == (what, next_step)


def test_each_of_the_launchers_own_options_is_known_by_a_word_like_it(config: str) -> None:
    for name in re.findall(
        r"(?<![\w-])--[a-z-]+(?=[ ,\n])", launch_parser().format_help().partition("options:")[2]
    ):
        with pytest.raises(ConfigError) as caught:
            parse_launch_arguments(["-c", config, "-w", "test", f"{name}s"])
        assert f"did you mean {name}" in caught.value.next_step


@pytest.mark.parametrize("is_test", [True, False])
def test_the_settings_of_the_site_are_read_before_anything_is_submitted(
    config: str, monkeypatch: pytest.MonkeyPatch, is_test: bool
) -> None:
    read: list[Any] = []
    monkeypatch.setattr("lute.settings.environment", lambda: {"A": "b"})
    monkeypatch.setattr("lute.settings.load_settings", lambda *given, **more: read.append((given, more)))
    assert main(["-c", config, "-w", "test", *["--test"] * is_test]) == 0
    assert read == [(({"A": "b"},), {"test_instance": is_test})]


def test_an_argument_that_is_no_utf8_goes_on_as_it_came(
    config: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["-c", config, "-w", "test", "--account=\udcff"]) == 0
    assert capsysbinary.readouterr().out == b"launch_test\0--account=\xff\0"


def test_a_python_without_what_lute_needs_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def needs(_argv: object) -> None:
        raise ModuleNotFoundError("No module named 'yaml'", name="yaml")

    monkeypatch.setattr(arguments, "parse_launch_arguments", needs)
    assert main([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == (
        f"submit_launch_airflow.sh: error: {sys.executable} has no module yaml\n"
        "  next: set LUTE_PYTHON to a Python that has LUTE's dependencies (pip install the clone)\n"
    )


def test_a_mistake_is_told_on_standard_error(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", config]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == (
        "submit_launch_airflow.sh: error: which workflow? -w/--workflow or -W/--workflow-file, and none of"
        " them is given\n  next: launch_airflow.py --help\n"
    )
