"""A detector that gives frames."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lute.errors import ConfigError, TaskFailed, did_you_mean
from lute.tasks.models.find_peaks import FindPeaksPyAlgosParameters
from lute.tasks.sfx.problems import wrong


def check_detector(run: Any, name: str, files: str) -> None:
    """Check that a run has a detector that gives frames.

    Raises:
        ConfigError: it has none of that name, or it gives none.
    """
    if name not in run.detnames:
        raise wrong("det_name", f"{files} has no detector '{name}': {did_you_mean(name, run.detnames)}")
    if not hasattr(getattr(run.Detector(name), "raw", None), "calib"):
        raise wrong("det_name", f"the detector '{name}' of {files} gives no frames")


class ImageDetector:
    """Gives the corrected frames of a detector, and the mask that belongs to them.

    Args:
        run: psana's run.
        parameters: of the Task.
        pedestals: to subtract, in ADU, with the shape of a raw frame; None where there are none.
        mask: 0 where a pixel is bad, with the shape of a frame; None where all are good.
    """

    def __init__(
        self,
        run: Any,
        parameters: FindPeaksPyAlgosParameters,
        pedestals: NDArray[Any] | None,
        mask: NDArray[Any] | None,
    ) -> None:
        self._parameters = parameters
        self._pedestals = None if pedestals is None else pedestals.astype(np.float32)
        self._mask_of_file = mask
        self._mask: NDArray[np.uint16] | None = None
        self._raw = run.Detector(parameters.det_name).raw

    @property
    def mask(self) -> NDArray[np.uint16]:
        """The mask, (panels, ss, fs): 1 where a pixel is good. Known once there was a frame."""
        if self._mask is None:
            raise LookupError("there was no frame yet")
        return self._mask

    def frame(self, event: Any) -> NDArray[np.float32] | None:
        """Return the frame of an event in ADU, (panels, ss, fs); None where the detector has none.

        Raises:
            ConfigError: the pedestals or the mask have another shape than the first frame.
            TaskFailed: the frame has another shape than the first.
        """
        corrected = self._corrected(event)
        if corrected is None:
            return None
        frame = np.ascontiguousarray(corrected, np.float32).reshape(-1, *corrected.shape[-2:])
        if self._mask is None:
            self._mask = self._made_mask(corrected.shape).reshape(frame.shape)
        if frame.shape != self._mask.shape:
            raise TaskFailed(
                f"the frames of '{self._parameters.det_name}' change their shape: from {self._mask.shape} "
                f"to {frame.shape} in the event of the timestamp {event.timestamp}"
            )
        return frame

    def _corrected(self, event: Any) -> NDArray[Any] | None:
        if self._parameters.calibration == "database":
            calibrated: NDArray[Any] | None = self._raw.calib(event)
            return calibrated
        raw: NDArray[Any] | None = self._raw.raw(event)
        if raw is None or self._pedestals is None:
            return raw
        if raw.shape != self._pedestals.shape:
            raise self._wrong_shape("pedestal_file", self._pedestals, raw.shape)
        difference: NDArray[np.float32] = np.subtract(raw, self._pedestals, dtype=np.float32)
        return difference

    def _made_mask(self, shape: tuple[int, ...]) -> NDArray[np.uint16]:
        mask = np.ones(shape, np.uint16)
        if self._parameters.psana_mask:
            mask &= self._raw._mask(calib=False, status=True, edges=False, center=False) != 0
        if self._mask_of_file is not None:
            if self._mask_of_file.shape != shape:
                raise self._wrong_shape("mask_file", self._mask_of_file, shape)
            mask &= self._mask_of_file != 0
        return mask

    def _wrong_shape(self, parameter: str, array: NDArray[Any], shape: tuple[int, ...]) -> ConfigError:
        return wrong(
            parameter,
            f"{getattr(self._parameters, parameter)} has the shape {array.shape}, the frames of "
            f"'{self._parameters.det_name}' have {shape}",
        )
