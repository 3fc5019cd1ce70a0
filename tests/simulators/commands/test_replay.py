"""A trace repeats, or says where it does not."""

import json
from pathlib import Path

import pytest

from tests.simulators.commands.run_cli import LuteSim


def test_the_same_again(lute_sim: LuteSim, trace: Path) -> None:
    done = lute_sim("replay", str(trace))
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("the same as recorded, line by line\n")
    plain = json.loads(lute_sim("replay", str(trace), "--json").out)
    assert plain["same"] is True


def test_an_edited_line_is_named(lute_sim: LuteSim, trace: Path) -> None:
    lines = trace.read_text().splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if number > 5 and '"status":200' in line)
    lines[number] = lines[number].replace('"status":200', '"status":201')
    trace.write_text("".join(lines))
    done = lute_sim("replay", str(trace))
    assert done.code == 5
    assert done.err.startswith(f"{trace}:{number + 1}: the replay went another way\n")
    assert f"recorded: {lines[number].strip()}" in done.err
    plain = json.loads(lute_sim("replay", str(trace), "--json").out)
    assert (plain["same"], plain["difference"]["line"]) == (False, number + 1)


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\x0c"])
def test_odd_separators_in_an_edited_line_are_no_line_ends(
    separator: str, lute_sim: LuteSim, trace: Path
) -> None:
    lines = trace.read_text().splitlines(keepends=True)
    lines[3] = lines[3].replace('"launcher"', f'"laun{separator}cher"')
    trace.write_text("".join(lines), encoding="utf-8")
    assert lute_sim("replay", str(trace)).err.startswith(f"{trace}:4: ")


@pytest.mark.parametrize("keep", ["lines", "half a line"])
def test_a_truncated_trace_differs_at_its_end(keep: str, lute_sim: LuteSim, trace: Path) -> None:
    lines = trace.read_text().splitlines(keepends=True)[:20]
    trace.write_text("".join(lines) if keep == "lines" else "".join(lines)[:-15])
    done = lute_sim("replay", str(trace))
    assert done.code == 5
    assert f"{trace}:{21 if keep == 'lines' else 20}: " in done.err
    assert ("recorded: (the end)" in done.err) is (keep == "lines")


def test_a_longer_trace_differs_where_the_replay_ends(lute_sim: LuteSim, trace: Path) -> None:
    count = len(trace.read_text().splitlines())
    with trace.open("a") as file:
        file.write('{"t":1,"actor":"a","event":"b"}\n')
    done = lute_sim("replay", str(trace))
    assert done.code == 5
    assert f"{trace}:{count + 1}: " in done.err
    assert "replayed: (the end)" in done.err


@pytest.mark.parametrize(("key", "value"), [("format", 0), ("version", "0.0.1"), ("airflow", "1.10.15")])
def test_a_trace_of_another_version_is_refused(
    key: str, value: object, lute_sim: LuteSim, trace: Path
) -> None:
    done = lute_sim("replay", str(changed(trace, key, value)))
    assert done.code == 2
    assert f"{trace}:1: the trace has {key} {value}, here it is" in done.err
    assert "replay it with the versions that recorded it" in done.err


@pytest.mark.parametrize(
    ("key", "value"),
    [("scenario", {"no_such_field": 1}), ("scenario", None), ("seed", None), ("seed", "x"), ("scenario", [])],
)
def test_a_damaged_header_is_refused(key: str, value: object, lute_sim: LuteSim, trace: Path) -> None:
    done = lute_sim("replay", str(changed(trace, key, value)))
    assert done.code == 2
    assert f"{trace}:1: the header is damaged" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"[]\n", b"no json\n", b"\xff\xfe\x00", b'{"t": 1'])
def test_what_is_no_trace_is_refused(content: bytes, lute_sim: LuteSim, tmp_path: Path) -> None:
    file = tmp_path / "some file"
    file.write_bytes(content)
    done = lute_sim("replay", str(file))
    assert done.code == 2
    assert done.err.startswith(f"lute-sim: error: {file}:")
    assert "Traceback" not in done.err


def changed(trace: Path, key: str, value: object) -> Path:
    """Change the header of a trace."""
    first, _, rest = trace.read_text().partition("\n")
    trace.write_text(json.dumps(json.loads(first) | {key: value}) + "\n" + rest)
    return trace
