"""The methods of indexing that CrystFEL knows, and what of them there is here."""

from lute.errors import LuteError, did_you_mean

_SEARCHED = ("asdf", "taketwo", "smallcell")
"""The stand-in's own search stands for them."""
_NOT_FOUND = ("mosflm", "dirax", "xds", "felix")
"""Separate programs, found nowhere."""
_NOT_COMPILED = ("xgandalf", "pinkindexer", "ffbidx")
_NOT_SIMULATED = ("file",)
_PRIORS = ("cell", "nocell", "latt", "nolatt")


def uses_search(text: str) -> bool:
    """Return whether frames are to be indexed.

    Args:
        text: methods parted by commas, each with what it is told beforehand behind `-`.

    Raises:
        LuteError: one of them cannot be used.
    """
    methods = [method.strip() for method in text.split(",")]
    for method in methods:
        _check(method)
    return methods != ["none"]


def method_name(text: str) -> str:
    """Return the name that stands in a stream, in CrystFEL's form, for the first of some methods."""
    return f"{text.split(',')[0].strip().partition('-')[0]}-latt-cell"


def _check(method: str) -> None:
    name, *priors = method.split("-")
    name = name.lower()
    if name in _NOT_FOUND:
        raise LuteError(f"indexing method '{name}' cannot be used: program not found")
    if name in _NOT_COMPILED:
        raise LuteError(f"indexing method '{name}' cannot be used: compiled without it")
    if name in _NOT_SIMULATED:
        raise LuteError(f"indexing method '{name}' cannot be used: the stand-in has none such")
    if name not in (*_SEARCHED, "none"):
        raise LuteError(
            f"Unrecognised indexing method '{name}'", next_step=did_you_mean(name, (*_SEARCHED, "none"))
        )
    for prior in priors:
        if prior not in _PRIORS:
            raise LuteError(
                f"Unrecognised indexing method '{method}'", next_step=did_you_mean(prior, _PRIORS)
            )
    if "nocell" in priors or "nolatt" in priors:
        raise LuteError(f"indexing method '{method}' cannot be used: the stand-in needs a known cell")
