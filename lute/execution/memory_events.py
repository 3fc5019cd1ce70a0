"""Whether the kernel has killed something of this job for memory, as its control group tells."""

import re
from pathlib import Path


def oom_kills(root: Path = Path("/")) -> int:
    """Return how many processes of this job's step the kernel has killed for lack of memory.

    Slurm calls such a job OUT_OF_MEMORY although its script ends with 0 (measured). 0 where nothing tells.

    Args:
        root: the root of the file system.
    """
    try:
        own = (root / "proc/self/cgroup").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = 0
    for line in own.splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers == "":  # version 2: each group counts those below it, too
            base, name = root / "sys/fs/cgroup", "memory.events"
        elif "memory" in controllers.split(","):
            base, name = root / "sys/fs/cgroup/memory", "memory.oom_control"
        else:
            continue
        for group in _up_to_step(path):
            found = max(found, _count(base / group.lstrip("/") / name))
    return found


def _up_to_step(path: str) -> list[str]:
    """Return a group's path and those above it, up to the step of a Slurm job; only its own elsewhere."""
    parts = path.split("/")
    steps = [number for number, part in enumerate(parts) if part.startswith("step_")]
    if not steps:
        return [path]
    return ["/".join(parts[: number + 1]) for number in range(steps[-1], len(parts))]


def _count(file: Path) -> int:
    try:
        text = file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else 0
