"""The recorded exchanges of one service, handed out one by one to those who ask for them again."""

import difflib
from collections.abc import Callable
from pathlib import Path

from simulators.recording.divergence import Diverged, Divergence, difference
from simulators.recording.forms import Form, form_of
from simulators.recording.model import Exchange


class Ledger:
    """What has been asked of the recorded exchanges, and what has not.

    Args:
        named: writes a text of the recording with common words.
    """

    def __init__(self, file: Path, exchanges: list[Exchange], named: Callable[[str], str]) -> None:
        self.file = file
        self._all = [(exchange, recorded_form(exchange, named)) for exchange in exchanges]
        self._left: dict[str, list[tuple[Exchange, Form]]] = {}
        for exchange, form in self._all:
            if not form.is_poll:
                self._left.setdefault(form.key, []).append((exchange, form))

    def polls(self) -> dict[str, list[Exchange]]:
        """Return the polls by key, in the order in which they were asked."""
        found: dict[str, list[Exchange]] = {}
        for exchange, form in self._all:
            if form.is_poll:
                found.setdefault(form.key, []).append(exchange)
        return found

    def take(self, asked: Form) -> Exchange:
        """Return the recorded exchange that answers a request; each answers once, a reading ever again.

        Raises:
            Diverged: the recording has none, or the request was another one then.
        """
        left = self._left.get(asked.key)
        if left is None:
            raise self.unknown(asked)
        if not left:
            known = [(exchange, form) for exchange, form in self._all if form.key == asked.key]
            if asked.is_reading:
                return known[-1][0]
            line = known[-1][0].line
            times = f"{len(known)} time{'s' * (len(known) > 1)}"
            raise Diverged(Divergence(self.file, line, f"{asked.key}: asked once more, recorded {times}"))
        equal = [pair for pair in left if pair[1].content == asked.content]
        if not equal:
            exchange, form = left[0]
            what = f"{asked.key}: is asked in another way"
            diff = difference(form.content, asked.content)
            raise Diverged(Divergence(self.file, exchange.line, what, diff))
        left.remove(equal[0])
        return equal[0][0]

    def unknown(self, asked: Form) -> Diverged:
        """Return the complaint about a request that was never recorded, with the one most like it."""
        keys = {form.key: (exchange, form) for exchange, form in reversed(self._all)}
        near = difflib.get_close_matches(asked.key, keys, n=1, cutoff=0.0)
        if not near:
            return Diverged(
                Divergence(self.file, None, f"{asked.key}: the recording has nothing of this service")
            )
        exchange, form = keys[near[0]]
        what = f"{asked.key}: not in the recording; nearest: {form.key}"
        return Diverged(Divergence(self.file, exchange.line, what, difference(form.content, asked.content)))

    def unasked(self) -> list[Divergence]:
        """Return what was recorded and has not been asked; polls do not count."""
        left = sorted(
            (pair for pairs in self._left.values() for pair in pairs), key=lambda pair: pair[0].line
        )
        return [
            Divergence(self.file, exchange.line, f"{form.key}: recorded, not asked any more")
            for exchange, form in left
        ]


def recorded_form(exchange: Exchange, named: Callable[[str], str]) -> Form:
    """Return the form of a recorded request."""
    return form_of(
        exchange.service,
        exchange.method,
        exchange.path,
        exchange.headers.get("authorization", ""),
        exchange.asked,
        named,
    )
