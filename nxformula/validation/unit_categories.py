"""Categories of units, as NXDL has them."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from typing import Any, Final

from nxformula._resources import resource
from nxformula.errors import UnitError
from nxformula.language.units.texts import Unit, parse_unit
from nxformula.validation.chains import is_angle

#: What is counted has no dimension for NXDL.
_COUNTED: Final = ("count", "photon", "neutron", "electron", "pulse", "frame", "pixel")
#: Categories of which the scale says nothing about whether there must be units.
_WITHOUT: Final = ("NX_UNITLESS", "NX_DIMENSIONLESS", "NX_PULSES", "NX_ANY", "NX_TRANSFORMATION")


@cache
def _categories() -> dict[str, str]:
    text = resource("schemas", "nxmx", "units.json").read_text(encoding="ascii")
    found: dict[str, str] = json.loads(text)
    return found


def needs_units(category: str) -> bool:
    """Whether a field of a category without units is incomplete.

    Examples
    --------
    >>> needs_units("NX_LENGTH"), needs_units("NX_UNITLESS")
    (True, False)
    """
    return any(c not in _WITHOUT and c in _categories() for c in category.split(" or "))


def known_unit(text: str) -> bool:
    """Whether a text is a unit.

    Examples
    --------
    >>> known_unit("mm"), known_unit("furlong")
    (True, False)
    """
    try:
        parse_unit(text)
    except UnitError:
        return False
    return True


@lru_cache(maxsize=4096)
def fits(text: str, category: str) -> bool:
    """Whether a unit is of a category.

    Examples
    --------
    >>> fits("photons/s", "NX_FREQUENCY"), fits("mm", "NX_ANGLE")
    (True, False)
    """
    return any(_fits(text, each) for each in category.split(" or "))


def _fits(text: str, category: str) -> bool:
    if category == "NX_ANGLE":
        return is_angle(text)
    if category.startswith("NX_") and category not in _categories():
        return True
    found = parse_unit(text)
    wanted = parse_unit(_categories().get(category, category))
    if found.ratio(wanted) is not None:
        return True
    if not category.startswith("NX_"):
        return False
    if category == "NX_TEMPERATURE":
        return any(found.ratio(parse_unit(unit)) is not None for unit in ("degC", "degF"))
    return _uncounted(found).ratio(wanted) is not None


def _uncounted(unit: Unit) -> Unit:
    found: Any = unit
    for name, exponent in unit.exponents.items():
        if name in _COUNTED:
            found = found / parse_unit(name) ** exponent
    return Unit(found.powers)
