"""What the launcher prints, line by line."""

import pytest

from lute.launch.output import Output
from tests.fakes import START, FakeClock

STAMP = START.astimezone().strftime("%H:%M:%S")


@pytest.mark.parametrize("text", ["a log\n", "\n a log", ""])
def test_a_log_has_its_title_and_its_borders(text: str) -> None:
    lines: list[str] = []
    Output(FakeClock(), lines.append).log("A: success", text)
    assert lines[0] == f"{STAMP} A: success"
    assert "\n".join(lines[1:]).split("\n") == [
        "-------------------- log --------------------",
        *(text.rstrip() or "(the log is empty)").split("\n"),
        "----------------- end of log -----------------",
    ]


def test_no_line_has_a_secret() -> None:
    lines: list[str] = []
    output = Output(FakeClock(), lines.append)
    output.line("Bearer abcdefghijklmnop")
    output.news("Bearer abcdefghijklmnop")
    assert lines == ["Bearer ***", f"{STAMP} Bearer ***"]
