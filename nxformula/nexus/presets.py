"""Presets: the calibrations of detectors as data, in `schemas/presets`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from nxformula._resources import resource
from nxformula.language.parser import parse
from nxformula.nexus.names import ERRORS_SUFFIX
from nxformula.nexus.sources import SymbolSource, parse_source


@dataclass(frozen=True, slots=True)
class PresetSymbol:
    """What a preset says of a symbol.

    Attributes
    ----------
    dtype : str
        Usual dtype.
    axes : tuple of str
        Dimensions, in the usual order of storage.
    units : str or None
        Units.
    meaning : str
        For people.
    lengths : mapping
        Lengths that dimensions must have.
    not_zero : bool
        Whether the formula divides by it.
    index_of : str or None
        The dimension of other symbols that its values are places along.
    """

    dtype: str
    axes: tuple[str, ...]
    units: str | None
    meaning: str
    lengths: Mapping[str, int]
    not_zero: bool
    index_of: str | None

    def __str__(self) -> str:
        sizes = (f"{a}={self.lengths[a]}" if a in self.lengths else a for a in self.axes)
        units = f" in {self.units}" if self.units else ""
        return f"{self.dtype}[{', '.join(sizes)}]{units}: {self.meaning}"


@dataclass(frozen=True, slots=True)
class Preset:
    """A calibration with what is to be known of it.

    Attributes
    ----------
    name, title : str
        The name, and one line.
    formula : str
        Its text.
    axes, dtype, units, results
        Of the result, as `attach` takes them.
    symbols : dict of PresetSymbol
        By name; `data` is the raw field.
    notes, references : tuple of str
        Conventions and what is left out; where it comes from.
    worked : mapping
        Values of symbols, and the result that was worked out by hand.
    response : mapping or None
        Ranges of raw values, and constants of one pixel, for a picture of its response.
    """

    name: str
    title: str
    formula: str
    axes: tuple[str, ...]
    dtype: str
    units: str | None
    results: tuple[str, ...]
    symbols: Mapping[str, PresetSymbol]
    notes: tuple[str, ...]
    references: tuple[str, ...]
    worked: Mapping[str, Any]
    response: Mapping[str, Any] | None

    def sources(self, symbols: Iterable[str]) -> dict[str, SymbolSource]:
        """Where the values of symbols are.

        Parameters
        ----------
        symbols : iterable of str
            In the form of `--symbol`.

        Raises
        ------
        ValueError
            A text is not of that form, a symbol is given twice, or is none of the preset.

        Examples
        --------
        >>> preset("moench").sources(["gain=gain.h5:/gain"])["gain"].path
        '/gain'
        """
        found: dict[str, SymbolSource] = {}
        for text in symbols:
            name, source = parse_source(text)
            if name in found:
                raise ValueError(f"symbol {name!r} is given twice")
            if name not in self.symbols and not self._has_partner(name):
                listed = ", ".join(self.symbols)
                raise ValueError(f"preset {self.name} has no symbol {name!r}; it has {listed}")
            found[name] = source
        return found

    def _has_partner(self, name: str) -> bool:
        """Whether a name is that of the uncertainties of a symbol or definition."""
        of = name.removesuffix(ERRORS_SUFFIX)
        defined = (let.name for let in parse(self.formula).lets)
        return of != name and of in (*self.symbols, *defined)


@cache
def preset_names() -> tuple[str, ...]:
    """All names, in order."""
    folder = resource("schemas", "presets")
    files = (file.name for file in folder.iterdir())
    return tuple(
        sorted(n[: -len(".json")] for n in files if n.endswith(".json") and ".schema." not in n)
    )


@cache
def preset(name: str) -> Preset:
    """A preset.

    Parameters
    ----------
    name : str
        As `nxformula presets` lists them.

    Raises
    ------
    ValueError
        There is none of this name.

    Examples
    --------
    >>> preset("jungfrau").units
    'keV'
    """
    if name not in preset_names():
        close = get_close_matches(name, preset_names(), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "; 'nxformula presets' lists them"
        raise ValueError(f"there is no preset {name!r}{hint}")
    text = resource("schemas", "presets", f"{name}.json").read_text(encoding="ascii")
    data = json.loads(text)
    symbols = {
        symbol: PresetSymbol(
            facts["dtype"],
            tuple(facts["axes"]),
            facts["units"],
            facts["meaning"],
            facts.get("lengths", {}),
            facts.get("not_zero", False),
            facts.get("index_of"),
        )
        for symbol, facts in data["symbols"].items()
    }
    return Preset(
        data["name"],
        data["title"],
        data["formula"],
        tuple(data["axes"]),
        data["dtype"],
        data["units"],
        tuple(data["results"]),
        symbols,
        tuple(data["notes"]),
        tuple(data["references"]),
        data["worked"],
        data.get("response"),
    )
