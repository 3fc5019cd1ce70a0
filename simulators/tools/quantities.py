"""Numbers with a unit that a geometry file gives itself or says where to find."""

from dataclasses import dataclass

HC_EV_A = 12398.419843320026
"""Planck's constant times the speed of light, in eV Å (CODATA 2018, exact)."""

_FACTORS: dict[str, dict[str, float]] = {
    "photon_energy": {"eV": 1, "keV": 1e3, "MeV": 1e6},
    "clen": {"m": 1, "mm": 1e-3},
    "wavelength": {"m": 1e10, "A": 1},
}
"""To eV, m and Å; the first unit is meant where none is given."""


@dataclass(frozen=True)
class Quantity:
    """A number with a unit, or where it is found.

    Attributes:
        source: the number, or the path of a dataset.
        factor: brings the number to eV, m or Å.
        is_wavelength: whether it is a wavelength, from which the photon energy follows.
    """

    source: float | str
    factor: float
    is_wavelength: bool = False

    def value(self, number: float) -> float:
        """Return the number in eV or m."""
        return HC_EV_A / (number * self.factor) if self.is_wavelength else number * self.factor


def read_quantity(text: str, kind: str) -> Quantity:
    """Return what a line such as `photon_energy = /LCLS/photon_energy_eV eV` says.

    Args:
        text: behind the sign.
        kind: `photon_energy`, `wavelength` or `clen`.

    Raises:
        ValueError: it is neither a number nor a path, or the unit is not known.
    """
    value, _, unit = (part.strip() for part in text.partition(" "))
    factors = _FACTORS[kind]
    if unit not in ("", *factors):
        raise ValueError(f"no unit of '{kind}': {unit!r}; valid: {', '.join(factors)}")
    factor = factors[unit or next(iter(factors))]
    if value.startswith("/"):
        return Quantity(value, factor, kind == "wavelength")
    try:
        return Quantity(float(value), factor, kind == "wavelength")
    except ValueError as error:
        raise ValueError(f"'{kind}' is neither a number nor a path: {value!r}") from error
