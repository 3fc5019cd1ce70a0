"""What others need to know of a running stack: its ready file."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from simulators.serve.components import StackError


@dataclass(frozen=True)
class StackInfo:
    """A running stack.

    Attributes:
        environment: the variables that production code and the Slurm commands need, secrets among them.
        path_entry: the folders of the Slurm commands and of this Python, for PATH.
        work_dir: where jobs of the JID run, hence where their logs lie.
        log_dir: the output of the stack's own processes.
    """

    pid: int
    airflow_url: str
    jid_url: str
    work_dir: str
    log_dir: str
    path_entry: str
    environment: dict[str, str] = field(repr=False)

    def write(self, path: Path) -> None:
        """Write the ready file, private, whole or not at all."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{self.pid}")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        new.replace(path)

    def exports(self) -> str:
        """Return shell lines that point a shell at the stack."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.environment.items()]
        if self.path_entry:
            lines.append(f'export PATH={shlex.quote(self.path_entry)}:"$PATH"')
        return "\n".join(lines)

    def applied_to(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return an environment that points at the stack."""
        path = env.get("PATH", os.defpath)
        entry = f"{self.path_entry}{os.pathsep}" if self.path_entry else ""
        return dict(env) | self.environment | {"PATH": entry + path}


def default_ready_file(env: Mapping[str, str]) -> Path:
    """Return where a stack leaves its ready file if it is not told otherwise."""
    cache = env.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "lute-sim" / "stack.json"


def read_ready_file(path: Path) -> StackInfo:
    """Read the ready file of a running stack.

    Raises:
        StackError: there is none, or its stack is gone.
    """
    try:
        info = StackInfo(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise StackError(
            f"no stack is running: there is no {path}", next_step="start one: lute-sim serve"
        ) from error
    except (ValueError, TypeError) as error:
        raise StackError(f"{path} is not the ready file of a stack", next_step="remove it") from error
    if not Path(f"/proc/{info.pid}").exists():
        raise StackError(
            f"the stack of {path} is gone (process {info.pid})", next_step="start one: lute-sim serve"
        )
    return info
