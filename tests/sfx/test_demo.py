"""The README's first command."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("psana")
pytest.importorskip("gemmi")

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.served
def test_the_demo_ends_with_figures_of_merit_and_a_page(tmp_path: Path) -> None:
    page = tmp_path / "a page é.html"
    done = subprocess.run(
        [sys.executable, "-m", "simulators.cli", "demo", "--report", str(page)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    shown = done.stdout
    assert done.returncode == 0, shown + done.stderr
    assert re.search(r"made run 12 of mfxl1000126: 100 frames, 58 hits", done.stderr)
    for step in ("PeakFinderPyAlgos", "CrystFELIndexer", "PartialatorMerger", "HKLComparer"):
        assert re.search(rf"│ {step} +│ \d+ +│ sdfmilan\d+ │ COMPLETED", shown)
    assert "PeakFinderPyAlgos: events 100, hits 58, hit rate 58.0 %" in shown
    assert "FindPeaksPyAlgos runs as 4 processes" in shown
    assert re.search(r"HKLComparer: Rsplit \d\.\d+ %, CC1/2 0\.9\d+, CC\* 0\.9\d+, completeness", shown)
    assert f"report: {page}" in shown
    assert "58 of 58 indexed within 1°" in page.read_text(encoding="utf-8")
    assert shown.rstrip().endswith("verdict: workflow pyalgos_sfx SUCCESS (the launcher's exit code is 0)")
