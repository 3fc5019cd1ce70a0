"""Every example of the page on virtual time prints what the page says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "virtual_time.md"
EXAMPLES = re.findall(
    r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```\n\n^```text\n(.*?)^```",
    PAGE.read_text(),
    re.M | re.S,
)


def test_every_block_of_code_is_an_example() -> None:
    assert len(EXAMPLES) == PAGE.read_text().count("```python\n") > 0


@pytest.mark.parametrize(
    ("code", "output"), [example[1:] for example in EXAMPLES], ids=[e[0] for e in EXAMPLES]
)
def test_an_example_prints_what_the_page_says(code: str, output: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(PAGE), "exec"), {"__name__": "example"})
    assert printed.getvalue() == output
