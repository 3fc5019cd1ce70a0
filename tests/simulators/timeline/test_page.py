import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from simulators.timeline.page import timeline_page, write_timeline
from tests.simulators.timeline import samples


class Tags(HTMLParser):
    """What a browser finds in a page: elements and their attributes, texts outside of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1] != "script":
            self.text += data


@pytest.mark.parametrize("sample", [samples.success, samples.failure, samples.hostile])
def test_a_page_refers_to_nothing_outside(sample: Callable[[], list[samples.Entry]]) -> None:
    tags = Tags(timeline_page(sample()))
    assert not {name for name, _ in tags.attributes} & {
        "src",
        "href",
        "srcset",
        "action",
        "data",
        "style",
        "onerror",
    }
    assert not {"link", "img", "iframe", "object", "base", "a", "form"} & set(tags.elements)
    assert tags.elements.count("script") == 3
    policy = dict(tags.attributes)["content"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy


def test_texts_are_shown_as_they_are() -> None:
    text = Tags(timeline_page(samples.hostile())).text
    assert text.count(samples.HOSTILE) > 5
    assert '<a href="https://example.org/">here</a>' in text


def test_no_text_can_end_a_script() -> None:
    (drawing,) = re.findall(
        r"<script>(\nPromise\.all.*?\n)</script>", timeline_page(samples.hostile()), re.DOTALL
    )
    assert "<" not in drawing


def test_tables() -> None:
    text = Tags(timeline_page(samples.failure())).text
    for words in (
        "1002\n1002",
        "NODE_FAIL\nOUT_OF_MEMORY",
        "one_live_job_per_try",
        "lost reply",
        "lute-sim world smd",
    ):
        assert words in text
    assert "None." not in text
    assert Tags(timeline_page(samples.success())).text.count("None.") == 2


def test_an_empty_trace_is_a_page_without_a_chart() -> None:
    tags = Tags(timeline_page([]))
    assert "there is nothing to draw" in tags.text
    assert tags.elements.count("script") == 1


def test_equal_traces_are_equal_pages() -> None:
    assert timeline_page(samples.failure()) == timeline_page(iter(samples.failure()))


def test_a_file_that_is_cut_short(tmp_path: Path) -> None:
    trace, page = tmp_path / "trace.jsonl", tmp_path / "page.html"
    entries = samples.success()
    trace.write_text(samples.lines(entries) + json.dumps(samples.task(30, "Lost", "running"))[:-4])
    write_timeline(trace, page)
    assert page.read_text(encoding="utf-8") == timeline_page(entries)


def test_a_hostile_file(tmp_path: Path) -> None:
    trace, page = tmp_path / "trace.jsonl", tmp_path / "page.html"
    trace.write_bytes(samples.lines(samples.hostile()).encode() + b'[1]\n{"t": 9, "event": "\xff"}\n')
    write_timeline(trace, page)
    assert "but expected was" in page.read_text(encoding="utf-8")
