"""How the vectors are written: symbols, expected values, and the text of a vector file.

Nothing here or in the topics uses the package: expected values are written by hand, or computed
with Python's integers, NumPy scalars one operation at a time, and mpmath.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import mpmath
import numpy as np

LANGUAGE = "nxformula-1"
#: Integers with a larger magnitude are written as text.
SAFE = 1 << 53

nan, inf = math.nan, math.inf

#: Arithmetic with 400 bits, of our own: no other user of mpmath is touched.
mp = mpmath.MPContext()
mp.prec = 400


def symbol(
    dtype: str,
    axes: str = "",
    values: Any = None,
    *,
    shape: Sequence[int | None] | None = None,
    units: str | None = None,
) -> dict[str, Any]:
    """A symbol of a vector; axes are separated by blanks."""
    found: dict[str, Any] = {"dtype": dtype, "axes": axes.split()}
    if shape is not None:
        found["shape"] = list(shape)
    if values is not None:
        found["values"] = written(values, dtype)
    if units is not None:
        found["units"] = units
    return found


def real(values: Sequence[float], dtype: str = "float64", axes: str = "i") -> dict[str, Any]:
    return symbol(dtype, axes, values)


def single(values: Sequence[float], axes: str = "i") -> dict[str, Any]:
    return symbol("float32", axes, values)


def integers(dtype: str, values: Sequence[int], axes: str = "i") -> dict[str, Any]:
    return symbol(dtype, axes, values)


def written(value: Any, dtype: str) -> Any:
    """A value, or nested lists of values, as JSON can hold them."""
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.ndim else value[()]
    if isinstance(value, list | tuple):
        return [written(part, dtype) for part in value]
    if dtype == "bool":
        assert value in (True, False), value
        return bool(value)
    if not dtype.startswith("float"):
        assert value == int(value), value
        return int(value) if abs(int(value)) <= SAFE else str(int(value))
    return written_real(value, dtype)


def written_real(value: Any, dtype: str) -> Any:
    """A real with as few digits as tell it from its neighbours."""
    exact = np.dtype(dtype).type(value)
    if np.isnan(exact):
        return "nan"
    if np.isinf(exact):
        return "inf" if exact > 0 else "-inf"
    short = float(str(exact))
    assert np.dtype(dtype).type(short) == exact
    return short


class Topic:
    """The vectors of one file."""

    def __init__(self, name: str, about: str, conformance: str = "core") -> None:
        self.name = name
        self.about = about
        self.conformance = conformance
        self.vectors: list[dict[str, Any]] = []

    def _add(
        self,
        name: str,
        formula: str,
        symbols: dict[str, Any],
        axes: str | None,
        dtype: str,
        more: dict[str, Any],
    ) -> None:
        if axes is None:
            axes = "i" if any("i" in s["axes"] for s in symbols.values()) else ""
        if "error" in more and not more["unused"]:
            words = words_of(formula)
            symbols = {key: value for key, value in symbols.items() if key in words}
        self.vectors.append(
            {
                "name": f"{self.name}/{name}",
                "formula": formula,
                "symbols": symbols,
                "axes": axes.split(),
                "dtype": dtype,
                **{k: v for k, v in more.items() if k != "unused" and v is not None},
            }
        )

    def gives(
        self,
        name: str,
        formula: str,
        values: Any,
        *,
        axes: str | None = None,
        dtype: str = "float64",
        ulp: int | None = None,
        field: str | None = None,
        units: str | None = None,
        gives_units: str | None = None,
        **symbols: dict[str, Any],
    ) -> None:
        """A formula with its result; the axes are `i` if a symbol has that dimension."""
        result: dict[str, Any] = {"values": written(values, dtype)}
        if ulp is not None:
            result["ulp"] = ulp
        if gives_units is not None:
            result["units"] = gives_units
        more = {"field": field, "units": units, "result": result}
        self._add(name, formula, symbols, axes, dtype, more)

    def refuses(
        self,
        name: str,
        marked: str,
        kind: str,
        *,
        axes: str | None = None,
        dtype: str = "float64",
        at: int | None = None,
        placed: bool = True,
        field: str | None = None,
        units: str | None = None,
        language: str | None = None,
        unused: bool = False,
        **symbols: dict[str, Any],
    ) -> None:
        """A formula with its error; `@` in the text marks the place and is left out.

        Symbols that the text does not name are left out as well, unless `unused`.
        """
        if placed and at is None:
            assert marked.count("@") == 1, marked
            at = marked.index("@")
            marked = marked.replace("@", "")
        error: dict[str, Any] = {"kind": kind}
        if at is not None:
            before = marked[:at].split("\n")
            error |= {"line": len(before), "column": len(before[-1]) + 1}
        more = {"field": field, "units": units, "language": language, "error": error}
        more["unused"] = unused or None
        self._add(name, marked, symbols, axes, dtype, more)

    def text(self) -> str:
        """The file."""
        head = {
            "$schema": "../vector.schema.json",
            "language": LANGUAGE,
            "class": self.conformance,
            "about": self.about,
        }
        lines = "".join(f" {_dumped(key)}: {_dumped(value)},\n" for key, value in head.items())
        vectors = ",\n".join(_vector(vector) for vector in self.vectors)
        return f'{{\n{lines} "vectors": [\n{vectors}\n ]\n}}\n'


def _dumped(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _vector(vector: dict[str, Any]) -> str:
    """A vector on some lines: name and formula, symbols, the rest."""
    rows = [[f'"{key}": {_dumped(vector[key])}' for key in ("name", "formula")]]
    symbols = [f"{_dumped(key)}: {_dumped(value)}" for key, value in vector["symbols"].items()]
    inside = ", ".join(symbols) if sum(map(len, symbols)) < 90 else ",\n     ".join(symbols)
    rows.append([f'"symbols": {{{inside}}}'])
    rest = [key for key in vector if key not in ("name", "formula", "symbols")]
    rows.append([f'"{key}": {_dumped(vector[key])}' for key in rest])
    return "  {" + ",\n   ".join(", ".join(row) for row in rows) + "}"


def words_of(text: str) -> set[str]:
    """The words of a text that may be names."""
    return set(re.findall(r"\w+", text))


# Expected values


def each(function: Callable[..., Any], *columns: Iterable[Any]) -> list[Any]:
    """A function of scalars, element by element."""
    with np.errstate(all="ignore"):
        return [function(*row) for row in zip(*columns, strict=True)]


def f(value: Any) -> np.float32:
    """A number rounded to binary32 once."""
    return rounded(value, np.float32)


def d(value: Any) -> np.float64:
    """A number rounded to binary64 once."""
    return rounded(value, np.float64)


def rounded(value: Any, kind: Any) -> Any:
    """An integer, a real or a number of mpmath rounded once to a format, half to even."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        value = mp.mpf(int(value))
    if isinstance(value, mp.mpf) and mp.isfinite(value):
        return _nearest(value, kind)
    with np.errstate(all="ignore"):
        return kind(float(value)) if isinstance(value, mp.mpf) else kind(value)


def _nearest(value: Any, kind: Any) -> Any:
    info = np.finfo(kind)
    if value == 0:
        return kind(0)
    exponent = max(int(mp.floor(mp.log(abs(value), 2))), int(info.minexp))
    unit = mp.mpf(2) ** (exponent - int(info.nmant))
    whole = int(mp.nint(value / unit))  # halves to even
    if abs(whole * unit) >= mp.mpf(2) ** int(info.maxexp):
        return kind(inf if whole > 0 else -inf)
    return kind(float(whole * unit))
