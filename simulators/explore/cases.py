"""Keeping failing cases: the scenario to edit, the trace to replay."""

import json
import shlex
from pathlib import Path
from typing import Any

from simulators.explore.shrink import Shrunk
from simulators.scenario.loader import dump_scenario


def keep_case(small: Shrunk, checker: str, folder: Path | None) -> dict[str, Any]:
    """Write `CHECKER-SEED.yaml` and `.jsonl` into a folder, if there is one; return what to tell."""
    scenario = small.scenario.model_copy(update={"name": f"{checker}-{small.seed}"})
    text = next(found.text for found in small.result.broken if found.checker == checker)
    plain: dict[str, Any] = {
        "checker": checker,
        "seed": small.seed,
        "runs": small.runs,
        "text": text,
        "faults": [_line(fault) for fault in small.scenario.to_plain().get("faults", [])],  # type: ignore[attr-defined]
        "again": f"lute-sim run {scenario.workflow} --scenario swarm-{small.seed} --seed {small.seed}",
    }
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{scenario.name}.yaml"
        trace = file.with_suffix(".jsonl")
        note = f"# breaks {checker}: lute-sim run --scenario {file} --seed {small.seed}\n"
        file.write_text(note + dump_scenario(scenario), encoding="utf-8")
        lines = (json.dumps(entry, separators=(",", ":")) + "\n" for entry in small.result.entries)
        trace.write_text("".join(lines), encoding="utf-8")
        plain |= {"scenario": str(file), "trace": str(trace)}
        plain["again"] = f"lute-sim replay {shlex.quote(str(trace))}"
    return plain


def _line(fault: dict[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in fault.items())
