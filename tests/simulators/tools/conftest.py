"""Running the stand-ins as their commands do."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a stand-in by its name with arguments; return its exit code and what it said on stderr."""

    def run_it(name: str, *arguments: object) -> tuple[int, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [f"standin-{name}", *map(str, arguments)])
        capsys.readouterr()
        # Not before: they need h5py and gemmi.
        code = importlib.import_module(f"simulators.tools.{name}").main()
        return code, capsys.readouterr().err

    return run_it


@pytest.fixture
def index(run: Run) -> Callable[..., tuple[int, str]]:
    """Index the files of an experiment, with further arguments."""

    def index_it(files: Any, *arguments: object) -> tuple[int, str]:
        given = ["-i", files.listing, "-o", files.stream, "-g", files.geometry, "-p", files.cell]
        return run("indexamajig", *given, "--peaks=cxi", "--int-radius=3,4,6", *arguments)

    return index_it
