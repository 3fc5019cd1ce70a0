from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.io.config import Config, load_config

HEADER = "experiment: mfxl1013621\nrun: 12\n"


def load(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> Config:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return load_config(file, env or {})


def test_header_with_all_fields(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """%YAML 1.3
---
title: "Größe"
experiment: "{{ $EXPERIMENT }}"
run: "{{ $RUN }}"
date: 2026-11-22
lute_version: 0.1
task_timeout: 60
work_dir: "/data/{{ experiment }}/r{{ run }}"
...
---
Test:
""",
        {"EXPERIMENT": "mfxl1", "RUN": "12"},
    )
    header = config.header
    assert (header.title, header.experiment, header.run) == ("Größe", "mfxl1", 12)
    assert (header.date, header.lute_version, header.task_timeout) == ("2026-11-22", "0.1", 60.0)
    assert header.work_dir == Path("/data/mfxl1/r12")


@pytest.mark.parametrize(
    ("written", "expected"),
    [("12", 12), ('"12"', 12), ('"12_2026-11-22T10:00:00"', 12), ('"dark"', "dark"), ("0", 0)],
)
def test_run(tmp_path: Path, written: str, expected: int | str) -> None:
    assert load(tmp_path, f"experiment: a\nrun: {written}\n---\n").header.run == expected


def test_work_dir_falls_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = HEADER + "work_dir: ''\n---\n"
    assert load(tmp_path, text).header.work_dir == tmp_path
    assert load(tmp_path, text, {"LUTE_WORK_DIR": "/scratch"}).header.work_dir == Path("/scratch")
    assert load(tmp_path, HEADER + "work_dir: sub\n---\n").header.work_dir == tmp_path / "sub"


def test_parameters_are_substituted_only_when_asked_for(tmp_path: Path) -> None:
    config = load(tmp_path, HEADER + "---\nA:\n  x: '{{ $UNSET }}'\nB:\n  y: '{{ run }}'\nC:\n")
    assert config.section_names == ["A", "B", "C"]
    assert config.substituted("B", config.written("B")) == {"y": 12}
    assert config.written("C") == {}
    assert config.written("D") == {}
    with pytest.raises(ConfigError, match=r"config.yaml:5: the environment variable \$UNSET is not set"):
        config.substituted("A", config.written("A"))


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", None, "is empty"),
        (HEADER, None, "has 1 YAML document"),
        (HEADER + "---\n{}\n---\n{}\n", 6, "has 3 YAML document"),
        ("- a\n---\n{}\n", 1, "the header, the first document, must map"),
        (HEADER + "---\n- a\n", 4, "the second document must map"),
        (HEADER + "---\nTest: 3\n", 4, "the section 'Test' must map"),
        (HEADER + "---\n3: {}\n", 4, "the section '3' must map"),
        (HEADER + "---\nTest:\n  1: 2\n", 5, "'1' in the section 'Test' is not a name"),
        (HEADER + "tilte: x\n---\n{}\n", 3, "unknown header field 'tilte': did you mean title?"),
        ("run: 12\n---\n{}\n", 1, "the header field 'experiment' is missing"),
        ("experiment: a\nrun: [1]\n---\n{}\n", 2, "the header field 'run' is"),
        ("experiment: a\nrun: ''\n---\n{}\n", 2, "the header field 'run' is ''"),
        ("experiment: a/b\nrun: 1\n---\n{}\n", 1, "the header field 'experiment' is 'a/b'"),
        (HEADER + "task_timeout: 0\n---\n{}\n", 3, "'task_timeout' is 0: Input should be greater than 0"),
        (HEADER + "task_timeout: soon\n---\n{}\n", 3, "'task_timeout' is 'soon'"),
        (HEADER + "work_dir: '{{ $NO }}'\n---\n{}\n", 3, r"$NO is not set"),
    ],
)
def test_problems(tmp_path: Path, text: str, line: int | None, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert says in str(caught.value)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"{tmp_path / 'config.yaml'}{f':{line}' if line else ''}: ")
