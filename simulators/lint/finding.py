"""One thing found in a file."""

from dataclasses import dataclass

from lute.redact import redact
from simulators.lint.codes import CODES, Code, Severity


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        code: name of a code.
        file: as the user gave it.
        line: counted from 1.
        message: what is there.
        instead: what to write instead.
    """

    code: str
    file: str
    line: int
    message: str
    instead: str

    @property
    def kind(self) -> Code:
        """The code, with its severity and explanation."""
        return CODES[self.code]

    @property
    def is_error(self) -> bool:
        """True for an error, False for a warning."""
        return self.kind.severity is Severity.ERROR

    def text(self) -> str:
        """Return the finding for people: `FILE:LINE: CODE message`, and what to write."""
        first = f"{self.file}:{self.line}: {self.code} {self.kind.severity}: {_one_line(self.message)}"
        return f"{first}\n  instead: {_one_line(self.instead)}"

    def to_plain(self) -> dict[str, str | int]:
        """Return the finding for machines."""
        return {
            "code": self.code,
            "severity": self.kind.severity.value,
            "file": self.file,
            "line": self.line,
            "message": redact(self.message),
            "instead": redact(self.instead),
        }


def _one_line(text: str) -> str:
    return redact(" ".join(text.split()))
