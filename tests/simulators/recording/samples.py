"""Recordings for the tests: the committed ones, and changed copies of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings" / "jid_airflow"
AIRFLOW3 = RECORDINGS / "test_airflow3.jsonl"
AIRFLOW2 = RECORDINGS / "test_airflow2.jsonl"
FAILURE = RECORDINGS / "test_failure_airflow3.jsonl"
ALL = (AIRFLOW3, AIRFLOW2, FAILURE)

Line = dict[str, Any]


def lines_of(source: Path) -> list[Line]:
    """Return the lines of a recording, each with the whole of its reply."""
    lines = [json.loads(line) for line in source.read_text().splitlines()]
    for line in lines:
        number = (line.get("reply") or {}).get("as_in_line")
        if number:
            line["reply"] = lines[number - 1]["reply"]
    return lines


def changed(tmp_path: Path, source: Path, change: Callable[[list[Line]], object]) -> Path:
    """Write a copy of a recording after `change` has worked on its exchanges; its end counts them anew."""
    header, *exchanges, end = lines_of(source)
    change(exchanges)
    file = tmp_path / "changed.jsonl"
    end["exchanges"] = len(exchanges)
    file.write_text("".join(json.dumps(line) + "\n" for line in [header, *exchanges, end]))
    return file


def line_of(source: Path, *words: str) -> int:
    """Return the number of the first line that holds all the words."""
    lines = source.read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if all(word in line for word in words))
