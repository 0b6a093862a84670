"""Random formulas that mostly pass the checker, and random values for their symbols."""

from __future__ import annotations

import random

import numpy as np

AXES = ("frame", "slow", "fast")
INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
REALS = ("float16", "float32", "float64")

#: Kind of value and dimensions of each symbol; `.` is dropped. Tables have others besides AXES.
SYMBOLS = {
    "data": ("i", AXES),
    "image": ("r", AXES),
    "raw": ("i", ("slow", "fast")),
    "line": ("r", ("fast", ".")),
    "tag": ("i", ("frame",)),
    "monitor": ("r", ("frame",)),
    "mask": ("b", ("slow", "fast")),
    "one": ("r", ()),
    "two": ("i", (".",)),
    "gain": ("r", ("stage", "slow", "fast")),
    "offset": ("r", ("stage", "cell", "slow", "fast")),
    "ramp": ("r", ("step", ".")),
    "codes": ("i", ("stage", "fast")),
    "steps": ("i", ("step",)),
    "flags": ("b", ("stage", "frame")),
    "columns": ("r", ("along", "slow")),
}
LENGTHS = {"stage": 3, "cell": 4, "step": 5, "along": 2}


class Writer:
    """Writes expressions of a wanted kind."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def expression(self, kind: str, depth: int) -> str:
        return {"i": self.integer, "r": self.number, "b": self.condition}[kind](depth)

    def pick(self, *choices: str) -> str:
        return self.rng.choice(choices)

    def integer(self, depth: int) -> str:
        rng, sub = self.rng, lambda: self.integer(depth - 1)
        if depth <= 0 or rng.random() < 0.15:
            return self.integer_leaf()
        match rng.randrange(9):
            case 0:
                return f"({sub()} {self.pick('+', '-', '*')} {sub()})"
            case 1:
                return f"({sub()} {self.pick('&', '|', '^')} {sub()})"
            case 2:
                return f"({sub()} {self.pick('>>', '<<')} {rng.randrange(20)})"
            case 3:
                return f"where({self.condition(depth - 1)}, {sub()}, {sub()})"
            case 4:
                return f"{self.pick('min', 'max')}({sub()}, {sub()})"
            case 5:
                return self.pick("abs", "floor", "round") + f"({sub()})"
            case 6:
                return f"choose({self.code(2, depth - 1)}, {sub()}, {sub()}, {sub()})"
            case 7:
                return f"bits({sub()}, {rng.randrange(40)}, {rng.randrange(20)})"
        return self.integer_table(depth - 1)

    def integer_leaf(self) -> str:
        name = self.pick("data", "raw", "tag", "two", "data")
        match self.rng.randrange(5):
            case 0:
                return name
            case 1:
                return self.pick("0", "1", "3", "7", "255", "65535", "(-1)", "(-300)")
            case 2:
                return f"({name} >> {self.rng.randrange(64)})"
        return f"({name} & {self.pick('1', '3', '15', '0x3FFF')})"

    def integer_table(self, depth: int) -> str:
        sub = self.integer(depth)
        name, dimension, last = self.rng.choice([("codes", "stage", 2), ("steps", "step", 4)])
        match self.rng.randrange(3):
            case 0:
                return f"{name}[{dimension} = clip({sub}, 0, {last})]"
            case 1:
                return f"{name}[{self.rng.randrange(last + 1)}]"
        return f"{name}[{dimension} = {sub}, else = {self.integer(depth)}]"

    def code(self, last: int, depth: int) -> str:
        return f"clip({self.integer(depth)}, 0, {last})"

    def number(self, depth: int) -> str:
        rng, sub = self.rng, lambda: self.number(depth - 1)
        if depth <= 0 or rng.random() < 0.1:
            return self.number_leaf()
        match rng.randrange(9):
            case 0 | 1:
                return f"({sub()} {self.pick('+', '-', '*', '/')} {sub()})"
            case 2:
                return f"(-{sub()})" if rng.random() < 0.3 else f"sqrt({sub()})"
            case 3:
                return f"where({self.condition(depth - 1)}, {sub()}, {sub()})"
            case 4:
                return f"{self.pick('min', 'max')}({sub()}, {sub()})"
            case 5:
                return self.pick("abs", "floor", "round") + f"({sub()})"
            case 6:
                values = ", ".join(sub() for _ in range(rng.randrange(2, 5)))
                return f"choose({self.code(1, depth - 1)}, {values})"
            case 7:
                return f"({self.integer(depth - 1)} {self.pick('+', '-', '/')} {sub()})"
        return self.real_table(depth - 1)

    def number_leaf(self) -> str:
        names = ("image", "line", "monitor", "one", "data", "raw", "two")
        literals = ("0.0", "1.5", "1e30", "1e300", "nan", "inf", "pi", "0.1")
        return self.pick(*names, *names, *literals)

    def real_table(self, depth: int) -> str:
        def index() -> str:
            if self.rng.random() < 0.5:
                return (
                    f"choose(data & 3, {', '.join(self.pick('0', '1', '-1', '2') for _ in 'four')})"
                )
            return self.integer(depth) if self.rng.random() < 0.5 else self.code(3, depth)

        match self.rng.randrange(7):
            case 0 | 1:
                return f"gain[{index()}]"
            case 2:
                return f"offset[cell = {index()}, stage = {index()}]"
            case 3:
                return f"ramp[step = {index()}]"
            case 4:
                return f"columns[along = {self.code(1, depth)}]"
            case 5:
                return f"gain[{index()}, else = {self.number(depth)}]"
        return f"codes[stage = where({self.condition(depth)}, {index()}, -1)]"

    def condition(self, depth: int) -> str:
        rng = self.rng
        if depth <= 0 or rng.random() < 0.1:
            return self.pick("mask", "true", "false", "(data > 3)", "(raw != 0)", "isnan(image)")
        compare = self.pick("==", "!=", "<", "<=", ">", ">=")
        match rng.randrange(6):
            case 0:
                return f"({self.integer(depth - 1)} {compare} {self.integer(depth - 1)})"
            case 1:
                return f"({self.number(depth - 1)} {compare} {self.number(depth - 1)})"
            case 2:
                both = self.condition(depth - 1), self.condition(depth - 1)
                return f"({both[0]} {self.pick('and', 'or')} {both[1]})"
            case 3:
                return f"(not ({self.condition(depth - 1)}))"
            case 4:
                parts = (self.condition(depth - 1) for _ in range(3))
                return f"where({', '.join(parts)})"
        otherwise = self.pick("true", "mask", "(tag > 0)")
        return f"flags[{self.integer(depth - 1)}, else = {otherwise}]"

    def formula(self, kind: str, depth: int) -> str:
        """A formula that depends on all of AXES."""
        shared = self.expression("i", 1)
        body = self.expression(kind, depth)
        if self.rng.random() < 0.3:
            body = body.replace("(data & 3)", "lots").replace("image", "picture")
        tail = {"i": "((data & 1) + few)", "r": "(data + few)", "b": "(data != few)"}[kind]
        lets = f"let few = {shared} & 7; let lots = data & 3; let picture = image;\n"
        joint = {"i": "^", "r": "+", "b": "or"}[kind]
        if self.rng.random() < 0.5:
            return f"{lets}where(data >= few, {body}, {self.expression(kind, depth - 1)})"
        return f"{lets}{body} {joint} {tail}"


def values(kind: str, dtype: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Values of a dtype: small ones, any bits, and the extremes."""
    if kind == "b":
        return rng.random(shape) < 0.5
    special: np.ndarray
    if kind == "i":
        bounds = np.iinfo(dtype)
        any_bits = rng.integers(bounds.min, bounds.max, shape, dtype, endpoint=True)
        special = np.array([bounds.min, bounds.max, bounds.max - 1, 0, 1, 2], dtype)
    else:
        limits = np.finfo(dtype)
        any_bits = rng.normal(size=shape).astype(dtype) * np.array(100, dtype)
        special = np.array(
            [np.nan, np.inf, -np.inf, limits.max, limits.smallest_subnormal, 0.5, 2.5, -0.0, 0],
            dtype,
        )
    small = rng.integers(0, 6, shape).astype(dtype)
    kinds = rng.integers(0, 3, shape)
    return np.where(kinds == 0, any_bits, np.where(kinds == 1, small, rng.choice(special, shape)))


def stored(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same values, laid out in memory in one of many ways."""
    match rng.integers(6):
        case 0:
            return array.astype(array.dtype.newbyteorder(">"))
        case 1 if array.ndim:
            return np.asfortranarray(array)
        case 2 if array.ndim:
            wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
            wide[..., ::2] = array
            return wide[..., ::2]
        case 3 if array.ndim:
            flipped = tuple(
                slice(None, None, int(step)) for step in rng.choice([-1, 1], array.ndim)
            )
            return np.ascontiguousarray(array[flipped])[flipped]
        case 4 if array.dtype.itemsize > 1:
            # Not aligned: one byte in front of each element.
            record = np.zeros(array.shape, [("pad", "u1"), ("value", array.dtype)])
            record["value"] = array
            return record["value"]
    return array


def symbols(seed: int, shape: tuple[int, ...]) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Axes, in any order, and values of all symbols."""
    rng = np.random.default_rng(seed)
    lengths = {**LENGTHS, **dict(zip(AXES, shape, strict=True)), ".": 1}
    found = {}
    for name, (kind, dimensions) in SYMBOLS.items():
        dtype = {"i": rng.choice(INTEGERS), "r": rng.choice(REALS), "b": "bool"}[kind]
        axes = tuple(str(axis) for axis in rng.permutation(np.array(dimensions, str)))
        array = values(kind, str(dtype), tuple(lengths[axis] for axis in axes), rng)
        found[name] = (axes, stored(array, rng))
    return found
