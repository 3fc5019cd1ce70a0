# ruff: noqa: E741 - the index l
"""Point groups, cells, and how many reflections they leave."""

import itertools
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lute.errors import TaskFailed
from lute.tasks.results.cell import UnitCell, read_cell
from lute.tasks.results.completeness import possible_reflections
from lute.tasks.results.symmetry import point_group
from tests.lute.tasks.sfx_files import CELL_FILE

ORDERS = {
    1: "1",
    2: "-1 2 m 2_uaa 2_uab",
    3: "3_R 3_H",
    4: "2/m 2/m_uab 222 mm2 4 -4",
    6: "-3_R 32_R 3m_R -3_H 321_H 312_H 3m1_H 31m_H 6 -6",
    8: "mmm 4/m 422 4mm -42m -4m2",
    12: "-3m_R -3m1_H -31m_H 6/m 622 6mm -6m2 -62m 23",
    16: "4/mmm",
    24: "6/mmm m-3 432 -43m",
    48: "m-3m",
}
KEPT = {
    "P": lambda h, k, l: True,
    "A": lambda h, k, l: (k + l) % 2 == 0,
    "B": lambda h, k, l: (h + l) % 2 == 0,
    "C": lambda h, k, l: (h + k) % 2 == 0,
    "I": lambda h, k, l: (h + k + l) % 2 == 0,
    "F": lambda h, k, l: h % 2 == k % 2 == l % 2,
    "H": lambda h, k, l: (-h + k + l) % 3 == 0,
}


@pytest.mark.parametrize(("order", "names"), ORDERS.items())
def test_the_order_of_each_group(order: int, names: str) -> None:
    for name in names.split():
        operators = point_group(name)
        assert operators is not None
        assert len(set(operators)) == len(operators) == order, name


def test_a_group_that_is_not_known() -> None:
    assert point_group("4mmm") is None
    assert point_group("") is None


def test_the_unique_axis() -> None:
    assert set(point_group("2_uab") or ()) == {
        ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        ((-1, 0, 0), (0, 1, 0), (0, 0, -1)),
    }


def counted(cell: UnitCell, group: str, low: float, high: float) -> int:
    """Count one by one what `possible_reflections` calculates."""
    seen = set()
    reach = [range(-math.ceil(high * length), math.ceil(high * length) + 1) for length in cell.lengths_a]
    for miller in itertools.product(*reach):
        inverse_d = math.sqrt(max(cell.inverse_d2(miller), 0))
        if low * (1 - 1e-9) <= inverse_d <= high * (1 + 1e-9) and KEPT[cell.centering](*miller):
            seen.add(
                max(
                    tuple(sum(a * x for a, x in zip(row, miller, strict=True)) for row in operator)
                    for operator in point_group(group) or ()
                )
            )
    return len(seen)


@st.composite
def crystals(draw: st.DrawFn) -> tuple[UnitCell, str]:
    """Draw a cell and a point group that fits it."""
    a, b, c = (draw(st.floats(5, 14)) for _ in range(3))
    angle = draw(st.floats(80, 110))
    lengths, angles, groups, centerings = draw(
        st.sampled_from(
            [
                ((a, b, c), (angle, 95.0, 85.0), "1 -1", "P"),
                ((a, b, c), (90.0, angle, 90.0), "2_uab 2/m_uab m_uab", "PC"),
                ((a, b, c), (90.0, 90.0, 90.0), "222 mm2 mmm", "PABCIF"),
                ((a, a, c), (90.0, 90.0, 90.0), "4 -4 4/m 422 4mm -42m -4m2 4/mmm", "PI"),
                ((a, a, c), (90.0, 90.0, 120.0), "3_H 321_H 312_H -3m1_H -31m_H 6 -6 6/mmm -62m", "P"),
                ((a, a, c), (90.0, 90.0, 120.0), "3_H -3_H 321_H 3m1_H -3m1_H", "H"),
                ((a, a, a), (angle, angle, angle), "3_R -3_R 32_R 3m_R -3m_R", "P"),
                ((a, a, a), (90.0, 90.0, 90.0), "23 m-3 432 -43m m-3m", "PIF"),
            ]
        )
    )
    cell = UnitCell(lengths, angles, draw(st.sampled_from(centerings)))
    return cell, draw(st.sampled_from(groups.split()))


@settings(deadline=None, max_examples=60)
@given(crystals(), st.floats(0.02, 0.2), st.floats(0.2, 0.45))
def test_possible_reflections_are_as_many_as_one_can_count(
    crystal: tuple[UnitCell, str], low: float, high: float
) -> None:
    cell, group = crystal
    found = possible_reflections(cell, point_group(group) or (), low, high)
    assert found == counted(cell, group, low, high)


def test_a_cubic_crystal_as_crystfel_counts_it() -> None:
    cell = UnitCell((40, 40, 40), (90, 90, 90))
    assert possible_reflections(cell, point_group("432") or (), 0.01, 1 / 3.4) == 302
    assert possible_reflections(cell, point_group("m-3m") or (), 0.01, 1 / 3.4) == 217


def test_cell_files(tmp_path: Path) -> None:
    file = tmp_path / "x.cell"
    file.write_text(CELL_FILE.replace("centering = P", "centering = I").replace("c = 40.00", "c = 38.5"))
    assert read_cell(file) == UnitCell((40, 40, 38.5), (90, 90, 90), "I")
    file.write_text("HEADER\nCRYST1   79.200   79.200   38.000  90.00  90.00 120.00 P 43 21 2     8\nATOM\n")
    assert read_cell(file) == UnitCell((79.2, 79.2, 38), (90, 90, 120), "P")


@pytest.mark.parametrize("text", ["", "a = 1 A\n", CELL_FILE.replace("al = 90", "al = x"), "CRYST1\n", "\0"])
def test_no_cell(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.cell").write_text(text)
    with pytest.raises(TaskFailed, match="holds no unit cell"):
        read_cell(tmp_path / "x.cell")


@pytest.mark.parametrize("values", ["0 1 1 90 90 90", "1 1 1 90 90 0", "1 1 1 10 20 90", "inf 1 1 90 90 90"])
def test_a_cell_that_cannot_be(tmp_path: Path, values: str) -> None:
    names = ("a", "b", "c", "al", "be", "ga")
    lines = [f"{name} = {value}" for name, value in zip(names, values.split(), strict=True)]
    (tmp_path / "x.cell").write_text("\n".join(lines))
    with pytest.raises(TaskFailed, match="holds no unit cell"):
        read_cell(tmp_path / "x.cell")


def test_spacing_in_an_oblique_cell() -> None:
    """Of a monoclinic cell: 1/d² = (h²/a² + l²/c² - 2hl cos(be)/ac) / sin²(be) + k²/b²."""
    cell = UnitCell((5, 7, 11), (90, 100, 90))
    cos, sin = math.cos(math.radians(100)), math.sin(math.radians(100))
    expected = (4 / 25 + 9 / 121 + 2 * 6 * cos / 55) / sin**2 + 1 / 49
    assert cell.inverse_d2((2, 1, -3)) == pytest.approx(expected)
