"""What two replies must have in common."""

import re
from typing import Any

_UNTOLD = frozenset(
    {
        # The machine's and the installation's own.
        "dag_processor", "filename", "file_token", "fileloc", "git_version", "hostname", "id",
        "import_error_id", "message", "module_path", "pid", "stack_trace", "triggerer", "unixname",
        # Simplified, as the simulator's docstrings say.
        "content", "continuation_token", "last_parse_duration",
    }
)  # fmt: skip
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_UNORDERED = frozenset({"downstream_task_ids", "tags"})


def shape(value: Any, key: str = "") -> Any:
    """Return a reply's body with what no two Airflows have in common replaced by words."""
    if key in _UNTOLD:
        return "untold"
    if isinstance(value, dict):
        return {name: shape(held, name) for name, held in value.items()}
    if isinstance(value, list):
        shapes = [shape(held) for held in value]
        return sorted(shapes, key=str) if key in _UNORDERED else shapes
    if key == "duration" and value is not None:
        return "seconds"
    if isinstance(value, str):
        if value.startswith(("<", "<!")) or "<html" in value[:200].lower():
            return "a page for people"
        return _TIME.sub(lambda found: f"time {found.group(2)}", value)
    return "NaN" if value != value else value


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Return where two shapes differ, a line each."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in one.keys() | other.keys()
            for line in differences(one.get(key, "(none)"), other.get(key, "(none)"), f"{where}.{key}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for index, (a, b) in pairs for line in differences(a, b, f"{where}[{index}]")]
    return [] if one == other else [f"{where}: {one!r} here, {other!r} there"]
