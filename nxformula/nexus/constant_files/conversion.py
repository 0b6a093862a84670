"""Write constants of other files into one that formulas can link to, their axes stated."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from nxformula._version import __version__
from nxformula.engine.layout import Array
from nxformula.errors import DimensionError, FileError
from nxformula.nexus.constant_files.arrays import (
    find_constant,
    hdf5_file,
    read_array,
    read_dataset,
    read_raw,
)
from nxformula.nexus.constant_files.layouts import Layout, Part
from nxformula.nexus.digest import digest
from nxformula.nexus.group_writer import now
from nxformula.nexus.names import AXES
from nxformula.nexus.output import new_file


@dataclass(frozen=True, slots=True)
class Choice:
    """What is made of the constants.

    Attributes
    ----------
    take : mapping of list or range
        The places along dimensions that are kept.
    stack : str or None
        The dimension along which several files follow one another; a new one comes first.
    order : tuple of str
        The order of dimensions in the output; by default that of the file.
    invalid : tuple of float
        Values that become NaN.
    """

    take: Mapping[str, Sequence[int]]
    stack: str | None
    order: tuple[str, ...]
    invalid: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A dataset that was written.

    Attributes
    ----------
    symbol, dtype, units : str or None
        The symbol is its name.
    axes : tuple of str
    shape : tuple of int
    """

    symbol: str
    dtype: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    units: str | None


@dataclass(frozen=True, slots=True)
class _Constant:
    values: Array
    axes: tuple[str, ...]
    units: str | None
    origin: str


def write_constants(
    paths: Sequence[str],
    layout: Layout,
    choice: Choice,
    output: str | os.PathLike[str],
    *,
    force: bool = False,
) -> list[Written]:
    """Read constants of one or several files, and write them into one file.

    Each symbol is a dataset at its root, with the attributes `axes`, `units`, `source` and
    `source_checksum`; one plane of its last two dimensions is a chunk.

    Parameters
    ----------
    paths : sequence of str
        Files of the layout; with `choice.stack` several that hold the same symbols.
    layout : Layout
        What they hold.
    choice : Choice
        What is made of that.
    output : path
        The new file.
    force : bool
        Whether it may replace a file.

    Returns
    -------
    list of Written
        What is in it.

    Raises
    ------
    FileError
        A file cannot be read or written, or holds none of the symbols.
    DimensionError
        The dimensions are not those of the layout, or do not fit together.
    """
    with new_file(output, force=force, inputs=paths) as temporary:
        written: list[Written] = []
        with h5py.File(temporary, "w") as file:
            for symbol, part in layout.symbols.items():
                found = [one for path in paths for one in _read(path, layout, symbol, part, choice)]
                if found:
                    written.append(_write(file, symbol, _joined(symbol, found, choice), found))
        if not written:
            listed = ", ".join(layout.symbols)
            message = f"{', '.join(paths)}: none of {listed} is there, as {layout.name} has them"
            raise FileError(message, paths[0])
    return written


def _read(
    path: str, layout: Layout, symbol: str, part: Part, choice: Choice
) -> Iterator[_Constant]:
    """A symbol of a file, if that has it."""
    if layout.kind == "raw":
        assert layout.dtype is not None, "the schema asks for it"
        yield _cut(read_raw(path, layout.dtype, layout.plane), part, part.units, path, path, choice)
    elif layout.kind == "array":
        yield _cut(read_array(path), part, part.units, path, path, choice)
    else:
        with hdf5_file(path) as file:
            place = part.path
            if part.constant is not None:
                place = find_constant(file, part.constant)
            if place is None or (place not in file and len(layout.symbols) > 1):
                return
            values, units = read_dataset(file, place)
            yield _cut(values, part, units or part.units, f"{path}:{place}", path, choice)


def _cut(
    values: Array, part: Part, units: str | None, origin: str, path: str, choice: Choice
) -> _Constant:
    if values.ndim != len(part.axes):
        message = (
            f"{origin} has {values.ndim} dimensions {values.shape}; expected "
            f"{len(part.axes)}: {', '.join(part.axes)}"
        )
        raise DimensionError(message)
    if values.dtype.kind not in "biuf":
        raise FileError(f"{origin} holds {values.dtype}; expected numbers", path)
    axes = part.axes
    for axis, place in part.take.items():
        values = np.take(values, place, axis=axes.index(axis))
        axes = tuple(a for a in axes if a != axis)
    for axis, places in choice.take.items():
        if axis not in axes:
            continue
        length = values.shape[axes.index(axis)]
        if max(places) >= length:
            message = f"{origin} has {length} along {axis!r}, and place {max(places)} is wanted"
            raise DimensionError(message)
        values = np.take(values, list(places), axis=axes.index(axis))
        if len(places) == 1:
            values = values.squeeze(axes.index(axis))
            axes = tuple(a for a in axes if a != axis)
    return _Constant(values, axes, units, origin)


def _joined(symbol: str, found: Sequence[_Constant], choice: Choice) -> _Constant:
    """One array of those of several files, in the order that is wanted, invalid values NaN."""
    first = found[0]
    axes, values = first.axes, first.values
    if len(found) > 1:
        if choice.stack is None:
            message = f"{symbol!r} is in {len(found)} files; --stack says along which dimension"
            raise DimensionError(message)
        axes, values = _stacked(symbol, found, choice.stack)
    if choice.invalid:
        kind = values.dtype if values.dtype.kind == "f" else np.dtype("f4")
        values = np.where(np.isin(values, choice.invalid), np.nan, values).astype(kind)
    order = [axis for axis in choice.order if axis in axes]
    if order and set(order) != set(axes):
        left = ", ".join(axis for axis in axes if axis not in order)
        raise DimensionError(f"{symbol!r} has the dimensions {', '.join(axes)}; where is {left}?")
    if order:
        values = values.transpose([axes.index(axis) for axis in order])
        axes = tuple(order)
    return _Constant(values, axes, first.units, "")


def _stacked(symbol: str, found: Sequence[_Constant], along: str) -> tuple[tuple[str, ...], Array]:
    axes = found[0].axes
    number = axes.index(along) if along in axes else None
    for other in found[1:]:
        shapes = [list(one.values.shape) for one in (found[0], other)]
        if number is not None:
            shapes = [shape[:number] + shape[number + 1 :] for shape in shapes]
        if shapes[0] != shapes[1] or other.values.dtype != found[0].values.dtype:
            message = (
                f"{symbol!r} is {other.values.dtype}{other.values.shape} in {other.origin}, and "
                f"{found[0].values.dtype}{found[0].values.shape} in {found[0].origin}"
            )
            raise DimensionError(message)
    arrays = [one.values for one in found]
    if number is None:
        return (along, *axes), np.stack(arrays)
    return axes, np.concatenate(arrays, axis=number)


def _write(file: Any, symbol: str, joined: _Constant, found: Sequence[_Constant]) -> Written:
    values = joined.values
    chunks = (*(1,) * max(0, values.ndim - 2), *values.shape[-2:]) if values.size else None
    dataset = file.create_dataset(
        symbol, values.shape, values.dtype.newbyteorder("="), chunks=chunks
    )
    # Plane by plane: another order needs no second copy of all values.
    for place in np.ndindex(values.shape[:-2]):
        dataset[place] = values[place]
    dataset.attrs[AXES] = list(joined.axes)
    if joined.units is not None:
        dataset.attrs["units"] = joined.units
    dataset.attrs["source"] = [os.path.basename(one.origin) for one in found]
    dataset.attrs["source_checksum"] = [
        digest(one.values.dtype.name, one.values.shape, [np.ascontiguousarray(one.values)])
        for one in found
    ]
    dataset.attrs["date"] = now()
    dataset.attrs["program"] = f"nxformula {__version__}"
    return Written(symbol, values.dtype.name, joined.axes, values.shape, joined.units)
