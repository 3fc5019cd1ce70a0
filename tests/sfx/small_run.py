"""A small run of frames with round spots, in psana's own format."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from psana.dgramedit import AlgDef, DetectorDef, DgramEdit
from psana.psexp.transitionid import TransitionId

EXPERIMENT = "xpptest123"
"""Not of MFX, for whose experiments psana sets batch sizes of its own."""
_BUFFER_SIZE = 1 << 20


@dataclass(frozen=True)
class SmallRun:
    """What to write.

    Attributes:
        spots: number of spots of each event.
        shape: of the frames, in pixels.
        photon_energy_eV: written as detector `ebeam` where it is given.
        camera_length_mm: written as process variable `CAMERA_LENGTH` where it is given.
        without_frame: events in which the detector has no frame.
        without_beam: events in which `ebeam` has nothing.
        event_codes: of each event, written as detector `timing` where they are given.
    """

    spots: tuple[int, ...] = (20, 0, 15, 1, 30, 0, 12, 3)
    experiment: str = EXPERIMENT
    run: int = 12
    shape: tuple[int, int] = (96, 128)
    pedestal: float = 100.0
    detector: str = "Rayonix"
    photon_energy_eV: float | None = None  # noqa: N815 - as the parameter
    camera_length_mm: float | None = None
    without_frame: tuple[int, ...] = ()
    without_beam: tuple[int, ...] = ()
    event_codes: tuple[int, ...] = ()
    with_smalldata: bool = True
    first_second: int = 1_000_000_000
    seed: int = 0

    def pedestals(self) -> np.ndarray:
        """Return the pedestals, in ADU; no two rows are the same."""
        rows = np.arange(self.shape[0], dtype=np.float32)[:, None]
        return np.broadcast_to(self.pedestal + rows, self.shape).copy()

    def positions(self, event: int) -> list[tuple[int, int]]:
        """Return (row, column) of the spots of an event: on a grid, so that no two touch."""
        places = [
            (row, column)
            for row in range(10, self.shape[0] - 10, 12)
            for column in range(10, self.shape[1] - 10, 12)
        ]
        order = np.random.default_rng((self.seed, event)).permutation(len(places))
        return sorted(places[index] for index in order[: self.spots[event]])

    def frame(self, event: int) -> np.ndarray:
        """Return the raw frame of an event, uint16."""
        noise = np.random.default_rng((self.seed, event, 1)).normal(0, 3, self.shape)
        frame = self.pedestals() + noise
        for row, column in self.positions(event):
            y, x = np.ogrid[-3:4, -3:4]
            frame[row - 3 : row + 4, column - 3 : column + 4] += 900 * np.exp(-(x**2 + y**2) / 1.5)
        return frame.round().astype(np.uint16)

    def timestamp(self, event: int) -> int:
        """Return the timestamp of an event: seconds << 32 | nanoseconds."""
        return (self.first_second << 32) + 1_000_000 * (event + 10)

    def write(self, data: Path) -> Path:
        """Write the run below `data`, which is what SIT_PSDM_DATA is to be, and return its xtc2 file."""
        xtc = data / self.experiment[:3] / self.experiment / "xtc"
        name = f"{self.experiment}-r{self.run:04d}-s000-c000"
        (xtc / "smalldata").mkdir(parents=True, exist_ok=True)
        big, small = (_Writer(self) for _ in range(2))
        info = small.detector(
            *("smdinfo", "smdinfo", (0, 0, 0), {"intOffset": (np.uint64, 0), "intDgramSize": (np.uint64, 0)}),
            algorithm="offsetAlg",
        )
        big.begin()
        small.begin()
        for event in range(len(self.spots)):
            offset = len(big.content)
            size = big.event(self.timestamp(event), self._values(event, big))
            place = {"intOffset": offset, "intDgramSize": size}
            small.event(self.timestamp(event), [(info.offsetAlg, place)])
        big.end(self.timestamp(len(self.spots)))
        small.end(self.timestamp(len(self.spots)))
        file = xtc / f"{name}.xtc2"
        file.write_bytes(big.content)
        if self.with_smalldata:
            (xtc / "smalldata" / f"{name}.smd.xtc2").write_bytes(small.content)
        return file

    def _values(self, event: int, writer: "_Writer") -> list[tuple[Any, dict[str, Any]]]:
        values = []
        if event not in self.without_frame:
            values.append((writer.frames.raw, {"image": self.frame(event)}))
        if writer.beam and event not in self.without_beam:
            values.append((writer.beam.raw, {"ebeamPhotonEnergy": self.photon_energy_eV}))
        if writer.timing:
            values.append((writer.timing.raw, {"sequenceValues": _bits(self.event_codes[event])}))
        return values


def _bits(code: int) -> np.ndarray:
    words = np.zeros(18, np.uint16)
    words[code // 16] = 1 << code % 16
    return words


class _Writer:
    """Collects the content of one xtc2 file."""

    def __init__(self, run: SmallRun) -> None:
        self.content = bytearray()
        self._start = run.first_second << 32
        self._config = DgramEdit(transition_id=TransitionId.Configure, ts=self._start)
        self._names = 0
        self._run = run
        fields = {"expt": (str, 1), "runnum": (np.uint32, 0)}
        self._runinfo = self.detector("runinfo", "runinfo", (0, 0, 1), fields, algorithm="runinfo")
        self.frames = self.detector(run.detector, "opal", (2, 0, 0), {"image": (np.uint16, 2)})
        self.beam = self.timing = None
        if run.photon_energy_eV is not None:
            self.beam = self.detector("ebeam", "ebeam", (2, 0, 0), {"ebeamPhotonEnergy": (np.float64, 0)})
        if run.camera_length_mm is not None:
            self._epics = self.detector("epics", "epics", (2, 0, 0), {"CAMERA_LENGTH": (np.float64, 0)})
        if run.event_codes:
            self.timing = self.detector("timing", "ts", (2, 0, 0), {"sequenceValues": (np.uint16, 1)})

    def detector(
        self,
        name: str,
        dettype: str,
        version: tuple[int, int, int],
        fields: dict[str, tuple[type, int]],
        algorithm: str = "raw",
    ) -> Any:
        """Add a detector to the Configure transition and return what takes its values."""
        self._names += 1
        return self._config.Detector(
            DetectorDef(name, dettype, f"{name}_1"),
            AlgDef(algorithm, *version),
            fields,
            nodeId=1,
            namesId=self._names,
        )

    def begin(self) -> None:
        """Write what stands before the events."""
        self._save(self._config)
        begin = self._dgram(TransitionId.BeginRun, self._start + 1)
        self._runinfo.runinfo.expt = self._run.experiment
        self._runinfo.runinfo.runnum = self._run.run
        begin.adddata(self._runinfo.runinfo)
        self._save(begin)
        self._save(self._dgram(TransitionId.BeginStep, self._start + 2))
        self._save(self._dgram(TransitionId.Enable, self._start + 3))
        if self._run.camera_length_mm is not None:
            update = self._dgram(TransitionId.SlowUpdate, self._start + 4)
            self._epics.raw.CAMERA_LENGTH = self._run.camera_length_mm
            update.adddata(self._epics.raw)
            self._save(update)

    def event(self, timestamp: int, values: list[tuple[Any, dict[str, Any]]]) -> int:
        """Write an event and return its size in bytes."""
        dgram = self._dgram(TransitionId.L1Accept, timestamp)
        for part, fields in values:
            for name, value in fields.items():
                setattr(part, name, value)
            dgram.adddata(part)
        return self._save(dgram)

    def end(self, timestamp: int) -> None:
        """Write what stands after the events."""
        for offset, kind in enumerate((TransitionId.Disable, TransitionId.EndStep, TransitionId.EndRun)):
            self._save(self._dgram(kind, timestamp + offset))

    def _dgram(self, kind: int, timestamp: int) -> DgramEdit:
        return DgramEdit(transition_id=kind, config_dgramedit=self._config, ts=timestamp)

    def _save(self, dgram: DgramEdit) -> int:
        buffer = bytearray(_BUFFER_SIZE)
        dgram.save(buffer)
        self.content += buffer[: dgram.size]
        return dgram.size
