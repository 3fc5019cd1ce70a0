"""Where the programs of real Slurm are, and which are not there."""

import os
import shutil
from pathlib import Path

from lute.settings import environment

FAKE_BIN = Path(__file__).resolve().parents[1] / "slurm" / "bin"
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Daemons lie there; the PATH of ordinary users does not have them."""
_SLURM = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
_ACCOUNTING = ("slurmdbd", "sacctmgr", "sacct", "mariadbd", "mariadb-install-db")
_SLURM_PACKAGES = "slurm-wlm munge"
_ACCOUNTING_PACKAGES = "slurmdbd slurm-wlm-mysql-plugin mariadb-server"


def search_path() -> str:
    """Return the PATH on which real Slurm is found: this process's one, never with the fake commands."""
    own = environment().get("PATH", os.defpath).split(os.pathsep)
    folders = [folder for folder in own if folder and Path(folder).resolve() != FAKE_BIN]
    return os.pathsep.join(dict.fromkeys([*folders, *_SYSTEM_FOLDERS]))


def commands_folder() -> Path:
    """Return the folder of the real `sbatch`; only where `missing` finds nothing missing."""
    found = shutil.which("sbatch", path=search_path())
    return Path(found or "/usr/bin/sbatch").parent


def missing(*, with_accounting: bool = False) -> str:
    """Return why real Slurm cannot be run here, with the line that installs it on Debian; empty if it can."""
    wanted = _SLURM + (_ACCOUNTING if with_accounting else ())
    path = search_path()
    absent = [program for program in wanted if shutil.which(program, path=path) is None]
    if not absent:
        return ""
    packages = _SLURM_PACKAGES + (f" {_ACCOUNTING_PACKAGES}" if with_accounting else "")
    return f"real Slurm needs {', '.join(absent)}: apt-get install {packages}"
