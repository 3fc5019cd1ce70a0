"""Looking after steps that ended without a word: nobody else may have cancelled their jobs."""

from lute.launch.steps import Steps
from lute.launch.sweep import Sweep
from lute.seams import Clock

_LOOKS_S = (5.0, 40.0)
"""So long after such an end: the step may cancel its job itself, and a submission may be under way."""


class Leftovers:
    """Cancels the jobs of failed steps whose operators did not tell that they have ended; a chore.

    A step that is marked failed while it is handed to the triggerer has nobody who notices (seen in the
    virtual world), and a worker that died cannot.
    """

    def __init__(self, steps: Steps, sweep: Sweep, clock: Clock) -> None:
        self._steps = steps
        self._sweep = sweep
        self._clock = clock
        self._ended_s: dict[tuple[str, int, int], float] = {}
        self._looks: dict[tuple[str, int, int], int] = {}

    def poll(self) -> None:
        """Look for jobs where it is time to."""
        now_s = self._clock.monotonic()
        for step in self._steps:
            if not step.state.is_final or step.is_certain:
                continue
            instance = step.instance
            attempt = (instance.task_id, instance.map_index, instance.try_number)
            ended_s = self._ended_s.setdefault(attempt, now_s)
            looks = self._looks.get(attempt, 0)
            if looks < len(_LOOKS_S) and now_s - ended_s >= _LOOKS_S[looks]:
                self._looks[attempt] = looks + 1
                self._sweep.step(step)
