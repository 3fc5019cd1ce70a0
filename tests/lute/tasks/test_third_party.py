"""The line above a program's output."""

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lute.tasks.third_party import _quoted


@pytest.mark.parametrize(
    ("word", "text"), [("a", "a"), ("a b", "'a b'"), ("w 'd'\nß", r"$'w \'d\'\nß'"), ("\\\r", r"$'\\\r'")]
)
def test_a_word_stays_on_its_line(word: str, text: str) -> None:
    assert _quoted(word) == text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r")))
def test_a_plain_word_is_quoted_as_ever(word: str) -> None:
    assert _quoted(word) == shlex.quote(word)


def test_bash_reads_it_back() -> None:
    words = ["a b", "'\n\\n'", "$x\n`y`", "\r\n\\", "ß\n\"'\\'"]
    line = " ".join(map(_quoted, words))
    assert "\n" not in line
    read = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
    assert read.stdout.decode().split("\0")[:-1] == words
