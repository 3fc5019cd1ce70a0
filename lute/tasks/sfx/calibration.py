"""Arrays from files that correct frames: pedestals and masks."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lute.tasks.sfx.problems import wrong


def read_array(parameter: str, path: Path) -> NDArray[Any]:
    """Return the array of numbers in a numpy file.

    Args:
        parameter: the one that names the file, for the message.
        path: of the file.

    Raises:
        ConfigError: it holds none.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise wrong(parameter, f"{path} is no numpy file: {error}") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise wrong(parameter, f"{path} holds no array of numbers", next_step="save one by numpy.save")
    return array
