"""What the mutants tell."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from tests.mutation.mutants import Mutant


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        by: the test that failed because of it; empty if it lives.
        tests: so many enter its function.
    """

    mutant: Mutant
    is_killed: bool
    by: str
    tests: int

    @property
    def kind(self) -> str:
        """What has been changed: `words`, a `number` or `code`; `untested` where no test comes."""
        if not self.tests:
            return "untested"
        before, after = (
            "".join(line[1:] for line in self.mutant.diff if line[0] == sign) for sign in ("-", "+")
        )
        if _without(_STRING, before) == _without(_STRING, after):
            return "words"
        return "number" if _without(_NUMBER, before) == _without(_NUMBER, after) else "code"


_STRING = re.compile(r"""[fr]?("[^"]*"|'[^']*')""")
_NUMBER = re.compile(r"\b[0-9][0-9._]*")


def _without(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub("", text)


def lines(verdicts: list[Verdict]) -> Iterator[str]:
    """Give the report: those that live, then how many of each file were killed."""
    for kind in ("untested", "code", "number", "words"):
        alive = [verdict for verdict in verdicts if not verdict.is_killed and verdict.kind == kind]
        yield f"\n{len(alive)} alive: {kind}"
        for verdict in alive:
            yield f"{verdict.mutant.file} {verdict.mutant.functions[0]}"
            yield from (f"    {line}" for line in verdict.mutant.diff)
    yield ""
    for file, of_file in groupby(verdicts, key=lambda verdict: verdict.mutant.file):
        yield _line(file, list(of_file))
    yield _line("all", verdicts)


def _line(name: str, verdicts: list[Verdict]) -> str:
    killed = sum(verdict.is_killed for verdict in verdicts)
    share = 100 * killed / len(verdicts) if verdicts else 100.0
    return f"{name}: {killed} of {len(verdicts)} killed, {share:.1f} %"
