"""The batch host with real processes and a scontrol of this file's making."""

from pathlib import Path

import pytest

from lute.seams import SystemCommands
from simulators.jid import host as host_module
from simulators.jid.host import HostError, RealHost


@pytest.fixture
def host(tmp_path: Path) -> RealHost:
    return RealHost(SystemCommands(), {"PATH": "/usr/bin:/bin", "KEPT": "yes"}, tmp_path)


def script(tmp_path: Path, text: str) -> str:
    path = tmp_path / "submit it.sh"
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_job_id_is_found_wherever_it_stands(host: RealHost, tmp_path: Path) -> None:
    text = 'echo before; echo "Submitted batch job 4711"; echo after; echo noise >&2'
    assert host.submit(script(tmp_path, text), "", {}) == "4711"


def test_the_script_gets_arguments_environment_and_directory(host: RealHost, tmp_path: Path) -> None:
    text = 'printf "%s|" "$@" "$EXPERIMENT" "$KEPT" "$PWD" >got; echo Submitted batch job 1'
    host.submit(script(tmp_path, text), "-c '/a b/c.yaml' --x=\"$HOME;y\"", {"EXPERIMENT": "exp"})
    assert (tmp_path / "got").read_text() == f"-c|/a b/c.yaml|--x=$HOME;y|exp|yes|{tmp_path}|"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo sbatch: error: no >&2; exit 3", "exit code 3: sbatch: error: no"),
        ("echo all is well", "reported no 'Submitted batch job N'"),
        ("echo x Submitted batch job 7", "reported no"),
    ],
)
def test_a_script_that_submits_nothing_is_an_error(
    host: RealHost, tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(HostError, match=said):
        host.submit(script(tmp_path, text), "", {})


def test_a_script_that_takes_too_long_is_ended(
    host: RealHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_module, "START_LIMIT_S", 0.3)
    with pytest.raises(HostError, match="did not return within"):
        host.submit(script(tmp_path, "sleep 60; echo Submitted batch job 1"), "", {})


def test_no_script_and_no_command_line(host: RealHost, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cannot be run: No such file"):
        host.submit("/no/such/script", "", {})
    with pytest.raises(HostError, match="no command line"):
        host.submit(script(tmp_path, ""), "--x='open", {})


def test_a_log_of_any_bytes_is_text(host: RealHost, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"a\xff\n")
    assert host.read_text(str(tmp_path / "log")) == "a�\n"
    with pytest.raises(HostError, match="cannot be read"):
        host.read_text(str(tmp_path / "none"))
