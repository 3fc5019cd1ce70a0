import json
from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import pytest

from simulators.timeline.figure import figure
from simulators.timeline.lanes import read_timeline
from tests.simulators.timeline import samples
from tests.simulators.timeline.samples import Entry, fault, header, http, task


def drawn(entries: list[Entry]) -> dict[str, Any]:
    return figure(read_timeline(entries))


def traces(entries: list[Entry], name: str) -> list[dict[str, Any]]:
    return [trace for trace in drawn(entries)["data"] if trace["name"] == name]


@pytest.mark.parametrize("sample", [samples.success, samples.failure, samples.long_run, samples.hostile])
def test_plotly_knows_all_that_it_is_told(sample: Callable[[], list[Entry]]) -> None:
    chart = drawn(sample())
    go.Figure(data=chart["data"], layout=chart["layout"])


def test_plotly_would_complain() -> None:
    chart = drawn(samples.success())
    chart["data"][0]["colour"] = "red"
    with pytest.raises(ValueError, match="colour"):
        go.Figure(data=chart["data"], layout=chart["layout"])


def test_thousands_of_polls_are_one_trace() -> None:
    chart = drawn(samples.long_run(polls=2000))
    (polls,) = (trace for trace in chart["data"] if trace["name"] == "JID: how is the job?")
    assert polls["mode"] == "lines"
    assert polls["x"].count(None) > 2000
    assert len(chart["data"]) < 20


def test_times_stand_where_plotly_cannot_take_them_for_years() -> None:
    for trace in drawn(samples.success())["data"]:
        times = trace["base"] if trace["type"] == "bar" else trace["x"]
        assert all(at is None or at >= 10**11 for at in times)


def test_a_line_leads_to_a_reply_that_took_long() -> None:
    entries = [header(), http(50, "A", "e", 30, status=None, failure="timeout"), http(100, "A", "e", 0.1)]
    (lead, _crosses) = traces(entries, "failed, or no reply (line: the wait)")
    assert (lead["x"][1] - lead["x"][2]) == 30_000
    (quick,) = traces(entries, "e")
    assert len(quick["x"]) == 3


def test_each_kind_stands_in_the_legend_once() -> None:
    chart = drawn(samples.failure())
    shown = [trace["name"] for trace in chart["data"] if trace["showlegend"]]
    assert len(shown) == len(set(shown))
    assert {trace["name"] for trace in chart["data"]} == set(shown)


def test_height_grows_with_the_lanes() -> None:
    heights = [
        drawn([header(), *(task(1, f"A{n}", "running") for n in range(count))])["layout"]["height"]
        for count in (40, 60)
    ]
    assert heights[1] - heights[0] == 20 * 26


def test_words_on_bars_only_where_they_fit() -> None:
    entries = [
        header(),
        task(0, "A", "running"),
        task(60, "A", "deferred"),
        task(66, "A", "running", 2),
        task(67, "A", "success"),
        task(100, "B", "success"),
    ]
    assert [trace["text"] for trace in traces(entries, "running")] == [["running, try 1", ""]]
    assert [trace["text"] for trace in traces(entries, "deferred: waits without a worker")] == [["try 1"]]


def labels(entries: list[Entry]) -> list[tuple[str, float]]:
    return [(one["text"], one["y"]) for one in drawn(entries)["layout"]["annotations"] if "bgcolor" in one]


def test_labels_of_faults_do_not_hide_each_other() -> None:
    close = [
        header(),
        *(fault(n, "jid.start_job", "lost_reply") for n in range(3)),
        task(100, "A", "success"),
    ]
    assert [text for text, _ in labels(close)] == [f"{n} lost reply: jid.start_job" for n in (1, 2, 3)]
    assert len({y for _, y in labels(close)}) == 3
    apart = [header(), *(fault(n * 40, "jid.start_job", "lost_reply") for n in range(3))]
    assert len({y for _, y in labels(apart)}) == 1


def test_many_faults_have_numbers_only() -> None:
    entries = [
        header(),
        *(fault(n, "jid.start_job", "lost_reply") for n in range(40)),
        task(100, "A", "success"),
    ]
    assert [text for text, _ in labels(entries)] == [str(n) for n in range(1, 41)]


def test_a_fault_that_lasts_is_shaded() -> None:
    shapes = drawn(samples.failure())["layout"]["shapes"]
    (shade,) = (shape for shape in shapes if shape.get("opacity"))
    assert shade["x1"] - shade["x0"] == 30_000


def test_texts_cannot_be_plotlys_html() -> None:
    text = json.dumps(drawn(samples.hostile()))
    assert "&lt;a href=" in text
    for tag in ("<a ", "<script", "<img", "</"):
        assert tag not in text.replace("<b>", "").replace("</b>", "").replace("<br>", "")


def test_more_than_a_day_has_its_days_on_the_axis() -> None:
    axis = drawn([header(), task(90_000, "A", "success")])["layout"]["xaxis"]
    assert axis["tickformat"].startswith("day")
    assert axis["tickformatstops"] == []
