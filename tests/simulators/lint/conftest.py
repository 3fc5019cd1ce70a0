"""Files to lint."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulators.lint.finding import Finding
from simulators.lint.lint import lint_file

NOW = datetime(2026, 11, 22, tzinfo=UTC)
Lint = Callable[..., list[Finding]]


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    """Write a DAG file and return what is found in it."""

    def lint_text(text: str, *, static: bool = False, config: Path | None = None) -> list[Finding]:
        file = tmp_path / "case.py"
        file.write_text(text)
        return lint_file(file, now=NOW, static=static, config=config)

    return lint_text
