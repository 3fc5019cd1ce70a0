"""Node names in Slurm's short form: `sdfmilan[001-002,004]`."""

import re
from collections.abc import Iterable
from itertools import groupby

_RANGE = "[0-9]{1,9}(?:-[0-9]{1,9})?"
MAX_NAMES = 65536
"""Most names in a list, Slurm's own limit (manual page: MAX_SLURM_NODES)."""


def compress(names: Iterable[str]) -> str:
    """Return the short form of `names`, which keep their order of first appearance."""
    parts: list[str] = []
    for (prefix, width), group in groupby(names, key=_shape):
        numbers = [name[len(prefix) :] for name in group]
        if width == 0:
            parts.extend([prefix] * len(numbers))
        elif len(numbers) == 1:
            parts.append(prefix + numbers[0])
        else:
            parts.append(f"{prefix}[{','.join(_ranges(numbers))}]")
    return ",".join(parts)


def _shape(name: str) -> tuple[str, int]:
    digits = re.search(r"[0-9]*$", name)
    width = len(digits.group()) if digits else 0
    return name[: len(name) - width], width


def _ranges(numbers: list[str]) -> list[str]:
    runs: list[list[str]] = []
    for number in numbers:
        if runs and int(number) == int(runs[-1][-1]) + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]


def expand(text: str) -> list[str]:
    """Return the names that `text` stands for.

    Raises:
        ValueError: it is not a list of names.
    """
    names: list[str] = []
    total = 0
    for part in re.findall(r"[^,\[]+(?:\[[^\]]*\])?", text):
        match = re.fullmatch(
            r"([^\[\]]+)\[([0-9]{1,9}(?:-[0-9]{1,9})?(?:,[0-9]{1,9}(?:-[0-9]{1,9})?)*)\]", part
        )
        if match is None:
            if "[" in part or "]" in part:
                raise ValueError(f"not a list of nodes: {text}")
            names.append(part)
            continue
        prefix, ranges = match.groups()
        for piece in ranges.split(","):
            first, _, last = piece.partition("-")
            total += int(last or first) - int(first) + 1
            if total > MAX_NAMES:
                raise ValueError(f"too many nodes: {text}")
            names.extend(
                f"{prefix}{number:0{len(first)}d}" for number in range(int(first), int(last or first) + 1)
            )
    return names


def compress_counts(counts: Iterable[int]) -> str:
    """Return per-node counts as Slurm's environment does: `128,72`, `3(x2)` (measured)."""
    parts: list[str] = []
    for count, group in groupby(counts):
        times = len(list(group))
        parts.append(str(count) if times == 1 else f"{count}(x{times})")
    return ",".join(parts)
