"""What an analysis of a made run needs besides its data: geometry, cell, configuration."""

import math
from pathlib import Path

import yaml

from lute.errors import ConfigError
from simulators.diffraction.crystal import CELL_A, POINT_GROUP
from simulators.diffraction.instrument import Instrument

DETECTOR = "Rayonix"
HIGHEST_RESOLUTION_A = 3.5
"""The figures of merit are asked for to this d, in Å; the frames' corners reach further."""


def geometry_text(instrument: Instrument) -> str:
    """Return the geometry file for the CXI files that FindPeaksPyAlgos writes."""
    half = instrument.pixels / 2
    last = instrument.pixels - 1
    return f"""; A simulated detector: one flat panel, its centre in the beam.
photon_energy = /LCLS/photon_energy_eV eV
clen = /LCLS/detector_1/EncoderValue mm
adu_per_photon = {instrument.adu_per_photon:g}
res = {1e6 / instrument.pixel_um:.6f}
data = /entry_1/data_1/data
mask0_data = /entry_1/data_1/mask
mask0_goodbits = 0x0
mask0_badbits = 0x1
peak_list = /entry_1/result_1

0/dim0 = %
0/dim1 = ss
0/dim2 = fs
0/min_fs = 0
0/max_fs = {last}
0/min_ss = 0
0/max_ss = {last}
0/corner_x = {-half:g}
0/corner_y = {-half:g}
0/fs = +1.0x
0/ss = +1.0y
"""


def cell_text() -> str:
    """Return the cell file."""
    edges = "\n".join(f"{name} = {CELL_A:.2f} A" for name in ("a", "b", "c"))
    angles = "\n".join(f"{name} = 90.00 deg" for name in ("al", "be", "ga"))
    return (
        f"CrystFEL unit cell file version 1.0\n\nlattice_type = cubic\ncentering = P\n\n{edges}\n{angles}\n"
    )


def config_text(*, geometry: Path, cell: Path, pedestals: Path, instrument: Instrument) -> str:
    """Return the Tasks' configuration, with the stand-ins in the place of CrystFEL's programs.

    Raises:
        ConfigError: a configuration cannot have one of the paths.
    """
    return f"""%YAML 1.3
---
# Analyses a simulated run with the stand-ins for CrystFEL. To use CrystFEL: leave the lines `executable` out.
title: "Simulated run, cubic cell"
experiment: "{{{{ $EXPERIMENT }}}}"
run: "{{{{ $RUN }}}}"
lute_version: 0.1
task_timeout: 600   # seconds
work_dir: ""        # empty: LUTE_WORK_DIR of the environment, else the current directory
...
---
FindPeaksPyAlgos:
  det_name: "{DETECTOR}"
  tag: "cub"
  pedestal_file: {_quoted(pedestals)}
  pv_camera_length: {instrument.camera_length_mm}   # mm
  photon_energy_eV: {instrument.photon_energy_eV}
  min_peaks: 10
  npix_min: 2
  npix_max: 30
  amax_thr: 80
  atot_thr: 120
  son_min: 7.0
  peak_rank: 3
  r0: 3.0
  dr: 2.0
  nsigm: 7.0

IndexCrystFEL:
  executable: "standin-indexamajig"
  geometry: {_quoted(geometry)}
  cell_file: {_quoted(cell)}
  peaks: "cxi"
  indexing: "asdf"
  int_radius: "3,4,6"

MergePartialator:
  executable: "standin-partialator"
  symmetry: "{POINT_GROUP}"
  model: "xsphere"
  niter: 1
  no_logs: true

CompareHKL:
  executable: "standin-compare_hkl"
  fom: "Rsplit"
  nshells: 10
  highres: {HIGHEST_RESOLUTION_A}   # Å
...
"""


def _quoted(path: Path) -> str:
    """Return a path as YAML.

    Raises:
        ConfigError: a configuration cannot have it.
    """
    text = str(path)
    if "{{" in text or not text.isprintable():
        raise ConfigError(
            f"the path {text!r} cannot stand in a configuration: it has '{{{{' or characters that cannot be "
            "printed",
            next_step="name another folder",
        )
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=math.inf).strip()
