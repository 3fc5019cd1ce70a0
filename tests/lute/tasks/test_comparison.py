# ruff: noqa: E741 - the index l
"""The overall figures of merit."""

import math
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lute.errors import TaskFailed
from lute.io.header import Header
from lute.tasks.models.sfx import CompareHKLParameters
from lute.tasks.result import TaskResult
from lute.tasks.results.comparison import comparison_result
from lute.tasks.results.shells import check_shells
from tests.lute.tasks.sfx_files import CELL_FILE, cubic_indices, reflection_list, shell_table

Rows = dict[tuple[int, int, int], float]
INDICES = cubic_indices(6.0)
ROWS: Rows = {miller: 100.0 + 37 * number % 211 for number, miller in enumerate(INDICES)}


def result(
    folder: Path, first: Rows, second: Rows, merged: Rows | None = None, **parameters: object
) -> TaskResult:
    for name, rows in (("x.hkl", merged), ("x.hkl1", first), ("x.hkl2", second)):
        (folder / name).unlink(missing_ok=True)
        if rows is not None:
            (folder / name).write_text(reflection_list(rows))
    (folder / "x.cell").write_text(CELL_FILE)
    if not (folder / "x.dat").exists():
        (folder / "x.dat").write_text(shell_table([1, 2, 3]))
    values: dict[str, object] = {"symmetry": "m-3m", "nshells": 3, "highres": 6.0, "fix_unity": True}
    model = CompareHKLParameters(
        in_files=["x.hkl1", "x.hkl2"], cell_file="x.cell", shell_file="x.dat", **(values | parameters)
    )
    return comparison_result(model, Header(experiment="mfxl1", run=12, work_dir=folder))


def figures(folder: Path, first: Rows, second: Rows, **parameters: object) -> dict[str, float]:
    return dict(result(folder, first, second, **parameters).summary)  # type: ignore[arg-type]


def test_by_hand(tmp_path: Path) -> None:
    """Rsplit = 1/sqrt(2) * 60 / (0.5 * 600); the correlation of (1, 2, 3) and (1.1, 1.8, 3.3) ... ."""
    first = dict(zip(INDICES, [50.0, 100.0, 150.0], strict=False))
    second = dict(zip(INDICES, [60.0, 70.0, 170.0], strict=False))
    found = figures(tmp_path, first, second)
    assert found["Rsplit (%)"] == pytest.approx(100 * 60 / 300 / math.sqrt(2), abs=0.01)
    cc_half = (-50 * -40 + 0 * -30 + 50 * 70) / math.sqrt(5000 * (40**2 + 30**2 + 70**2))
    assert found["CC1/2"] == round(cc_half, 4)
    assert found["CC*"] == round(math.sqrt(2 * cc_half / (1 + cc_half)), 4)
    assert found["reflections compared"] == 3
    assert "completeness (%)" not in found


def test_other_figures_by_hand(tmp_path: Path) -> None:
    first = dict(zip(INDICES, [49.0, 100.0, 100.0], strict=False))
    second = dict(zip(INDICES, [64.0, 100.5, 98.0], strict=False))
    expected = {
        "R1I": 100 * 17.5 / 249,
        "R1F": 100 * (1 + math.sqrt(100.5) - 10 + 10 - math.sqrt(98)) / 27,
        "R2": 100 * math.sqrt((15**2 + 0.5**2 + 2**2) / (49**2 + 2 * 100**2)),
        "d1sig": 100 / 3,
        "d2sig": 200 / 3,
    }
    for fom, value in expected.items():
        assert figures(tmp_path, first, second, fom=fom)[f"{fom} (%)"] == pytest.approx(value, abs=0.01)


@given(scale=st.floats(0.1, 10), b_a2=st.floats(-30, 30))
def test_another_scale_and_b_factor_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, scale: float, b_a2: float
) -> None:
    second = {
        (h, k, l): value * scale * math.exp(b_a2 * (h * h + k * k + l * l) / 1600)
        for (h, k, l), value in ROWS.items()
    }
    found = figures(tmp_path_factory.getbasetemp(), ROWS, second, fix_unity=False)
    assert found["Rsplit (%)"] < 0.1
    assert found["CC1/2"] == pytest.approx(1, abs=1e-4)


@given(st.permutations(sorted(ROWS.values())), st.floats(0.5, 2))
def test_the_order_of_the_sets_and_a_factor_for_both_make_no_difference(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], factor: float
) -> None:
    folder = tmp_path_factory.getbasetemp()
    other = dict(zip(INDICES, values, strict=True))
    found = figures(folder, ROWS, other)
    assert figures(folder, other, ROWS) == found
    assert -1 <= found["CC1/2"] <= 1
    assert ("CC*" in found) is (found["CC1/2"] >= 0)
    assume(all(round(value * factor, 2) > 0 for value in values))
    scaled = figures(folder, *({m: v * factor for m, v in rows.items()} for rows in (ROWS, other)))
    assert scaled["Rsplit (%)"] == pytest.approx(found["Rsplit (%)"], abs=0.02)


def test_completeness_is_that_of_the_merged_set(tmp_path: Path) -> None:
    some = dict(list(ROWS.items())[::2])
    assert result(tmp_path, some, some, ROWS).summary["completeness (%)"] == 100
    measured = {miller: value for number, (miller, value) in enumerate(ROWS.items()) if number % 4}
    measured[1, 0, 0] = 1.0
    found = result(tmp_path, some, some, measured).summary
    assert found["completeness (%)"] == round(100 * len(measured) / len(ROWS), 1)
    assert "completeness (%)" not in result(tmp_path, some, some, measured, symmetry="m3m").summary
    assert "completeness (%)" not in result(tmp_path, some, some).summary


def test_what_lies_beyond_the_limits_does_not_count(tmp_path: Path) -> None:
    beyond = dict.fromkeys(cubic_indices(3.0), 1.0)
    second = beyond | {miller: 500.0 for miller in beyond if miller not in ROWS}
    found = result(tmp_path, beyond | ROWS, second | ROWS, beyond).summary
    assert (found["Rsplit (%)"], found["completeness (%)"]) == (0, 100)
    assert found["reflections compared"] == len(ROWS)
    assert figures(tmp_path, ROWS, ROWS, lowres=20)["reflections compared"] == sum(
        h * h + k * k + l * l >= 4 for h, k, l in ROWS
    )


def test_what_else_is_left_out(tmp_path: Path) -> None:
    first = ROWS | {(3, 3, 3): -50.0, (2, 2, 2): 0.5, (1, 1, 1): math.inf}
    everything = figures(tmp_path, first, ROWS)["reflections compared"]
    assert everything == len(ROWS) - 1, "an infinite one is none"
    assert figures(tmp_path, first, ROWS, ignore_negs=True)["reflections compared"] == everything - 1
    assert figures(tmp_path, first, ROWS, sigma_cutoff=1)["reflections compared"] == everything - 2
    assert figures(tmp_path, first, ROWS, zero_negs=True)["reflections compared"] == everything
    with pytest.raises(TaskFailed, match="only 0 reflections"):
        result(tmp_path, first, ROWS, min_measurements=5)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (ROWS, {(9, 9, 9): 1.0}, "only 0 reflections in common"),
        ({}, {}, "only 0 reflections in common"),
        (dict.fromkeys(ROWS, 0.0), dict.fromkeys(ROWS, 0.0), "no overall figure of merit"),
        (dict.fromkeys(ROWS, 7.0), ROWS, "no overall figure of merit"),
    ],
)
def test_too_little_to_compare(tmp_path: Path, first: Rows, second: Rows, says: str) -> None:
    with pytest.raises(TaskFailed, match=says):
        result(tmp_path, first, second)


def test_no_scale_without_positive_reflections(tmp_path: Path) -> None:
    with pytest.raises(TaskFailed, match="too few reflections are positive"):
        result(tmp_path, dict.fromkeys(ROWS, -1.0), ROWS, fix_unity=False)


def test_the_root_of_a_negative_intensity(tmp_path: Path) -> None:
    with pytest.raises(TaskFailed, match="no overall figure of merit") as failed:
        result(tmp_path, ROWS | {(1, 1, 1): -5.0}, ROWS, fom="R1F")
    assert "ignore_negs" in failed.value.next_step


TABLE = shell_table([3.5, 12, 40.25])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has 0 whole shells instead of 3"),
        (shell_table([]), "has 0 whole shells"),
        (shell_table([1, 2]), "has 2 whole shells"),
        (shell_table([1, math.nan, 2]), r"shell 2, at 4\.00 Å, has the value nan from 20 reflections"),
        (shell_table([1, 2, -math.inf]), "shell 3, .* -inf"),
        (TABLE.replace("40.25", "40.2x"), "shell 3 is no row of numbers"),
        (TABLE.replace("40.25", ""), "shell 3 has 5 columns"),
        (TABLE[:-1], "whole shells"),
    ],
)
def test_tables_that_are_no_success(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "x.dat").write_text(text)
    with pytest.raises(TaskFailed, match=says):
        result(tmp_path, ROWS, ROWS)


@given(st.integers(0, len(TABLE) - 1))
def test_a_table_that_breaks_off(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    file = tmp_path_factory.getbasetemp() / "cut.dat"
    file.write_text(TABLE)
    check_shells(file, 3)
    file.write_text(TABLE[:length])
    with pytest.raises(TaskFailed):
        check_shells(file, 3)
