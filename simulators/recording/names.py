"""What has one name in the recording and another in the present run: run, paths, ids of job documents."""

import re
from collections.abc import Callable
from typing import Any

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T_ ]\d\d[-:]\d\d[-:]\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


class Names:
    """Pairs of names.

    Each side of a comparison is written with common words (`{run}`) in place of its own names, of times and
    of random ids; a recorded reply is written with the present names.
    """

    def __init__(self) -> None:
        self._recorded: dict[str, str] = {}
        self._present: dict[str, str] = {}
        self._pairs: dict[str, str] = {}

    def recorded(self, word: str, name: str) -> None:
        """Write `{word}` for a name of the recording."""
        if name:
            self._recorded[name] = f"{{{word}}}"

    def present(self, word: str, name: str) -> None:
        """Write `{word}` for a name of the present run, and write it for the recorded one in replies."""
        if not name:
            return
        self._present[name] = f"{{{word}}}"
        for recorded, known in self._recorded.items():
            if known == f"{{{word}}}":
                self._pairs[recorded] = name

    def pair(self, recorded: object, present: object) -> None:
        """Write a present name for a recorded one in replies."""
        if isinstance(recorded, str) and isinstance(present, str) and recorded and present:
            self._pairs[recorded] = present

    @property
    def of_recorded(self) -> Callable[[str], str]:
        """Writes a text of the recording for a comparison."""
        return _masking(self._recorded)

    @property
    def of_present(self) -> Callable[[str], str]:
        """Writes a text of the present run for a comparison."""
        return _masking(self._present)

    @property
    def to_present(self) -> Callable[[str], str]:
        """Writes a text of the recording with the present names."""
        return _replacing(self._pairs)


def conf_names(body: Any) -> dict[str, str]:
    """Return the names that the request which starts a DAG run gives: word -> name."""
    conf = body.get("conf") if isinstance(body, dict) else None
    if not isinstance(conf, dict):
        return {}
    params = conf.get("lute_params")
    found = {
        "run": body.get("dag_run_id"),
        "lute": conf.get("lute_location"),
        "config": params.get("config_file") if isinstance(params, dict) else None,
    }
    return {word: name for word, name in found.items() if isinstance(name, str)}


def _replacing(table: dict[str, str]) -> Callable[[str], str]:
    if not table:
        return lambda text: text
    longest_first = sorted(table, key=len, reverse=True)
    # A path begins where no other path goes on; any other name may be a part of one.
    whole = [
        (r"(?<![\w/.-])" if name.startswith("/") else r"(?<![\w-])") + re.escape(name)
        for name in longest_first
    ]
    pattern = re.compile(rf"(?:{'|'.join(whole)})(?![\w-])")
    return lambda text: pattern.sub(lambda found: table[found[0]], text)


def _masking(table: dict[str, str]) -> Callable[[str], str]:
    named = _replacing(table)
    return lambda text: _UUID.sub("{uuid}", _TIME.sub("{time}", named(text)))
