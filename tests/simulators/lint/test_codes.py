"""Each code: a file in which it is found and nothing else is, and files in which nothing is."""

import pytest

from simulators.lint.codes import CODES
from tests.simulators.lint.cases import CASES, GOOD, Case, changed
from tests.simulators.lint.conftest import Lint

IN_YAML = {"LUTE601", "LUTE602"}


def test_every_code_has_a_case() -> None:
    assert {case.code for case in CASES} | IN_YAML == set(CODES)


@pytest.mark.parametrize("static", [False, True])
def test_the_good_file_is_good(lint: Lint, static: bool) -> None:
    assert lint(GOOD, static=static) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.new[-40:]}")
def test_the_bad_file_has_this_finding_and_no_other(lint: Lint, case: Case) -> None:
    found = lint(case.bad())
    assert [(finding.code, finding.line) for finding in found] == [(case.code, case.line)], found
    assert found[0].instead


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.new[-40:]}")
def test_reading_alone_finds_the_same_but_for_what_only_importing_tells(lint: Lint, case: Case) -> None:
    expected = [] if case.needs_import else [(case.code, case.line)]
    assert [(finding.code, finding.line) for finding in lint(case.bad(), static=True)] == expected


@pytest.mark.parametrize(
    "text",
    [changed(case.old, fine) for case in CASES for fine in case.fine],
    ids=range(sum(len(c.fine) for c in CASES)),
)
def test_what_is_fine_is_not_found(lint: Lint, text: str) -> None:
    assert lint(text) == [], text
    assert lint(text, static=True) == []
