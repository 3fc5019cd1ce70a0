"""Keeping failing cases: the scenario to edit, the trace to replay."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulators.explore.shrink import Shrunk
from simulators.scenario.loader import dump_scenario

_NOT_AGAIN = "it was not broken once more: the world is not the same each time"


def keep_case(
    small: Shrunk,
    checker: str,
    folder: Path | None,
    options: Sequence[str] = (),
    kinds: Sequence[str] = (),
) -> dict[str, Any]:
    """Write `CHECKER-SEED.yaml` and `.jsonl` into a folder, if there is one; return what to tell.

    Args:
        options: of the command line, for the workflow to be found again.
        kinds: options that say which kinds of trouble there are, if not the usual.
    """
    more = "".join(f" {shlex.quote(word)}" for word in options)
    scenario = small.scenario.model_copy(update={"name": f"{checker}-{small.seed}"})
    text = next((found.text for found in small.result.broken if found.checker == checker), _NOT_AGAIN)
    plain: dict[str, Any] = {
        "checker": checker,
        "seed": small.seed,
        "runs": small.runs,
        "text": text,
        "faults": [_line(fault) for fault in small.scenario.to_plain().get("faults", [])],  # type: ignore[attr-defined]
        "again": f"{_again(small, kinds)}{more}",
    }
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{scenario.name}.yaml"
        trace = file.with_suffix(".jsonl")
        again = f"lute-sim run --scenario {shlex.quote(str(file))} --seed {small.seed}{more}"
        note = f"# breaks {checker}: {again}\n"
        file.write_text(note + dump_scenario(scenario), encoding="utf-8")
        lines = (json.dumps(entry, separators=(",", ":")) + "\n" for entry in small.result.entries)
        trace.write_text("".join(lines), encoding="utf-8")
        plain |= {"scenario": str(file), "trace": str(trace)}
        plain["again"] = f"lute-sim replay {shlex.quote(str(trace))}{more}"
    return plain


def _again(small: Shrunk, kinds: Sequence[str]) -> str:
    """Return the command that draws the same once more."""
    workflow, seed = small.scenario.workflow, small.seed
    if kinds:
        return f"lute-sim explore {workflow} --seeds {seed}:{seed + 1} {shlex.join(kinds)}"
    return f"lute-sim run {workflow} --scenario swarm-{seed} --seed {seed}"


def _line(fault: dict[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in fault.items())
