"""The jobs that wait and those that run, in the orders in which the scheduler needs them."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import islice

from simulators.slurm.job import Job


class Queue:
    """Pending jobs: those that may start as soon as there is room, and those that wait for something else.

    Attributes:
        waiting: held, depending on others, not yet eligible or beyond a limit; they block nobody (measured).
    """

    def __init__(self) -> None:
        self.waiting: dict[int, Job] = {}
        self._ready: dict[int, Job] = {}
        self._last_key = (float("-inf"), 0)
        self._is_sorted = True

    def __len__(self) -> int:
        return len(self._ready)

    def __contains__(self, job: Job) -> bool:
        """True if the job may start as soon as there is room."""
        return job.id in self._ready

    def add(self, job: Job) -> None:
        """Put a job among those that may start, at the place of its priority."""
        self.waiting.pop(job.id, None)
        key = _key(job)
        if self._ready and key < self._last_key:
            self._is_sorted = False
        self._last_key = key
        self._ready[job.id] = job

    def park(self, job: Job) -> None:
        """Put a job among those that wait for something else."""
        self._ready.pop(job.id, None)
        self.waiting[job.id] = job

    def remove(self, job: Job) -> None:
        """Forget a job; harmless if it is not here."""
        self._ready.pop(job.id, None)
        self.waiting.pop(job.id, None)

    def first(self, count: int | None = None) -> list[Job]:
        """Return the first `count` jobs that may start, by priority; all of them without a count."""
        self._sort()
        return list(islice(self._ready.values(), count))

    def ahead_of(self, job: Job) -> Iterator[Job]:
        """Yield the jobs that may start and come before `job`."""
        self._sort()
        for other in self._ready.values():
            if _key(other) >= _key(job):
                return
            yield other

    def _sort(self) -> None:
        if not self._is_sorted:
            ordered = sorted(self._ready.values(), key=_key)
            self._ready = {job.id: job for job in ordered}
            if ordered:
                self._last_key = _key(ordered[-1])
            self._is_sorted = True


def _key(job: Job) -> tuple[float, int]:
    """Order jobs by priority, then by id."""
    return -job.priority, job.id


class Running:
    """Jobs that hold cores, by the moment at which their time limit ends them."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Job]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Job]:
        return (job for _, _, job in self._entries)

    @property
    def entries(self) -> list[tuple[int, int, Job]]:
        """End of the time limit in POSIX seconds, job id and job, ascending; do not change it."""
        return self._entries

    def add(self, job: Job) -> None:
        """Note that a job holds cores."""
        insort(self._entries, (job.limit_end_s, job.id, job))

    def remove(self, job: Job) -> None:
        """Note that a job holds none any more."""
        place = bisect_left(self._entries, (job.limit_end_s, job.id))
        if place < len(self._entries) and self._entries[place][2] is job:
            del self._entries[place]
