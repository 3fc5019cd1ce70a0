"""What else is read of an event: its codes, the photon energy, the camera length."""

import math
from dataclasses import dataclass
from typing import Any

from lute.errors import did_you_mean
from lute.tasks.models.find_peaks import FindPeaksPyAlgosParameters
from lute.tasks.sfx.problems import wrong

_TIMING = "timing"
_BEAMS = ("ebeam", "ebeamh")
_BEAM_FIELD = "ebeamPhotonEnergy"
_CODES = 288
"""Number of event codes that there are."""


@dataclass(frozen=True)
class Beamline:
    """The state of the beamline in an event.

    Attributes:
        photon_energy_eV: of the beam.
        camera_length_mm: None where the parameters name none.
    """

    photon_energy_eV: float  # noqa: N815 - the unit's name
    camera_length_mm: float | None


class Readings:
    """Reads what belongs to the events of a run.

    Args:
        run: psana's run.
        parameters: of the Task.
        files: the run's files, as in a message.

    Raises:
        ConfigError: the run lacks what the parameters ask for.
    """

    def __init__(self, run: Any, parameters: FindPeaksPyAlgosParameters, files: str) -> None:
        self._run = run
        self._files = files
        self._code = parameters.event_code if parameters.event_logic else None
        self._timing = None if self._code is None else self._timing_detector()
        self._energy = parameters.photon_energy_eV or self._beam_detector()
        self._length = self._length_detector(parameters.pv_camera_length)

    def is_wanted(self, event: Any) -> bool:
        """Return whether an event has the code asked for; True where none is."""
        if self._timing is None:
            return True
        # psana fails in an event in which the detector has nothing.
        return bool(self._timing._segments(event)) and bool(self._timing.eventcodes(event)[self._code])

    def beamline(self, event: Any) -> Beamline | None:
        """Return the state of the beamline in an event; None where it was not recorded."""
        energy = _number(self._energy, event)
        length = None if self._length is None else _number(self._length, event)
        if energy is None or energy <= 0 or (length is None and self._length is not None):
            return None
        return Beamline(energy, length)

    def _timing_detector(self) -> Any:
        if self._code is not None and self._code >= _CODES:
            raise wrong("event_code", f"there is no event code {self._code}; the last is {_CODES - 1}")
        if _TIMING not in self._run.detnames:
            raise wrong("event_logic", f"{self._files} has no detector '{_TIMING}' with the event codes")
        return self._run.Detector(_TIMING).raw

    def _beam_detector(self) -> Any:
        for name in _BEAMS:
            if name in self._run.detnames:
                reading = getattr(getattr(self._run.Detector(name), "raw", None), _BEAM_FIELD, None)
                if reading is not None:
                    return reading
        raise wrong(
            "photon_energy_eV",
            f"{self._files} has no detector {' or '.join(_BEAMS)} with the photon energy",
            next_step="give the photon energy, in eV",
        )

    def _length_detector(self, given: str | float) -> Any:
        if given == "":
            return None
        try:
            return float(given)
        except ValueError:
            pass
        names = {name for names in self._run.epicsinfo for name in names}
        if given not in names:
            raise wrong(
                "pv_camera_length",
                f"{self._files} has no process variable '{given}': {did_you_mean(str(given), names)}",
                next_step="name one of the run's, or give the camera length, in mm",
            )
        return self._run.Detector(given)


def _number(source: Any, event: Any) -> float | None:
    value = source(event) if callable(source) else source
    return float(value) if value is not None and math.isfinite(value) else None
