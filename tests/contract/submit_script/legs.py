"""Two ways to submit a step: the script, with an sbatch that only takes notes, and its stand-in."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from simulators.jid.submit_script import Refusal, submit

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "submit_slurm.sh"
_SBATCH = """#!/usr/bin/env bash
printf '%s\\0' "$@" >"$NOTES/argv"
env -0 >"$NOTES/env"
"""
_OF_THE_SHELL = frozenset(["_", "SHLVL"])
"""Variables that every shell sets for itself."""


@dataclass(frozen=True)
class Outcome:
    """What became of a call; `argv` (of sbatch) and `env` are None where sbatch was not called."""

    exit_code: int
    stdout: str
    stderr: str
    argv: list[str] | None = None
    env: dict[str, str] | None = None


class Legs:
    """Runs one call on either leg, in one folder and with the same environment.

    Args:
        folder: where the calls are made.
        notes: a folder of its own for the noting sbatch.
    """

    def __init__(self, folder: Path, notes: Path) -> None:
        self._folder = folder
        self._notes = notes
        (notes / "sbatch").write_text(_SBATCH)
        (notes / "sbatch").chmod(0o755)

    def script(self, words: Sequence[str], env: Mapping[str, str]) -> Outcome:
        """Run the script itself."""
        for note in ("argv", "env"):
            (self._notes / note).unlink(missing_ok=True)
        done = subprocess.run(
            [SCRIPT, *words],
            cwd=self._folder,
            env=self._env(env),
            capture_output=True,
            timeout=60,
            check=False,
        )
        said = done.returncode, done.stdout.decode(), done.stderr.decode()
        if not (self._notes / "argv").exists():
            return Outcome(*said)
        argv = (self._notes / "argv").read_text().split("\0")[:-1]
        pairs = (self._notes / "env").read_text().split("\0")[:-1]
        return Outcome(*said, _masked(argv), _own(dict(pair.split("=", 1) for pair in pairs)))

    def stand_in(self, words: Sequence[str], env: Mapping[str, str]) -> Outcome:
        """Ask the stand-in."""
        does = submit(
            [str(SCRIPT), *words],
            self._env(env),
            datetime(2026, 11, 22, 10, 15, 36, tzinfo=UTC),
            cwd=str(self._folder),
            is_file=lambda path: Path(path).is_file(),
        )
        if isinstance(does, Refusal):
            return Outcome(does.exit_code, does.stdout, does.stderr)
        return Outcome(0, "", does.stderr, _masked(does.argv[1:]), _own(does.env))

    def _env(self, env: Mapping[str, str]) -> dict[str, str]:
        base = {
            "PATH": f"{self._notes}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "LUTE_SITE": "local",
            "NOTES": str(self._notes),
        }
        return base | dict(env)


def _masked(argv: Sequence[str]) -> list[str]:
    """Return arguments with the time in the log's name replaced, which must look like one."""
    return [re.sub(r"_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_%J\.out$", "_NOW_%J.out", word) for word in argv]


def _own(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in _OF_THE_SHELL}
