"""The scripts with an sbatch that only notes what it was given."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lute.test_settings import GOOD

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

_SBATCH = """#!/usr/bin/env bash
printf '%s\\0' "$@" >"$NOTES/argv"
env -0 >"$NOTES/env"
if [[ -n "${SBATCH_SAYS:-}" ]]; then echo "$SBATCH_SAYS" >&2; exit "$SBATCH_EXIT"; fi
echo "Submitted batch job 7"
"""


@dataclass(frozen=True)
class Done:
    """What a script did: its own outcome, and sbatch's arguments and environment (None: not called)."""

    exit_code: int
    stdout: str
    stderr: str
    argv: list[str] | None
    env: dict[str, str]

    def option(self, name: str) -> list[str]:
        return [word.partition("=")[2] for word in self.argv or [] if word.startswith(f"--{name}=")]


Run = Callable[..., Done]


@pytest.fixture(params=["plain", "we ird 'dir' \"ü\"\n$HOME;x"], ids=["plain", "weird"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    path.mkdir()
    return path


@pytest.fixture
def config(folder: Path) -> Path:
    path = folder / "config.yaml"
    path.write_text("title: t\nexperiment: exp\nrun: 12\n---\nTest: {}\n")
    return path


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> Run:
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    (bin_dir / "sbatch").write_text(_SBATCH)
    (bin_dir / "sbatch").chmod(0o755)
    site = tmp_path / "site.toml"
    site.write_text(GOOD)

    def run_script(script: str, *arguments: str, **env: str) -> Done:
        notes = tmp_path / "notes"
        notes.mkdir(exist_ok=True)
        for note in notes.iterdir():
            note.unlink()
        base = {
            "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path / "home"),
            "LUTE_SITE": str(site),
            "LUTE_PYTHON": sys.executable,
            "NOTES": str(notes),
            "EXPERIMENT": "mfxl1000126",
            "RUN_NUM": "12_2026-11-22T12:00:00.000",
        }
        done = subprocess.run(
            [str(SCRIPTS / script), *arguments],
            env=base | env,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        called = (notes / "argv").is_file()
        argv = (notes / "argv").read_bytes().decode().split("\0")[:-1] if called else None
        pairs = (notes / "env").read_bytes().decode().split("\0")[:-1] if called else []
        env_given = dict(pair.split("=", 1) for pair in pairs)
        return Done(done.returncode, done.stdout, done.stderr, argv, env_given)

    return run_script
