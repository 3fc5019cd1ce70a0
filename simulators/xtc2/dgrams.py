"""One xtc2 file: the transitions of a run in their order, and the events between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

try:
    from psana.dgramedit import AlgDef, DetectorDef, DgramEdit
    from psana.psexp.transitionid import TransitionId
except RuntimeError as error:  # mpi4py's, where the library of MPI is missing
    raise ImportError(str(error)) from error

from simulators.xtc2.padding import clear_behind_names, clear_behind_shapes

_SPARE_BYTES = 1 << 16
"""What a datagram needs besides its arrays, at most."""
_BEFORE_NS = 1000


@dataclass(frozen=True)
class DetectorSpec:
    """A detector as a file declares it.

    Attributes:
        kind: psana looks for the class `<kind>_<algorithm>_<its version>`.
        algorithm: its name and the three parts of its version.
        fields: type and rank of each.
    """

    name: str
    kind: str
    algorithm: tuple[str, int, int, int]
    fields: Mapping[str, tuple[type, int]]


_RUN = DetectorSpec("runinfo", "runinfo", ("runinfo", 0, 0, 1), {"expt": (str, 1), "runnum": (np.uint32, 0)})


class XtcFile:
    """Writes one file; a context manager: within it, events are written.

    Args:
        file: opened for writing.
        experiment: name of the experiment.
        run: number of the run.
        first: timestamp of the first event, seconds << 32 | nanoseconds.
        detectors: all that its configuration is to name.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        experiment: str,
        run: int,
        first: int,
        detectors: Sequence[DetectorSpec],
    ) -> None:
        self._file = file
        self._latest = first - _BEFORE_NS
        self._config = DgramEdit(transition_id=TransitionId.Configure, ts=self._latest)
        self._about = {"expt": experiment, "runnum": run}
        self._fields = {
            spec.name: self._declared(number, spec) for number, spec in enumerate((_RUN, *detectors), 1)
        }

    def __enter__(self) -> Self:
        configuration = _content(self._config)
        clear_behind_names(configuration)
        self._file.write(configuration)
        self._file.write(self._filled(TransitionId.BeginRun, self._next(), _RUN, self._about))
        for kind in (TransitionId.BeginStep, TransitionId.Enable):
            self._transition(kind)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for transition in (TransitionId.Disable, TransitionId.EndStep, TransitionId.EndRun):
                self._transition(transition)

    def event(self, timestamp: int, detector: DetectorSpec, values: Mapping[str, Any]) -> tuple[int, int]:
        """Write an event with values of a detector's fields; return its offset and size, in bytes."""
        self._latest = timestamp
        offset = self._file.tell()
        return offset, self._file.write(self._filled(TransitionId.L1Accept, timestamp, detector, values))

    def _declared(self, number: int, spec: DetectorSpec) -> Any:
        """Declare a detector and return what takes its values."""
        definition = DetectorDef(spec.name, spec.kind, f"{spec.name}_1")
        made = self._config.Detector(
            definition, AlgDef(*spec.algorithm), dict(spec.fields), nodeId=1, namesId=number
        )
        return getattr(made, spec.algorithm[0])

    def _next(self) -> int:
        self._latest += 1
        return self._latest

    def _transition(self, kind: int) -> None:
        dgram = DgramEdit(transition_id=kind, config_dgramedit=self._config, ts=self._next())
        self._file.write(_content(dgram))

    def _filled(
        self, kind: int, timestamp: int, detector: DetectorSpec, values: Mapping[str, Any]
    ) -> memoryview:
        """Return a datagram with values."""
        dgram = DgramEdit(transition_id=kind, config_dgramedit=self._config, ts=timestamp)
        fields = self._fields[detector.name]
        for name, value in values.items():
            setattr(fields, name, value)
        dgram.adddata(fields)
        content = _content(dgram, sum(np.asarray(value).nbytes for value in values.values()))
        clear_behind_shapes(content, [rank for _, rank in detector.fields.values()])
        return content


def _content(dgram: DgramEdit, values_bytes: int = 0) -> memoryview:
    buffer = bytearray(values_bytes + _SPARE_BYTES)
    dgram.save(buffer)
    return memoryview(buffer)[: dgram.size]
