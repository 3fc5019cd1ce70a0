"""Random numbers: one named stream per component, all from one seed."""

from random import Random


class Seeds:
    """Hands out streams of random numbers; a new draw in one moves nothing in another.

    Args:
        seed: any whole number; the same seed gives the same streams on every machine.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, Random] = {}

    def stream(self, name: str) -> Random:
        """Return the stream `name` (`slurm.queue_wait`), always the same object."""
        if name not in self._streams:
            # Random hashes text with SHA-512 itself; hash() would differ from process to process.
            self._streams[name] = Random(f"{self.seed}/{name}")  # noqa: S311 - replayable, not secret
        return self._streams[name]
