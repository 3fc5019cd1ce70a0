"""A run made by `lute-sim make-run`, for all tests of the chain."""

from typing import TYPE_CHECKING

import pytest

from tests.simulators.commands.run_cli import LuteSim

if TYPE_CHECKING:
    from simulators.diffraction.made_run import MadeRun


@pytest.fixture(scope="session")
def made_run(tmp_path_factory: pytest.TempPathFactory) -> "MadeRun":
    """100 frames with 58 hits of seed 0; do not write into its folder."""
    for name in ("gemmi", "psana"):
        pytest.importorskip(name, reason=f"no {name}: pip install '.[sfx]' (needs libkrb5-dev)")
    from simulators.diffraction.made_run import RunOptions
    from simulators.diffraction.run import make_run

    return make_run(tmp_path_factory.mktemp("a run é"), RunOptions())


@pytest.fixture
def lute_sim(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> LuteSim:
    """The command line, in this process."""
    return LuteSim(monkeypatch, capsys)
