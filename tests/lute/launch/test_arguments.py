from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.launch.arguments import main, parse_launch_arguments


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
