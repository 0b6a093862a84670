"""Conformance vectors: read files of them, answer them, judge answers.

A vector is one formula with what it is given and what must come of it, as described in
`grammar/conformance/vector.schema.json`. Answers have the form of the adapter protocol of
`grammar/README.md`, so that every implementation is judged alike.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from nxformula._resources import resource
from nxformula.engine.kernel import Kernel
from nxformula.engine.layout import Array
from nxformula.engine.strict_json import read_json, shown
from nxformula.errors import FileError, FormulaError, UnitError, VersionError
from nxformula.language.checker import check
from nxformula.language.parser import parse
from nxformula.language.symbols import Symbol
from nxformula.language.units import check_units
from nxformula.language.units.rules import is_same
from nxformula.language.units.texts import Unit, parse_unit

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

#: The version of the language that this implementation answers for.
LANGUAGE: Final = "nxformula-1"
#: Integers beyond this are written as text: not every reader of JSON keeps their digits.
_SAFE: Final = 1 << 53

#: Elements that the result of a vector may have.
_LARGEST: Final = 1 << 20

Vector: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VectorFile:
    """A file of vectors.

    Attributes
    ----------
    path : str
        Where it was read.
    conformance : str
        The conformance class that its vectors belong to.
    vectors : tuple of mapping
        The vectors, each with the language that the file names.
    """

    path: str
    conformance: str
    vectors: tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a vector, and why it did not pass."""

    name: str
    status: Literal["passed", "failed", "skipped"]
    reason: str = ""


# Files


def shipped() -> list[Path]:
    """The vector files that come with the language."""
    folder = resource("grammar", "conformance", LANGUAGE.rpartition("-")[2])
    return sorted(Path(str(file)) for file in folder.iterdir() if file.name.endswith(".json"))


def load(path: str | os.PathLike[str]) -> VectorFile:
    """Read a vector file.

    Raises
    ------
    FileError
        It cannot be read, or does not follow the schema.
    """
    found = read_json(path)
    try:
        fault = next(_schema().iter_errors(found), None)
    except RecursionError:
        raise FileError(f"{os.fspath(path)} is not a vector file: nested too deep", path) from None
    if fault is not None:
        where, what = fault.json_path[:200], fault.message[:200]
        raise FileError(shown(f"{os.fspath(path)} is not a vector file: {where}: {what}"), path)
    ((name, times),) = Counter(vector["name"] for vector in found["vectors"]).most_common(1)
    if times > 1:
        raise FileError(f"{os.fspath(path)} has two vectors named {name!r}", path)
    for vector in found["vectors"]:
        _check_values(vector, path)
        _check_size(vector, path)
    vectors = tuple({"language": found["language"], **vector} for vector in found["vectors"])
    return VectorFile(os.fspath(path), found["class"], vectors)


def _check_values(vector: Vector, path: str | os.PathLike[str]) -> None:
    """Refuse values that are not of the dtype, or not nested as the axes say."""
    given = {f"symbol {name!r}": declared for name, declared in vector["symbols"].items()}
    if "result" in vector:
        given["the result"] = {**vector, **vector["result"]}
    for what, declared in given.items():
        where = f"{os.fspath(path)}: vector {vector['name']!r}: {what}"
        if "values" not in declared:
            if "result" in vector:
                raise FileError(f"{where} has no values", path)
            continue
        try:
            values = _decoded(declared["values"], declared["dtype"], declared["axes"])
            _check_shape(values, declared.get("shape"))
        except (TypeError, ValueError, OverflowError) as error:
            raise FileError(f"{where}: {str(error)[:200]}", path) from None


def _check_shape(values: Array, shape: Sequence[int | None] | None) -> None:
    # Other numbers of lengths are left to the checker, which must refuse them.
    pairs = zip(values.shape, shape or (), strict=False)
    if any(known not in (None, length) for length, known in pairs):
        raise ValueError(f"the values have the shape {values.shape}, not {tuple(shape or ())}")


def _check_size(vector: Vector, path: str | os.PathLike[str]) -> None:
    """Refuse a result that is huge although the file is small: one of many long dimensions."""
    lengths = dict.fromkeys(vector["axes"], 1)
    for declared in vector["symbols"].values():
        if "values" in declared:
            shape = _decoded(declared["values"], declared["dtype"], declared["axes"]).shape
            for axis, length in zip(declared["axes"], shape, strict=True):
                lengths[axis] = max(length, lengths.get(axis, 1))
    size = math.prod(lengths[axis] for axis in vector["axes"])
    if size > _LARGEST:
        where = f"{os.fspath(path)}: vector {vector['name']!r}"
        message = f"the result has {size} elements; vectors have at most {_LARGEST}"
        raise FileError(f"{where}: {message}", path)


@cache
def _schema() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    text = resource("grammar", "conformance", "vector.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


# Answers


def question(vector: Vector) -> dict[str, Any]:
    """A vector without what must come of it."""
    return {key: vector[key] for key in vector if key not in ("result", "error")}


def answer(vector: Vector) -> dict[str, Any]:
    """What this implementation gives for a vector.

    Examples
    --------
    >>> answer({"name": "sum", "formula": "1 + 1", "symbols": {}, "axes": [], "dtype": "int8"})
    {'name': 'sum', 'values': 2}
    >>> answer({"name": "fault", "formula": "1 +", "symbols": {}, "axes": [], "dtype": "int8"})
    {'name': 'fault', 'error': {'kind': 'syntax', 'line': 1, 'column': 4}}
    """
    name = vector["name"]
    try:
        found = _evaluate(vector)
    except FormulaError as error:
        place = {"line": error.line, "column": error.column}
        return {"name": name, "error": {"kind": error.kind, **place}}
    if found is None:
        return {"name": name, "accepted": True}
    values, unit = found
    units = {} if unit is None else {"units": str(unit)}
    return {"name": name, "values": _encoded(values), **units}


def _evaluate(vector: Vector) -> tuple[Array, Unit | None] | None:
    """Values and unit of the result; None without values of all symbols, once it is checked."""
    language = vector.get("language", LANGUAGE)
    if language != LANGUAGE:
        raise VersionError(f"the language is {language!r}, not {LANGUAGE!r}", vector["formula"])
    arrays: dict[str, Array] = {}
    symbols: dict[str, Symbol] = {}
    for name, declared in vector["symbols"].items():
        shape = declared.get("shape")
        if "values" in declared:
            arrays[name] = _decoded(declared["values"], declared["dtype"], declared["axes"])
            shape = arrays[name].shape if shape is None else shape
        symbols[name] = Symbol(declared["dtype"], declared["axes"], shape, declared.get("units"))
    axes, field = tuple(vector["axes"]), vector.get("field")
    formula = parse(vector["formula"])
    checked = check(formula, symbols, axes=axes, dtype=vector["dtype"], field=field)
    unit = check_units(checked, vector.get("units"))
    if not arrays.keys() >= checked.symbols.keys():
        return None
    return Kernel(checked)(arrays), unit


def _decoded(values: Any, dtype: str, axes: Sequence[str]) -> Array:
    """Nested lists as an array; text stands for large integers, NaN and infinities."""
    shape, level = [], [values]
    for _ in axes:
        lengths = {len(part) if isinstance(part, list) else -1 for part in level}
        if len(lengths) > 1 or -1 in lengths:
            raise ValueError(f"values are not nested as deep as the axes {', '.join(axes)}")
        shape.append(lengths.pop() if lengths else 0)
        level = [value for part in level for value in part]
    kind = np.dtype(dtype).kind
    with np.errstate(over="ignore"):
        return np.array([_decoded_one(value, kind) for value in level], dtype).reshape(shape)


def _decoded_one(value: Any, kind: str) -> bool | int | float:
    """A value of a dtype of this kind, as JSON holds it."""
    if isinstance(value, bool) == (kind == "b") and isinstance(value, int):
        return value
    if kind in "iu" and isinstance(value, str):
        return int(value)
    if kind not in "biu" and (isinstance(value, float) or value in ("nan", "inf", "-inf")):
        return float(value)
    raise ValueError(f"{value!r} is not a value of the dtype")


def _encoded(values: Array) -> Any:
    """An array as nested lists, as deep as it has dimensions."""
    return [_encoded(part) for part in values] if values.ndim else _encoded_one(values[()])


def _encoded_one(value: Any) -> Any:
    if value.dtype.kind == "b":
        return bool(value)
    if value.dtype.kind != "f":
        return int(value) if abs(int(value)) <= _SAFE else str(int(value))
    if np.isnan(value):
        return "nan"
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    return float(str(value))


# Judgement


def judge(vector: Vector, given: Answer) -> Outcome:
    """Compare an answer with what a vector demands.

    Examples
    --------
    >>> judge({"name": "n", "dtype": "int8", "axes": [], "result": {"values": 2}}, {"values": 3})
    Outcome(name='n', status='failed', reason='expected 2, found 3')
    """
    name = vector["name"]
    if "skipped" in given:
        return Outcome(name, "skipped", str(given["skipped"]))
    if "error" in vector:
        reason = _compare_errors(vector["error"], given)
    elif given.get("accepted") is True:
        return Outcome(name, "skipped", "accepted, not evaluated")
    elif "values" in given:
        reason = _compare_values(vector, given) or _compare_units(vector["result"], given)
    elif "error" in given:
        reason = f"expected values, found {_error(given['error'])}"
    else:
        reason = "the answer has neither values nor error"
    return Outcome(name, "failed" if reason else "passed", reason)


def _compare_errors(expected: Mapping[str, Any], given: Answer) -> str:
    if "error" not in given:
        return f"expected {_error(expected)}, the formula was accepted"
    wanted, found = _error(expected), _error(given["error"])
    return "" if wanted == found else f"expected {wanted}, found {found}"


def _error(error: Any) -> str:
    if not isinstance(error, Mapping):
        return repr(error)
    line, column = error.get("line"), error.get("column")
    place = "" if line is None else f" at line {line}, column {column}"
    return f"an error of kind {error.get('kind')}{place}"


def _compare_values(vector: Vector, given: Answer) -> str:
    result, dtype, axes = vector["result"], vector["dtype"], vector["axes"]
    expected = _decoded(result["values"], dtype, axes)
    try:
        found = _decoded(given["values"], dtype, axes)
    except (TypeError, ValueError, OverflowError):
        return f"expected {result['values']}, found {given['values']}"
    if found.shape != expected.shape:
        return f"expected the shape {expected.shape}, found {found.shape}"
    wrong = np.flatnonzero(~_agree(expected, found, result.get("ulp", 0)).reshape(-1))
    if not wrong.size:
        return ""
    first = int(wrong[0])
    where = [int(i) for i in np.unravel_index(first, expected.shape)]
    at = f" at {where}" if where else ""
    wanted, other = (_encoded_one(part.reshape(-1)[first]) for part in (expected, found))
    return f"expected {wanted}{at}, found {other}"


def _compare_units(result: Mapping[str, Any], given: Answer) -> str:
    if "units" not in result:
        return ""
    wanted, found = result["units"], given.get("units")
    if not isinstance(found, str):
        return f"expected the units {wanted}, found {'none' if found is None else found}"
    try:
        agree = is_same(parse_unit(found), parse_unit(wanted))
    except UnitError as error:
        return f"expected the units {wanted}, {error.message}"
    return "" if agree else f"expected the units {wanted}, found {found or 1}"


def _agree(a: Array, b: Array, ulp: int) -> Array:
    """Where two arrays hold the same values, or reals that are few units in the last place apart.

    NaN are alike; zeros of different sign are not.
    """
    if a.dtype.kind != "f":
        return np.asarray(a == b)
    same = (a == b) & (np.signbit(a) == np.signbit(b))
    close = np.abs(_ordinal(a) - _ordinal(b)) <= ulp
    numbers = ~np.isnan(a) & ~np.isnan(b)
    return np.asarray(same | (np.isnan(a) & np.isnan(b)) | (bool(ulp) & numbers & close))


def _ordinal(values: Array) -> Array:
    """The place of each real among all reals of its format, both zeros at 0; as Python integers."""
    bits = values.view(f"i{values.dtype.itemsize}")
    magnitude = (bits & np.iinfo(bits.dtype).max).astype(object)
    return np.asarray(np.where(bits < 0, -magnitude, magnitude))
