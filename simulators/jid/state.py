"""What the simulated JID remembers: counters, and where logs lie. The jobs themselves live in Slurm."""

import threading
from dataclasses import dataclass, field


@dataclass
class JidState:
    """Guarded against requests that run at the same time."""

    _counters: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    _log_paths: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def replace_counters(self, root_job_id: str, counters: list[dict[str, object]]) -> None:
        """Store the whole list; what was there before is gone (known)."""
        with self._lock:
            self._counters[root_job_id] = list(counters)

    def counters(self, root_job_id: str) -> list[dict[str, object]]:
        """Return the list, empty for a job never heard of (assumed)."""
        with self._lock:
            return list(self._counters.get(root_job_id, []))

    def remember_log_path(self, job_id: str, path: str) -> None:
        """Keep the path that Slurm named, for when Slurm has forgotten the job."""
        with self._lock:
            self._log_paths[job_id] = path

    def log_path(self, job_id: str) -> str | None:
        """Return the path of a job's log, None if Slurm never named one."""
        with self._lock:
            return self._log_paths.get(job_id)
