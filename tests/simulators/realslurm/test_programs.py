import os
from pathlib import Path

import pytest

from simulators.realslurm.programs import FAKE_BIN, commands_folder, missing, search_path

_DAEMONS = ("munged", "slurmctld", "slurmd", "slurmdbd", "mariadbd")
_COMMANDS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo", "sacctmgr", "sacct", "mariadb-install-db")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of programs that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("simulators.realslurm.programs._SYSTEM_FOLDERS", ())
    for name in (*_DAEMONS, *_COMMANDS):
        (tmp_path / name).touch(mode=0o755)
    return tmp_path


def test_nothing_is_missing_where_everything_is(programs: Path) -> None:
    assert missing() == ""
    assert missing(with_accounting=True) == ""
    assert commands_folder() == programs


def test_what_is_missing_is_told_with_the_line_that_installs_it(programs: Path) -> None:
    (programs / "slurmd").unlink()
    (programs / "slurmdbd").unlink()
    assert missing() == "real Slurm needs slurmd: apt-get install slurm-wlm munge"
    assert missing(with_accounting=True) == (
        "real Slurm needs slurmd, slurmdbd:"
        " apt-get install slurm-wlm munge slurmdbd slurm-wlm-mysql-plugin mariadb-server"
    )


def test_the_fake_commands_are_not_real_slurm(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (programs / "sbatch").unlink()
    monkeypatch.setenv("PATH", f"{FAKE_BIN}{os.pathsep}{programs}")
    assert (FAKE_BIN / "sbatch").exists()
    assert missing().startswith("real Slurm needs sbatch:")
    assert str(FAKE_BIN) not in search_path()
