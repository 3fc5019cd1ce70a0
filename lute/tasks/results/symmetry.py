"""The point groups, by CrystFEL's names: what they make of the indices of a reflection."""

Operator = tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]
"""The rows give the new h, k and l."""

_INVERSION = "-h,-k,-l"
_TWO_L, _TWO_K, _MIRROR_K, _MIRROR_L = "-h,-k,l", "-h,k,-l", "h,-k,l", "h,k,-l"
_FOUR, _FOUR_BAR = "-k,h,l", "k,-h,-l"
_TWO_DIAGONAL, _MIRROR_DIAGONAL = "k,h,-l", "k,h,l"
_TWO_OTHER, _MIRROR_OTHER = "-k,-h,-l", "-k,-h,l"
_THREE_H, _THREE_R = "-h-k,h,l", "l,h,k"
_SIX, _SIX_BAR = "h+k,-h,l", "-h-k,h,-l"

_GENERATORS: dict[str, tuple[str, ...]] = {
    "1": (),
    "-1": (_INVERSION,),
    "2": (_TWO_L,),
    "m": (_MIRROR_L,),
    "2/m": (_TWO_L, _MIRROR_L),
    "222": (_TWO_L, _TWO_K),
    "mm2": (_TWO_L, _MIRROR_K),
    "mmm": (_TWO_L, _TWO_K, _INVERSION),
    "4": (_FOUR,),
    "-4": (_FOUR_BAR,),
    "4/m": (_FOUR, _MIRROR_L),
    "422": (_FOUR, _TWO_K),
    "4mm": (_FOUR, _MIRROR_K),
    "-42m": (_FOUR_BAR, _TWO_K),
    "-4m2": (_FOUR_BAR, _TWO_DIAGONAL),
    "4/mmm": (_FOUR, _TWO_K, _INVERSION),
    "3_R": (_THREE_R,),
    "-3_R": (_THREE_R, _INVERSION),
    "32_R": (_THREE_R, _TWO_OTHER),
    "3m_R": (_THREE_R, _MIRROR_DIAGONAL),
    "-3m_R": (_THREE_R, _MIRROR_DIAGONAL, _INVERSION),
    "3_H": (_THREE_H,),
    "-3_H": (_THREE_H, _INVERSION),
    "321_H": (_THREE_H, _TWO_DIAGONAL),
    "312_H": (_THREE_H, _TWO_OTHER),
    "3m1_H": (_THREE_H, _MIRROR_OTHER),
    "31m_H": (_THREE_H, _MIRROR_DIAGONAL),
    "-3m1_H": (_THREE_H, _TWO_DIAGONAL, _INVERSION),
    "-31m_H": (_THREE_H, _TWO_OTHER, _INVERSION),
    "6": (_SIX,),
    "-6": (_SIX_BAR,),
    "6/m": (_SIX, _MIRROR_L),
    "622": (_SIX, _TWO_DIAGONAL),
    "6mm": (_SIX, _MIRROR_DIAGONAL),
    "-6m2": (_SIX_BAR, _TWO_OTHER),
    "-62m": (_SIX_BAR, _TWO_DIAGONAL),
    "6/mmm": (_SIX, _TWO_DIAGONAL, _INVERSION),
    "23": (_THREE_R, _TWO_L),
    "m-3": (_THREE_R, _TWO_L, _INVERSION),
    "432": (_THREE_R, _FOUR),
    "-43m": (_THREE_R, _FOUR_BAR),
    "m-3m": (_THREE_R, _FOUR, _INVERSION),
}
_UNIQUE_AXES = {"_uaa": 1, "_uab": 2, "_uac": 0}
"""The axis that takes the place of l -> how often the axes are shifted by one place."""


def point_group(name: str) -> list[Operator] | None:
    """Return all operators of a point group, None where the name is not known here.

    Args:
        name: CrystFEL's name, such as `4/mmm`, `321_H` or, with b as unique axis, `2/m_uab`.
    """
    shift = _UNIQUE_AXES.get(name[-4:], 0)
    generators = _GENERATORS.get(name[:-4] if name[-4:] in _UNIQUE_AXES else name)
    if generators is None:
        return None
    identity: Operator = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    found = [identity]
    for operator in found:  # grows on the way
        for text in generators:
            product = _product(_shifted(_parsed(text), shift), operator)
            if product not in found:
                found.append(product)
    return found


def _parsed(text: str) -> Operator:
    rows = [tuple(_factor(part, axis) for axis in "hkl") for part in text.split(",")]
    return rows[0], rows[1], rows[2]  # type: ignore[return-value]


def _factor(part: str, axis: str) -> int:
    return 0 if axis not in part else -1 if f"-{axis}" in part else 1


def _shifted(operator: Operator, shift: int) -> Operator:
    rows = [tuple(operator[(i - shift) % 3][(j - shift) % 3] for j in range(3)) for i in range(3)]
    return rows[0], rows[1], rows[2]  # type: ignore[return-value]


def _product(left: Operator, right: Operator) -> Operator:
    rows = [tuple(sum(left[i][n] * right[n][j] for n in range(3)) for j in range(3)) for i in range(3)]
    return rows[0], rows[1], rows[2]  # type: ignore[return-value]
