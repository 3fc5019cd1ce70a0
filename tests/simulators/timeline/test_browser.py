"""The page in a real browser, which must draw it without an error and without a network."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from simulators.timeline.page import timeline_page
from tests.simulators.timeline import samples

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)
pytestmark = pytest.mark.skipif(not BROWSER, reason="no chromium on this machine")


def shown(page: str, folder: Path) -> str:
    """Return the elements that a browser has after drawing, without its scripts."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [BROWSER, *OPTIONS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return re.sub(r"<script>.*?</script>", "", done.stdout, flags=re.DOTALL)


def root(dom: str) -> str:
    found = re.search(r"<html[^>]*>", dom)
    assert found
    return found.group()


def svg_texts(dom: str) -> list[str]:
    return [re.sub("<.*?>", "", text).strip() for text in re.findall(r"<text.*?</text>", dom, re.DOTALL)]


def test_a_failure_is_drawn(tmp_path: Path) -> None:
    dom = shown(timeline_page(samples.failure()), tmp_path)
    assert root(dom) == '<html lang="en" data-drawn="yes">'
    texts = svg_texts(dom)
    for words in (
        "launcher",
        "lute_test",
        "SmallDataProducer",
        "1002 SmallDataProducer",
        "sdfmilan002",
        "Slurm controller",
        "deferred, try 2",
        "OUT_OF_MEMORY",
        "1 lost reply: jid.start_job of SmallDataProducer",
        "4 broken: one_live_job_per_try",
        "ran: its node failed",
        "0:05:00",
    ):
        assert words in texts
    assert "Share chart" not in dom


def test_bars_are_where_they_belong(tmp_path: Path) -> None:
    """A quarter of the run is a quarter of the bar that lasts all of it."""
    entries = [samples.header(), samples.task(0, "A", "deferred"), samples.task(0, "B", "running")]
    entries += [samples.task(2, "B", "deferred"), samples.task(8, "A", "success")]
    dom = shown(timeline_page(entries), tmp_path)
    spans = [
        (float(left), float(right) - float(left))
        for left, right in re.findall(r'<g class="point"><path d="M([\d.]+),[\d.]+V[\d.]+H([\d.]+)', dom)
    ]
    assert len(spans) == 3
    (left, quarter), (same_left, whole), (middle, rest) = sorted(spans)
    assert left == same_left
    assert whole == pytest.approx(4 * quarter, rel=0.01)
    assert rest == pytest.approx(3 * quarter, rel=0.01)
    assert middle == pytest.approx(left + quarter, rel=0.01)


def test_thousands_of_polls_are_drawn(tmp_path: Path) -> None:
    dom = shown(timeline_page(samples.long_run(polls=2000)), tmp_path)
    assert root(dom) == '<html lang="en" data-drawn="yes">'
    assert "PeakFinderPyAlgos" in svg_texts(dom)
    assert dom.count("js-line") > 2000


def test_hostile_texts_are_texts(tmp_path: Path) -> None:
    dom = shown(timeline_page(samples.hostile()), tmp_path)
    assert root(dom) == '<html lang="en" data-drawn="yes">'
    assert "<img" not in dom
    assert not re.search(r"<a\b[^>]*example\.org", dom)
    assert any("&lt;script&gt;" in text for text in svg_texts(dom))


def test_an_empty_trace_needs_no_chart(tmp_path: Path) -> None:
    dom = shown(timeline_page([]), tmp_path)
    assert root(dom) == '<html lang="en">'
    assert "there is nothing to draw" in dom


def test_an_error_would_be_seen(tmp_path: Path) -> None:
    without_policy = re.sub(r"<meta http-equiv.*?>", "", timeline_page(samples.success()))
    broken = without_policy.replace('Plotly.newPlot("chart"', 'Plotly.missing("chart"')
    assert broken != without_policy
    dom = shown(broken, tmp_path)
    assert 'data-error="Uncaught TypeError' in root(dom)
    assert "data-drawn" not in root(dom)


@pytest.mark.parametrize(
    "smuggled", ["<script>page.dataset.drawn = 'no';</script>", '<img src="http://127.0.0.1:9/x.png">']
)
def test_what_is_smuggled_in_is_blocked(tmp_path: Path, smuggled: str) -> None:
    page = timeline_page(samples.success())
    dom = shown(page.replace("</body>", f"{smuggled}</body>"), tmp_path)
    assert 'data-error="blocked: ' in root(dom)
    assert 'data-drawn="yes"' in root(dom)
