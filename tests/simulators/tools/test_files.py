"""Reading geometry and cell files, and what follows from them."""

import pytest

pytest.importorskip("h5py")
pytest.importorskip("gemmi")

import tempfile
from itertools import product
from pathlib import Path

import gemmi
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lute.errors import ConfigError, LuteError
from simulators.tools.cell_file import Cell, read_cell_file
from simulators.tools.detector import Panel, farthest_inverse_d
from simulators.tools.geometry_file import read_geometry
from simulators.tools.point_groups import PointGroup
from simulators.tools.quantities import read_quantity
from simulators.tools.reflection_list import Reflections, read_reflections, write_reflections
from tests.simulators.tools.experiment import GEOMETRY

TWO_PANELS = """
photon_energy = 9500 ; eV
clen = 0.1
coffset = 0.002
res = 10000
adu_per_eV = 0.001
data = /data ; and more
mask = /mask
mask_good = 0x0
mask_bad = 0xFFFF
dim0 = %
dim1 = ss
dim2 = fs
rigid_group_q0 = a
bad_beam/min_x = -5
a/min_fs = 0
a/max_fs = 9
a/min_ss = 0
a/max_ss = 4
a/corner_x = -10
a/corner_y = 1
a/fs = x
a/ss = y
res = 5000
b/min_fs = 0
b/max_fs = 9
b/min_ss = 5
b/max_ss = 9
b/corner_x = 2
b/corner_y = 1
b/fs = -0.01x + 0.99y
b/ss = -0.99x -0.01y + 0.1z
b/coffset = -0.003
"""


def _write(folder: Path, text: str) -> Path:
    file = folder / "it's é.geom"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_detector_of_two_panels(tmp_path: Path) -> None:
    geometry = read_geometry(_write(tmp_path, TWO_PANELS))
    first, second = geometry.panels
    assert (first.pixel_m, second.pixel_m) == (1e-4, 2e-4)
    assert (first.offset_m, second.offset_m) == (0.002, -0.003)
    assert second.fs.tolist() == [-0.01, 0.99, 0]
    assert second.ss.tolist() == [-0.99, -0.01, 0.1]
    assert geometry.has_events
    assert (geometry.masks[0].data, geometry.masks[0].bad_bits) == ("/mask", 0xFFFF)
    assert geometry.ignored == ("rigid_group_q0", "bad_beam/min_x")
    assert first.gain(9500) == pytest.approx(9.5)
    assert second.holds(np.array([3.0, 3.0]), np.array([4.9, 5.0])).tolist() == [False, True]


PANELS = [
    Panel("a", 0, 9, 0, 4, *map(np.array, ([-10, 1, 0], [1, 0, 0], [0, 1, 0])), 1e-4, 0.002, 0, 0, np.inf),
    Panel(
        *("b", 0, 9, 5, 9),
        *map(np.array, ([2, 1, 0], [-0.01, 0.99, 0], [-0.99, -0.01, 0.1])),
        *(2e-4, -0.003, 0, 0, np.inf),
    ),
]


@given(st.floats(0, 9.99), st.floats(0, 4.99), st.sampled_from([0, 1]))
def test_rays_hit_where_they_come_from(fs: float, own_ss: float, number: int) -> None:
    panel = PANELS[number]
    ss = own_ss + panel.min_ss
    rays = panel.rays(np.array([fs]), np.array([ss]), 0.1)
    hit, found_fs, found_ss = panel.hits(3 * rays, 0.1)
    assert (found_fs[0], found_ss[0]) == pytest.approx((fs, ss), abs=1e-6)
    assert hit[0] or min(fs % 1, ss % 1, 1 - fs % 1, 1 - ss % 1) < 1e-6
    assert not panel.hits(-rays, 0.1)[0][0]
    assert np.linalg.norm((rays - [0, 0, 1]) / 1.3) <= farthest_inverse_d(PANELS, 0.1, 1.3) + 1e-9


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("res = 3333.333333", "res 3333", ":5: no assignment"),
        ("clen = /LCLS/detector_1/EncoderValue mm", "", "'clen' is missing"),
        ("clen = /LCLS/detector_1/EncoderValue mm", "clen = 85 inch", "'inch'"),
        ("photon_energy = /LCLS/photon_energy_eV eV", "photon_energy = much", "neither a number nor a path"),
        ("0/fs = +1.0x", "0/fs = 1.0q", "no direction"),
        ("0/dim0 = %", "0/dim0 = 3", "dimensions"),
        ("0/max_fs = 255", "0/max_fs = wide", "wide"),
        ("0/", "; 0/", "no panel"),
    ],
)
def test_geometries_that_are_none(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert old in GEOMETRY
    with pytest.raises(ConfigError, match=why) as caught:
        read_geometry(_write(tmp_path, GEOMETRY.replace(old, new)))
    assert "it's é.geom" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("9500", "photon_energy", 9500),
        ("9.5 keV", "photon_energy", 9500),
        ("1.3 A", "wavelength", 9537.246),
        ("1.3e-10 m", "wavelength", 9537.246),
        ("0.085", "clen", 0.085),
        ("85 mm", "clen", 0.085),
    ],
)
def test_quantities(text: str, kind: str, value: float) -> None:
    quantity = read_quantity(text, kind)
    assert isinstance(quantity.source, float)
    assert quantity.value(quantity.source) == pytest.approx(value, rel=1e-6)


@given(
    st.tuples(*[st.floats(10, 300)] * 3),
    st.tuples(*[st.floats(75, 105)] * 3),
    st.tuples(*[st.integers(-20, 20)] * 3).filter(any),
)
def test_resolution_is_that_of_gemmi(
    lengths: tuple[float, float, float], angles: tuple[float, float, float], miller: tuple[int, int, int]
) -> None:
    cell = Cell((*lengths, *angles))
    expected = 1 / gemmi.UnitCell(*lengths, *angles).calculate_d(miller)
    assert cell.inverse_d(np.array([miller]))[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("centering", "space_group"),
    [("A", "A 1 2 1"), ("C", "C 1 2 1"), ("I", "I 4"), ("F", "F 4 3 2"), ("H", "R 3 2:H"), ("P", "P 4")],
)
def test_centering_is_that_of_gemmi(centering: str, space_group: str) -> None:
    miller = np.array(list(product(range(-3, 4), repeat=3)))
    operations = gemmi.SpaceGroup(space_group).operations()
    centred = gemmi.GroupOps([gemmi.Op("x,y,z")])
    centred.cen_ops = operations.cen_ops
    allowed = [not centred.is_systematically_absent(one) for one in miller.tolist()]
    assert Cell((40, 40, 60, 90, 90, 120), centering).allows(miller).tolist() == allowed


def test_cell_files(tmp_path: Path) -> None:
    file = tmp_path / "a.cell"
    cell = Cell((35, 45, 50, 90, 105, 90), "C", "monoclinic", "b")
    file.write_text(cell.text())
    assert read_cell_file(file) == cell
    file.write_text(cell.text().replace("35.00 A", "3.5 nm").replace("105.00 deg", f"{np.radians(105)} rad"))
    assert read_cell_file(file).parameters == pytest.approx(cell.parameters)
    file.write_text("HEADER\nCRYST1   79.200   79.200   38.000  90.00  90.00  90.00 P 43 21 2     8\n")
    assert read_cell_file(file).parameters == (79.2, 79.2, 38, 90, 90, 90)


@pytest.mark.parametrize("text", ["", "a = 40 A\n", "CRYST1 what\n", Cell((40, 40, 40, 10, 10, 170)).text()])
def test_cells_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.cell").write_text(text)
    with pytest.raises(ConfigError, match=r"a\.cell"):
        read_cell_file(tmp_path / "a.cell")


@pytest.mark.parametrize(
    ("name", "space_group", "is_centrosymmetric"),
    [
        ("432", "P 4 3 2", False),
        ("m-3m", "P m -3 m", True),
        ("4/mmm", "P 4/m m m", True),
        ("422", "P 43 21 2", False),
        ("mmm", "P m m m", True),
        ("2/m_uab", "P 1 2/m 1", True),
        ("6/mmm", "P 6/m m m", True),
        ("321_H", "P 3 2 1", False),
        ("-1", "P -1", True),
        ("1", "P 1", False),
    ],
)
def test_point_groups_are_those_of_gemmi(name: str, space_group: str, is_centrosymmetric: bool) -> None:
    group = PointGroup(name)
    assert group.is_centrosymmetric == is_centrosymmetric
    operations = gemmi.SpaceGroup(space_group).operations().sym_ops
    miller = np.array([(1, 2, 3), (-3, 1, 5), (4, 0, -1), (2, 2, 0), (-7, -1, -2)])
    for one in miller:
        images = np.array([operation.apply_to_hkl(one.tolist()) for operation in operations])
        unique = group.asymmetric(images)
        assert (unique == unique[0]).all()
        assert len({tuple(image) for image in images.tolist()}) == len(
            {tuple(image) for image in (group.operators @ one).tolist()}
        )


def test_a_point_group_that_there_is_not() -> None:
    with pytest.raises(LuteError, match="5/m"):
        PointGroup("5/m")


def test_centric_reflections() -> None:
    centric = PointGroup("422").is_centric(np.array([(1, 2, 3), (1, 2, 0), (1, 1, 3), (0, 0, 4)]))
    assert centric.tolist() == [False, True, True, True]


@given(st.lists(st.tuples(*[st.integers(-99, 99)] * 3, st.floats(-1e6, 1e6)), unique_by=lambda row: row[:3]))
def test_a_list_of_reflections_comes_back(rows: list[tuple[int, int, int, float]]) -> None:
    miller = np.array([row[:3] for row in rows], int).reshape(-1, 3)
    values = np.array([row[3] for row in rows], float)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.hkl"
        written = Reflections("432", miller, values, np.abs(values), np.arange(len(rows)))
        write_reflections(written, file, ["Generated by hand"])
        read = read_reflections(file)
    assert read.symmetry == "432"
    assert (read.miller == miller).all()
    assert np.allclose(read.intensity, values, atol=0.006)
    assert (read.measurements == written.measurements).all()
