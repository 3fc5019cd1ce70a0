"""Running what a trace records once more, and comparing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lute
from lute.errors import ConfigError
from simulators.dagrunner.installed import VERSION
from simulators.facility import CONFIG, WORKFLOWS
from simulators.scenario.result import Result
from simulators.scenario.runner import TRACE_FORMAT, run_scenario
from simulators.scenario.schema import Scenario


@dataclass(frozen=True)
class Difference:
    """Where a replay went another way; `None` stands for the end of a trace.

    Attributes:
        line: in the recorded trace, from 1.
    """

    line: int
    recorded: str | None
    replayed: str | None


@dataclass(frozen=True)
class Replay:
    """One replay."""

    result: Result
    difference: Difference | None


def replay(file: Path, *, dags: Path = WORKFLOWS, config: Path = CONFIG) -> Replay:
    """Run what a trace records, with its scenario and its seed.

    Raises:
        ConfigError: the file is no trace, or of another version of the simulators or of Airflow.
    """
    recorded = file_lines(file)
    header = read_header(file, recorded)
    try:
        scenario, seed = Scenario.model_validate(header["scenario"]), int(header["seed"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the header is damaged: {error}", file=file, line=1) from error
    replayed: list[str] = []
    result = run_scenario(
        scenario,
        seed=seed,
        dags=dags,
        config=config,
        write=lambda line: replayed.append(line.rstrip("\n")),
    )
    return Replay(result, _difference(recorded, replayed))


def file_lines(file: Path) -> list[str]:
    """Return the lines of a trace.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=file) from error
    return text.removesuffix("\n").split("\n") if text else []


def read_header(file: Path, lines: list[str]) -> Mapping[str, Any]:
    """Return the first entry of a trace, which says what it is of.

    Raises:
        ConfigError: it is no trace, or one that cannot be repeated here.
    """
    entries = _entries(file, lines[:1])
    header = next(entries, {})
    if header.get("event") != "header":
        raise ConfigError(
            "is no trace: its first line is no header",
            file=file,
            line=1,
            next_step="give a file that `lute-sim run --trace` or `lute-sim explore --out` wrote",
        )
    if "scenario" not in header:
        raise ConfigError(
            "the trace is of a recording that was played",
            file=file,
            line=1,
            next_step="play the recording again: lute-sim run --recording FILE",
        )
    for key, here in (("format", TRACE_FORMAT), ("version", lute.__version__), ("airflow", VERSION)):
        if header.get(key) != here:
            raise ConfigError(
                f"the trace has {key} {header.get(key)}, here it is {here}",
                file=file,
                line=1,
                next_step="replay it with the versions that recorded it",
            )
    return header


def _entries(file: Path, lines: list[str]) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"not JSON: {error}", file=file, line=number) from error
        if not isinstance(entry, dict):
            raise ConfigError("not an entry of a trace", file=file, line=number)
        yield entry


def _difference(recorded: list[str], replayed: list[str]) -> Difference | None:
    if recorded == replayed:
        return None
    common = min(len(recorded), len(replayed))
    line = next((index for index in range(common) if recorded[index] != replayed[index]), common)
    return Difference(
        line + 1,
        recorded[line] if line < len(recorded) else None,
        replayed[line] if line < len(replayed) else None,
    )
