"""What the simulated JID remembers: the counters of each root job. Jobs live in Slurm."""

import threading
from dataclasses import dataclass, field


@dataclass
class JidState:
    """The counters, guarded against requests that run at the same time."""

    _counters: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def replace_counters(self, root_job_id: str, counters: list[dict[str, object]]) -> None:
        """Store the whole list; what was there before is gone (known)."""
        with self._lock:
            self._counters[root_job_id] = list(counters)

    def counters(self, root_job_id: str) -> list[dict[str, object]]:
        """Return the list, empty for a job never heard of (assumed)."""
        with self._lock:
            return list(self._counters.get(root_job_id, []))
