"""Whatever is wrong in a recording is one sentence with file and line."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from lute.errors import ConfigError
from simulators.recording.reader import load_recording
from tests.simulators.recording.samples import AIRFLOW3, ALL, RECORDINGS

Change = Callable[[list[str]], list[str]]


@pytest.mark.parametrize("recording", ALL, ids=lambda path: path.stem)
def test_the_committed_recordings_are_whole_and_small(recording: Path) -> None:
    found = load_recording(recording)
    assert found.header.workflow == recording.stem.rpartition("_")[0]
    assert {exchange.service for exchange in found.exchanges} == {"jid", "airflow"}
    times = [exchange.sent_s for exchange in found.exchanges]
    assert times == sorted(times)
    assert recording.stat().st_size < 300_000
    text = recording.read_text()
    assert str(RECORDINGS.parents[2]) not in text
    assert "/lute-sim-" not in text
    assert "eyJ" not in text


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        (
            lambda lines: [lines[0].replace('"format":1', '"format":2'), *lines[1:]],
            1,
            "is of format 2, this version",
        ),
        (lambda lines: lines[1:], 1, "is no recording: its first line is no header"),
        (lambda lines: [lines[0].replace('"lute":', '"lote":'), *lines[1:]], 1, "'lute': Field required"),
        (lambda lines: lines[:40], 40, "is cut short: its last line is no end"),
        (lambda lines: [*lines[:39], lines[39][:50]], 40, "is not JSON: Expecting"),
        (lambda lines: [*lines[:4], "{oops}", *lines[5:]], 5, "is not JSON: Expecting property name"),
        (lambda lines: [*lines[:4], "[1]", *lines[5:]], 5, "is no JSON object"),
        (lambda lines: [*lines[:4], "[" * 100_000, *lines[5:]], 5, "is not JSON"),
        (
            lambda lines: [*lines[:-2], lines[-1]],
            len(AIRFLOW3.read_text().splitlines()) - 1,
            "exchanges, its end says",
        ),
        (lambda lines: [*lines[:4], lines[0], *lines[5:]], 5, "'header' is no exchange"),
        (
            lambda lines: [*lines[:4], lines[4].replace('"airflow"', '"slurm"'), *lines[5:]],
            5,
            "'service': Input",
        ),
        (
            lambda lines: [*lines[:4], lines[4].replace('"status":200,', ""), *lines[5:]],
            5,
            "neither a status nor",
        ),
        (
            lambda lines: [
                *lines[:4],
                lines[4].replace('"reply":{"json":', '"reply":{"as_in_line":9,"json":'),
                *lines[5:],
            ],
            5,
            "its reply is that of line 9, which is no line before it",
        ),
    ],
)
def test_a_broken_recording_is_refused_with_its_line(
    tmp_path: Path, change: Change, line: int, what: str
) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text("\n".join(change(AIRFLOW3.read_text().splitlines())) + "\n")
    with pytest.raises(ConfigError) as caught:
        load_recording(file)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert what in str(caught.value)
    assert "lute-sim record" in caught.value.next_step
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is no recording"),
        (gzip.compress(b"x" * 5000)[:-20], "is cut short: its gzip data ends early"),
        (gzip.compress(bytes(range(256)))[:-8] + b"\0" * 8, "is no whole gzip file: CRC check failed"),
        (b"\x1f\x8b\x08" + b"\0" * 7 + b"\xff" * 20, "is no whole gzip file: Error -3"),
        (b"\xff\xfe", "is no text"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, what: str) -> None:
    file = tmp_path / "r.jsonl.gz"
    file.write_bytes(data)
    with pytest.raises(ConfigError, match=what):
        load_recording(file)
    with pytest.raises(ConfigError, match=r"absent\.jsonl: cannot be read: No such file"):
        load_recording(tmp_path / "absent.jsonl")
