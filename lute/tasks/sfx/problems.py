"""The errors of the parameters that the search finds wrong, once it looks at the run."""

from lute.errors import ConfigError

_TASK = "FindPeaksPyAlgos"


def wrong(parameter: str, what: str, *, next_step: str = "") -> ConfigError:
    """Return the error that a parameter is wrong.

    Args:
        parameter: its name.
        what: what is wrong with it.
        next_step: what the user can do about it.
    """
    return ConfigError(f"'{_TASK}.{parameter}': {what}", next_step=next_step)


def no_data(what: str, *, next_step: str) -> ConfigError:
    """Return the error that the data of the run are not there.

    Args:
        what: what is missing.
        next_step: what the user can do about it.
    """
    return ConfigError(f"{_TASK}: {what}", next_step=next_step)
