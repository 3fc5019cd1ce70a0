"""A crystal of known cell and structure."""

from dataclasses import dataclass

import gemmi
import numpy as np

CELL_A = 40.0
"""Edge of the cubic cell, in Å."""
POINT_GROUP = "432"
"""Of no indexing ambiguity: every way to index a pattern gives the same intensities."""
_SPACE_GROUP = "P 4 3 2"
_NUMBER_OF_ATOMS = 130
"""In the asymmetric unit: as many as a protein has in that volume."""
_ELEMENTS = ("C", "N", "O", "S")
_SHARES = (0.62, 0.17, 0.2, 0.01)
_B_FACTOR = 25.0
"""Of each atom, in Å²."""


@dataclass(frozen=True)
class Crystal:
    """All reflections of a crystal to some resolution.

    Attributes:
        miller: indices h, k, l, int, shape (n, 3); a reflection and its Friedel mate are two.
        intensities: |F|² relative to the mean, float, shape (n,).
    """

    miller: np.ndarray
    intensities: np.ndarray

    def unique(self) -> tuple[np.ndarray, np.ndarray]:
        """Return miller and intensities of one reflection of each set that the point group makes equal."""
        rotations = _rotations()
        images = np.einsum("nj,rjk->nrk", self.miller, rotations)
        # The image of the largest h, then k, then l stands for all of them.
        keys = ((images[..., 0] * 1000 + images[..., 1]) * 1000 + images[..., 2]).max(axis=1)
        own = (self.miller[:, 0] * 1000 + self.miller[:, 1]) * 1000 + self.miller[:, 2]
        return self.miller[keys == own], self.intensities[keys == own]


def make_crystal(rng: np.random.Generator, highest_resolution_a: float) -> Crystal:
    """Return a crystal of atoms at random places.

    Args:
        rng: draws elements and places.
        highest_resolution_a: smallest d of its reflections, in Å.
    """
    group = gemmi.SpaceGroup(_SPACE_GROUP)
    structure = _structure(rng, group)
    unique = gemmi.make_miller_array(structure.cell, group, highest_resolution_a)
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    found = {
        tuple(hkl): abs(calculator.calculate_sf_from_small_structure(structure, hkl)) ** 2
        for hkl in unique.tolist()
    }
    asu, operations = gemmi.ReciprocalAsu(group), group.operations()
    edge = int(CELL_A / highest_resolution_a)
    axis = range(-edge, edge + 1)
    miller = [
        (h, k, l)
        for h in axis
        for k in axis
        for l in axis  # noqa: E741 - its name
        if 0 < h * h + k * k + l * l <= (CELL_A / highest_resolution_a) ** 2
    ]
    intensities = np.array([found[tuple(asu.to_asu(list(hkl), operations)[0])] for hkl in miller])
    return Crystal(np.array(miller), intensities / intensities.mean())


def _structure(rng: np.random.Generator, group: gemmi.SpaceGroup) -> gemmi.SmallStructure:
    structure = gemmi.SmallStructure()
    structure.cell.set(CELL_A, CELL_A, CELL_A, 90, 90, 90)
    structure.spacegroup_hm = group.hm
    structure.determine_and_set_spacegroup("S.H2")
    for number in range(_NUMBER_OF_ATOMS):
        site = gemmi.SmallStructure.Site()
        element = rng.choice(_ELEMENTS, p=_SHARES)
        site.label, site.type_symbol, site.element = f"{element}{number}", element, gemmi.Element(element)
        site.fract = gemmi.Fractional(*rng.random(3))
        site.u_iso = _B_FACTOR / (8 * np.pi**2)
        structure.add_site(site)
    structure.setup_cell_images()
    return structure


def _rotations() -> np.ndarray:
    """Return the rotations of the point group, which has no mirrors, int, shape (24, 3, 3)."""
    operations = gemmi.SpaceGroup(_SPACE_GROUP).operations().sym_ops
    rotations: np.ndarray = np.array([operation.rot for operation in operations]) // gemmi.Op.DEN
    return rotations
