"""What is true of a made run, to check an analysis against: `truth/truth.json` and `truth/truth.hkl`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulators.diffraction.crystal import CELL_A, POINT_GROUP, Crystal
from simulators.diffraction.frames import Shot
from simulators.diffraction.instrument import Instrument


@dataclass(frozen=True)
class Truth:
    """What is true of a run.

    Attributes:
        seed: that everything was drawn by.
        instrument: that took the frames.
        timestamps: of each frame, as psana's: seconds << 32 | nanoseconds.
        shots: by the frame's number; frames that are not there are blanks.
    """

    seed: int
    instrument: Instrument
    timestamps: tuple[int, ...]
    shots: dict[int, Shot]

    def write(self, file: Path) -> None:
        """Write it as JSON."""
        frames: list[dict[str, Any]] = []
        for number, timestamp in enumerate(self.timestamps):
            shot = self.shots.get(number)
            frames.append({"timestamp": timestamp, "hit": shot is not None})
            if shot is not None:
                frames[-1] |= {
                    "reciprocal_axes_per_A": shot.reciprocal.tolist(),
                    "scale": shot.scale,
                    "reflections": shot.reflections,
                }
        known = {
            "seed": self.seed,
            "cell_A": [CELL_A] * 3,
            "cell_deg": [90.0] * 3,
            "symmetry": POINT_GROUP,
            "instrument": asdict(self.instrument),
            "frames": frames,
        }
        file.write_text(json.dumps(known, indent=1), encoding="utf-8")


def read_truth(file: Path) -> Truth:
    """Read what `Truth.write` wrote."""
    known = json.loads(file.read_text(encoding="utf-8"))
    frames = known["frames"]
    return Truth(
        seed=known["seed"],
        instrument=Instrument(**known["instrument"]),
        timestamps=tuple(frame["timestamp"] for frame in frames),
        shots={
            number: Shot(np.array(frame["reciprocal_axes_per_A"]), frame["scale"], frame["reflections"])
            for number, frame in enumerate(frames)
            if frame["hit"]
        },
    )


def write_reflections(crystal: Crystal, file: Path) -> None:
    """Write the true intensities as a CrystFEL reflection list, version 2.0; the mean is 1000."""
    lines = [
        "CrystFEL reflection list version 2.0",
        f"Symmetry: {POINT_GROUP}",
        "   h    k    l          I    phase   sigma(I)   nmeas",
    ]
    miller, intensities = crystal.unique()
    order = np.lexsort(miller.T[::-1])
    lines += [
        f"{h:4d} {k:4d} {l:4d} {1000 * intensity:10.2f} {'-':>8} {0:10.2f} {1:7d}"
        for (h, k, l), intensity in zip(miller[order], intensities[order], strict=True)  # noqa: E741
    ]
    file.write_text("\n".join([*lines, "End of reflections"]) + "\n", encoding="utf-8")
