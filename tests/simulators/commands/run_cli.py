"""`lute-sim` in this process, as its `main` runs it."""

import signal
import sys
from dataclasses import dataclass

import pytest

from simulators.cli import main

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


class LuteSim:
    """The command line."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: str) -> Done:
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        self._monkeypatch.setattr(sys, "argv", ["lute-sim", *words])
        self._capsys.readouterr()
        try:
            with pytest.raises(SystemExit) as left:
                main()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        said = self._capsys.readouterr()
        code = left.value.code
        return Done(code if isinstance(code, int) else int(code is not None), said.out, said.err)
