"""Random values for the symbols, in any layout in memory."""

from __future__ import annotations

import numpy as np

from .vocabulary import AXES, INTEGERS, LENGTHS, REALS, SYMBOLS

Given = dict[str, tuple[tuple[str, ...], np.ndarray]]


def symbols(seed: int, shape: tuple[int, ...]) -> Given:
    """Axes, in any order, and values of all symbols."""
    rng = np.random.default_rng(seed)
    lengths = {**LENGTHS, **dict(zip(AXES, shape, strict=True)), ".": 1}
    lengths["knot"] = int(rng.choice([0, 1, 2, 3, 4, 5, 9], p=[0.05, 0.1, *[0.17] * 5]))
    lengths["order"] = int(rng.choice([0, 1, 2, 3, 4]))
    wild = float(rng.choice([0.02, 0.1, 0.6]))
    found: Given = {}
    for name, (kind, dimensions) in SYMBOLS.items():
        axes = tuple(str(axis) for axis in rng.permutation(np.array(dimensions, str)))
        sizes = tuple(lengths[axis] for axis in axes)
        if kind == "x":
            array = increasing(axes.index("knot"), sizes, rng)
        else:
            array = values(kind, dtype_for(kind, rng), sizes, wild, rng)
        found[name] = (axes, stored(array, rng))
    return found


def dtype_for(kind: str, rng: np.random.Generator) -> str:
    if kind == "b":
        return "bool"
    return str(rng.choice(REALS if kind == "r" else INTEGERS))


def values(
    kind: str, dtype: str, shape: tuple[int, ...], wild: float, rng: np.random.Generator
) -> np.ndarray:
    """Values of a dtype: ordinary ones, and as a part `wild` any bits and the extremes."""
    if kind == "b":
        return rng.random(shape) < 0.5
    if kind == "s":
        lowest = 0 if dtype.startswith("u") else -1
        return rng.integers(lowest, 4, shape).astype(dtype)
    any_bits, special = (_integers if kind == "i" else _reals)(dtype, shape, rng)
    ordinary = rng.integers(0, rng.choice([6, 100]), shape)
    if kind == "r":
        rough = rng.normal(size=shape) * 20 if rng.random() < 0.6 else 0
        ordinary = ordinary / 8 - rng.integers(0, 3) + rough
    kinds = np.where(rng.random(shape) < wild, rng.integers(0, 2, shape), 2)
    return np.choose(kinds, [any_bits, rng.choice(special, shape), ordinary.astype(dtype)])


def _integers(
    dtype: str, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    bounds = np.iinfo(dtype)
    any_bits = rng.integers(bounds.min, bounds.max, shape, dtype, endpoint=True)
    return any_bits, np.array([bounds.min, bounds.max, bounds.max - 1, 0, 1, 2], dtype)


def _reals(
    dtype: str, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    limits = np.finfo(dtype)
    any_bits = rng.normal(size=shape).astype(dtype) * np.array(100, dtype)
    edges = [limits.max, limits.smallest_subnormal, 0.5, 2.5, -0.0, 0]
    return any_bits, np.array([np.nan, np.inf, -np.inf, *edges], dtype)


def increasing(axis: int, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Values that increase along an axis, in binary32 too; some begin or end with an infinity."""
    steps = rng.integers(1, 5, shape)
    if rng.random() < 0.5:
        found = np.cumsum(steps, axis) + int(rng.integers(-8, 0))
        return found.astype(str(rng.choice(["i1", "i8"])))
    found = np.cumsum(steps, axis) * 0.375 - 2
    ends = [slice(None)] * len(shape)
    if shape[axis] > 1 and rng.random() < 0.2:
        last = bool(rng.random() < 0.5)
        ends[axis] = slice(-1, None) if last else slice(0, 1)
        found[tuple(ends)] = np.inf if last else -np.inf
    return found.astype(str(rng.choice(REALS)))


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
