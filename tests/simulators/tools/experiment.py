"""Frames of crystals of any cell, with what indexing needs besides: a small forward model of its own."""

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from simulators.tools.cell_file import Cell
from simulators.tools.point_groups import PointGroup

CUBIC = Cell((40, 40, 40, 90, 90, 90), lattice_type="cubic")
PIXELS = 256
_PIXEL_MM = 0.3
_HC_EV_A = 12398.419843320026
_PROFILE = 0.0015
"""Width of a reflection across the Ewald sphere, in 1/Å."""


@dataclass(frozen=True)
class Experiment:
    """What to make.

    Attributes:
        camera_length_mm: that the image files tell.
        crystals: of each frame; a frame with 0 has peaks at random places.
    """

    cell: Cell = CUBIC
    symmetry: str = "432"
    camera_length_mm: float = 85.0
    photon_energy_eV: float = 9500.0  # noqa: N815 - eV is the unit
    crystals: tuple[int, ...] = (1,) * 6
    seed: int = 0
    bad: tuple[slice, slice] | None = None
    intensities: dict[tuple[int, ...], float] = field(default_factory=dict)
    """True intensities of the reflections that were seen; filled in by `write`."""

    def write(self, folder: Path, name: str = "frames.cxi") -> "Files":
        """Write image file, list, geometry and cell."""
        folder.mkdir(parents=True, exist_ok=True)
        files = Files(folder, name)
        rng = np.random.default_rng(self.seed)
        images, peaks = [], []
        for crystals in self.crystals:
            image = rng.normal(10, 3, (PIXELS, PIXELS))
            places = [rng.uniform(5, PIXELS - 5, (40 if crystals == 0 else 0, 2))]
            for _ in range(crystals):
                reciprocal = np.linalg.inv(self.cell.axes()).T @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
                reciprocal *= np.sign(np.linalg.det(reciprocal))
                files.reciprocal.append(reciprocal)
                places.append(self._expose(image, reciprocal, rng.uniform(0.5, 2)))
            images.append(image)
            peaks.append(np.concatenate(places))
        self._write_images(files, np.array(images, np.float32), peaks)
        files.listing.write_text(f"{files.images}\n", encoding="utf-8")
        files.geometry.write_text(GEOMETRY, encoding="utf-8")
        files.cell.write_text(self.cell.text(), encoding="utf-8")
        return files

    def _expose(self, image: np.ndarray, reciprocal: np.ndarray, scale: float) -> np.ndarray:
        """Add a crystal's spots to an image; return fs and ss of those that a peak search would find."""
        wave_number = self.photon_energy_eV / _HC_EV_A
        edges = (np.linalg.norm(self.cell.axes(), axis=1) * 0.45).astype(int) + 1
        grid = np.meshgrid(*(np.arange(-edge, edge + 1) for edge in edges), indexing="ij")
        miller = np.stack([part.ravel() for part in grid], axis=1)
        miller = miller[miller.any(axis=1) & self.cell.allows(miller)]
        rays = miller @ reciprocal + np.array([0, 0, wave_number])
        partiality = np.exp(-(((np.linalg.norm(rays, axis=1) - wave_number) / _PROFILE) ** 2) / 2)
        places = rays[:, :2] / rays[:, 2:] * self.camera_length_mm / _PIXEL_MM + PIXELS / 2
        seen = (partiality > 0.02) & (rays[:, 2] > 0) & ((places > 1) & (places < PIXELS - 1)).all(axis=1)
        unique = PointGroup(self.symmetry).asymmetric(miller[seen])
        polarisation = 1 - (rays[seen, 0] / np.linalg.norm(rays[seen], axis=1)) ** 2
        total = scale * partiality[seen] * polarisation * [self.intensity(one) for one in unique]
        columns = np.arange(PIXELS) + 0.5
        profiles = np.exp(-(((columns - places[seen, :, None]) / 0.8) ** 2) / 2) / (0.8 * np.sqrt(2 * np.pi))
        image += np.einsum("n,ns,nf->sf", total, profiles[:, 1], profiles[:, 0])
        found: np.ndarray = places[seen][total > 150]
        return found

    def intensity(self, miller: np.ndarray) -> float:
        """Return the true intensity of a reflection, by the indices that stand for all equal ones."""
        key = tuple(miller.tolist())
        if key not in self.intensities:
            draw = np.random.default_rng([self.seed, *(np.array(key) + 1000)])
            self.intensities[key] = float(draw.exponential(3000))
        return self.intensities[key]

    def _write_images(self, files: "Files", images: np.ndarray, peaks: list[np.ndarray]) -> None:
        mask = np.zeros((PIXELS, PIXELS), np.uint8)
        if self.bad:
            mask[self.bad] = 1
            images[(slice(None), *self.bad)] = 1e6
        with h5py.File(files.images, "w") as file:
            file["entry_1/data_1/data"] = images
            file["entry_1/data_1/mask"] = mask
            file["entry_1/result_1/nPeaks"] = np.array([len(places) for places in peaks])
            for column, name in enumerate(("peakXPosRaw", "peakYPosRaw")):
                table = np.zeros((len(peaks), 2048))
                for row, places in zip(table, peaks, strict=True):
                    row[: len(places)] = np.floor(places[:, column])  # as PyAlgos: the pixel's index
                file[f"entry_1/result_1/{name}"] = table
            file["entry_1/result_1/peakTotalIntensity"] = np.full((len(peaks), 2048), 500.0)
            file["LCLS/photon_energy_eV"] = np.full(len(peaks), self.photon_energy_eV)
            file["LCLS/detector_1/EncoderValue"] = np.full(len(peaks), self.camera_length_mm)


@dataclass(frozen=True)
class Files:
    """What was written.

    Attributes:
        reciprocal: a*, b* and c* as rows of each crystal, in 1/Å.
    """

    folder: Path
    name: str
    reciprocal: list[np.ndarray] = field(default_factory=list)

    @property
    def images(self) -> Path:
        return self.folder / self.name

    @property
    def listing(self) -> Path:
        return self.folder / "frames.lst"

    @property
    def geometry(self) -> Path:
        return self.folder / "detector.geom"

    @property
    def cell(self) -> Path:
        return self.folder / "sample.cell"

    @property
    def stream(self) -> Path:
        return self.folder / "out.stream"


GEOMETRY = """; one panel
photon_energy = /LCLS/photon_energy_eV eV
clen = /LCLS/detector_1/EncoderValue mm
adu_per_photon = 10
res = 3333.333333
data = /entry_1/data_1/data
mask0_data = /entry_1/data_1/mask
mask0_goodbits = 0x0
mask0_badbits = 0x1
peak_list = /entry_1/result_1

0/dim0 = %
0/dim1 = ss
0/dim2 = fs
0/min_fs = 0
0/max_fs = 255
0/min_ss = 0
0/max_ss = 255
0/corner_x = -128
0/corner_y = -128
0/fs = +1.0x
0/ss = +1.0y
"""
