"""Batch scripts that say, for those who do not run them, what they do."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from simulators.slurm.models import JobModel

_MARK = "# model: "


@dataclass(frozen=True)
class Script:
    """What a job of the suite does.

    Attributes:
        sleep_s: how long it runs; whole seconds.
        text: what it prints.
        exit_code: with what it ends.
        kill: the signal that it sends to itself at its end, 0 for none.
        on_term: exit code after SIGTERM, -1 for ignoring it, None for dying of it.
        on_usr1: exit code after SIGUSR1; None for not expecting it.
    """

    sleep_s: int = 0
    text: str = ""
    exit_code: int = 0
    kill: int = 0
    on_term: int | None = None
    on_usr1: int | None = None

    def render(self) -> str:
        """Return the script, which writes its environment to a file `env.JOBID` first."""
        lines = ["#!/bin/bash", _MARK + json.dumps(asdict(self)), "env -0 >env.$SLURM_JOB_ID"]
        if self.on_term == -1:
            lines.append("trap '' TERM")
        elif self.on_term is not None:
            lines.append(f"trap 'exit {self.on_term}' TERM")
        if self.on_usr1 is not None:
            lines.append(f"trap 'exit {self.on_usr1}' USR1")
        if self.text:
            lines.append(f"echo {self.text}")
        if self.sleep_s:
            # in pieces, so that a trap is not kept waiting; and nobody is left behind
            lines.append(f"for ((i = 0; i < {self.sleep_s * 10}; i++)); do sleep 0.1; done")
        if self.kill:
            lines.append(f"kill -{self.kill} $$")
        return "\n".join([*lines, f"exit {self.exit_code}", ""])

    def write(self, path: Path) -> None:
        """Write the script to a file."""
        path.write_text(self.render())


def read_script(text: str) -> Script:
    """Return what a script's mark says; one without a mark ends at once."""
    for line in text.splitlines():
        if line.startswith(_MARK):
            return Script(**json.loads(line.removeprefix(_MARK)))
    return Script()


def model_of(text: str) -> JobModel:
    """Return what a script does, as a model."""
    script = read_script(text)
    return JobModel(
        duration_s=script.sleep_s,
        exit_code=0 if script.kill else script.exit_code,
        exit_signal=script.kill,
        log=f"{script.text}\n" if script.text else "",
        on_term=None if script.on_term == -1 else script.on_term,
        ignores_term=script.on_term == -1,
    )
