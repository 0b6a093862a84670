"""The names of units: `schemas/units/units-1.json`, loaded into a pint registry of their own.

They are the only names there are, so that the same text is accepted everywhere and none is read
by accident (pint on its own reads `ph` as picohour).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from operator import eq
from threading import Lock
from typing import Any, Final

from nxformula._resources import resource

_LOCK: Final = Lock()


class UnitNames:
    """The table of units.

    Attributes
    ----------
    registry : pint.UnitRegistry
        Knows the units and prefixes of the table, and nothing else.
    characters : dict of int to str
        Characters that are read as another, for `str.translate`.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.characters = str.maketrans(data["characters"])
        self.registry: Any = _registry(data)
        self._dimensionless = frozenset(data["dimensionless"])
        self._advice = {
            text: entry["advice"] for entry in data["refused"] for text in entry["texts"]
        }
        self._names: dict[str, str] = {}
        self._symbols: dict[str, str] = {}
        self._displayed: dict[str, str] = {}
        self._logarithms: dict[str, float] = {}
        for unit in data["units"]:
            self._add(unit, "", [""])
            for prefix in data["prefixes"] if unit["prefixes"] else ():
                self._add(unit, prefix["name"], prefix["symbols"])

    def _add(self, unit: Mapping[str, Any], prefix: str, short: Iterable[str]) -> None:
        """Add a unit with a prefix, which has a name and symbols."""
        canonical = prefix + unit["names"][0]
        symbols = [before + symbol for symbol in unit["symbols"] for before in short]
        self._names |= {prefix + name: canonical for name in unit["names"]}
        self._symbols |= dict.fromkeys(symbols, canonical)
        plain = [symbol for symbol in symbols if symbol.isascii()]
        self._displayed[canonical] = plain[0] if plain else canonical

    def find(self, text: str) -> Any:
        """The powers of a symbol, or of a name in any case; None if there is none."""
        if text.lower() in self._dimensionless:
            return self.powers({})
        canonical = self._symbols.get(text) or self._names.get(text.lower())
        return None if canonical is None else self.powers({canonical: 1})

    def powers(self, exponents: Mapping[str, int]) -> Any:
        """Names with exponents, as pint multiplies them."""
        return self.registry.UnitsContainer(exponents)

    def has_dimension(self, powers: Any) -> bool:
        """Whether names with exponents are more than a number."""
        return bool(self.registry.get_dimensionality(powers))

    def advice(self, text: str) -> str | None:
        """What to write instead of a text that is refused; symbols in their own case are not."""
        return None if text in self._symbols else self._advice.get(text.lower())

    def near(self, text: str) -> str | None:
        """The known name most like an unknown one."""
        folded = [symbol for symbol in self._symbols if symbol.lower() == text.lower()]
        if folded:
            return max(folded, key=lambda symbol: sum(map(eq, symbol, text)))
        close = get_close_matches(text, [*self._symbols, *self._names], n=1, cutoff=0.7)
        return close[0] if close else None

    def displayed(self, canonical: str) -> str:
        """The text of a unit in derived units: its first symbol in ASCII, else its name."""
        return self._displayed[canonical]

    def logarithm(self, canonical: str) -> float:
        """Decimal logarithm of a unit's scale."""
        if canonical not in self._logarithms:
            scale, _ = self.registry.get_root_units(self.powers({canonical: 1}))
            self._logarithms[canonical] = math.log10(scale)
        return self._logarithms[canonical]


def unit_names() -> UnitNames:
    """The table of units, loaded when it is first needed."""
    # Units of two registries do not mix: two threads must not make one each.
    with _LOCK:
        return _load()


@cache
def _load() -> UnitNames:
    text = resource("schemas", "units", "units-1.json").read_text(encoding="ascii")
    return UnitNames(json.loads(text))


def _registry(data: Mapping[str, Any]) -> Any:
    from fractions import Fraction

    import pint

    registry: Any = pint.UnitRegistry(None, non_int_type=Fraction)
    units = data["units"]
    for dimension in sorted({name for unit in units for name in unit["dimensions"]}):
        registry.define(f"coherent_{dimension} = [{dimension}]")
    for prefix in data["prefixes"]:
        registry.define(f"{prefix['name']}- = {prefix['factor']}")
    for unit in units:
        powers = [f"coherent_{name} ** {exponent}" for name, exponent in unit["dimensions"].items()]
        registry.define(f"{unit['names'][0]} = {' * '.join([unit['scale'], *powers])}")
    return registry
