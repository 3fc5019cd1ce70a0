"""The orders in which jobs wait and run."""

from simulators.slurm.job import Job
from simulators.slurm.queue import Queue, Running
from tests.simulators.slurm.virtual import new_request


def new_job(number: int, priority: int = 0, *, limit_end_s: int = 0) -> Job:
    return Job(number, new_request(), 0.0, "milano", priority, limit_end_s=limit_end_s)


def ids(queue: Queue, count: int | None = None) -> list[int]:
    return [job.id for job in queue.first(count)]


def test_by_priority_then_by_id() -> None:
    queue = Queue()
    for number, priority in [(1, 5), (2, 7), (5, 5), (4, 9), (3, 5)]:
        queue.add(new_job(number, priority))
    assert ids(queue) == [4, 2, 1, 3, 5]
    assert ids(queue, 2) == [4, 2]
    assert len(queue) == 5


def test_an_id_below_its_equals_comes_first_even_if_it_came_last() -> None:
    queue = Queue()
    queue.add(new_job(7, 5))
    queue.add(new_job(3, 5))
    assert ids(queue) == [3, 7]


def test_who_is_ahead() -> None:
    queue = Queue()
    jobs = [new_job(number, priority) for number, priority in [(1, 5), (2, 9), (3, 5)]]
    for job in jobs:
        queue.add(job)
    assert [[other.id for other in queue.ahead_of(job)] for job in jobs] == [[2], [], [2, 1]]


def test_a_job_is_in_one_place_at_a_time() -> None:
    queue, job = Queue(), new_job(1)
    queue.add(job)
    queue.park(job)
    assert (job in queue, len(queue), list(queue.waiting)) == (False, 0, [1])
    queue.add(job)
    assert (job in queue, len(queue), list(queue.waiting)) == (True, 1, [])
    queue.remove(job)
    queue.remove(job)
    assert (job in queue, list(queue.waiting)) == (False, [])
    queue.park(job)
    queue.remove(job)
    assert not queue.waiting


def test_an_unsorted_queue_that_ran_empty() -> None:
    queue, low, high = Queue(), new_job(1, 5), new_job(2, 9)
    queue.add(low)
    queue.add(high)
    queue.remove(low)
    queue.remove(high)
    assert ids(queue) == []
    queue.add(low)
    queue.add(high)
    assert ids(queue) == [2, 1]


def test_running_jobs_by_the_end_of_their_limits() -> None:
    running = Running()
    jobs = [new_job(number, limit_end_s=end_s) for number, end_s in [(1, 90), (2, 60), (3, 90), (4, 30)]]
    for job in reversed(jobs):
        running.add(job)
    assert [job.id for job in running] == [4, 2, 1, 3]
    running.remove(jobs[3])
    running.remove(jobs[0])
    running.remove(jobs[0])  # harmless
    assert [entry[:2] for entry in running.entries] == [(60, 2), (90, 3)]
    assert len(running) == 2
