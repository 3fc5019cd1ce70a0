from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lute.errors import ConfigError
from lute.io.yaml_lines import read_documents


def read(tmp_path: Path, text: str | bytes):
    file = tmp_path / "a 'weird'\nnämé.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_documents(file)


def test_values_and_their_lines(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "a: 1\nb:\n  c: [x,\n    y]\n")
    assert document.value == {"a": 1, "b": {"c": ["x", "y"]}}
    assert document.lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 3,
        ("b", "c", 0): 3,
        ("b", "c", 1): 4,
    }


def test_directive_and_document_ends_of_the_sites_files(tmp_path: Path) -> None:
    documents = read(tmp_path, "%YAML 1.3\n---\na: 1\n...\n---\nb: 2\n...\n")
    assert [document.value for document in documents] == [{"a": 1}, {"b": 2}]


def test_bom_and_empty(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeffa: 1")[0].value == {"a": 1}
    assert read(tmp_path, "") == []
    assert read(tmp_path, "# only a comment\n") == []


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "base: &b {x: 1, y: 2}\nmine:\n  <<: *b\n  y: 3\n")
    assert document.value == {"base": {"x": 1, "y": 2}, "mine": {"x": 1, "y": 3}}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "'a' is used twice, first on line 1"),
        ("a:\n  b: 1\n  b: 2\n", 3, "'b' is used twice"),
        ("a: [1,\nb: 2\n", 3, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        (b"a: 1\nb: \xff\n", 2, "byte 0xff is not UTF-8"),
        (b"a: 1\nb: \x00\n", 2, "a character that YAML does not allow"),
        ("a: 1\nb: !!python/object:os.system x\n", 2, "could not determine a constructor"),
        ("a: &x\n  - *x\n", 1, "an alias that refers to itself"),
        ("a: 1\n? [1, 2]\n: 3\n", 2, "is not a name"),
        ("a: 1\nb: 2026-13-45\n", 2, "not a valid value"),
        ("a: *unknown\n", 1, "undefined alias"),
    ],
)
def test_problems_are_told_with_their_line(tmp_path: Path, text: str | bytes, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert caught.value.line == line
    assert says in str(caught.value)


def test_missing_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_documents(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="directory"):
        read_documents(tmp_path)


def test_billions_of_values_behind_aliases(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match="more than 100000 values"):
        read(tmp_path, "\n".join(lines))


def test_very_deep_nesting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        read(tmp_path, "[" * 5000 + "]" * 5000)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_a_config_error(tmp_path_factory, data: bytes) -> None:
    try:
        read(tmp_path_factory.getbasetemp(), data)
    except ConfigError as error:
        assert "weird" in str(error)
