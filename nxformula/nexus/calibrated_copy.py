"""What `calibrate` writes into the copy of a master: the values, and what the group says then."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

import h5py

from nxformula._version import __version__
from nxformula.engine.layout import Array
from nxformula.nexus import names
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.checksum import checksum
from nxformula.nexus.chunk_writing import ChunkWriter
from nxformula.nexus.copying import copy_attributes, links_to
from nxformula.nexus.group_writer import description_when_applied, now, write_stated
from nxformula.nexus.homes import Home
from nxformula.nexus.text import as_text

#: Values computed and written at a time.
_BLOCK_BYTES: Final = 64 << 20

#: Names of the ways to compress values.
COMPRESSIONS: Final = ("bitshuffle-lz4", "gzip", "none")


def compression_options(name: str) -> dict[str, Any]:
    """A way to compress, as `h5py.Group.create_dataset` takes it."""
    import hdf5plugin

    options: dict[str, dict[str, Any]] = {
        "bitshuffle-lz4": dict(hdf5plugin.Bitshuffle(cname="lz4")),
        "gzip": {"compression": "gzip", "shuffle": True},
        "none": {},
    }
    return options[name]


def products(
    images: CalibratedDataset, errors: bool, results: Sequence[str]
) -> dict[str, CalibratedDataset]:
    """What is to be written beside each other, by name.

    Parameters
    ----------
    images : CalibratedDataset
        The field: gets its own name.
    errors : bool
        Its errors too, as `FIELD_errors`.
    results : sequence of str
        Named results too, as `FIELD_RESULT`.

    Raises
    ------
    ValueError
        The field has no errors or no such result, or the result is no image.
    """
    field = images.binding.definition.field
    found = {field: images}
    if errors:
        if images.errors is None:
            message = (
                f"nothing that {images.name} is made of has errors; attach them, for instance "
                "with --symbol 'pedestal_errors=FILE:/PATH'"
            )
            raise ValueError(message)
        found[field + names.ERRORS_SUFFIX] = images.errors
    for name in results:
        if name not in images.results:
            offered = ", ".join(images.results) or "none"
            raise ValueError(f"{images.name} offers no result {name!r}; it offers {offered}")
        result = images.result(name)
        if result.shape != images.shape:
            raise ValueError(f"result {name!r} is {result.shape}, and images are {images.shape}")
        found[f"{field}_{name}"] = result
    return found


def shape_of(images: CalibratedDataset, chosen: range) -> tuple[int, ...]:
    """Shape of the values of some frames; of a field without frames, all of it."""
    return (len(chosen), *images.shape[1:]) if images.ndim > 2 else images.shape


def chunks_of(images: CalibratedDataset, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """One frame, or the chunk of the raw field where that has the same dimensions."""
    if not shape or 0 in shape:
        return None
    own = images.chunks or ((1, *shape[1:]) if len(shape) > 2 else shape)
    return tuple(min(chunk, length) for chunk, length in zip(own, shape, strict=True))


def replace_field(
    file: Any, home: Home, images: CalibratedDataset, chosen: range, compression: str
) -> Any:
    """Put an empty dataset for the calibrated values where the raw field is, under all its names.

    Parameters
    ----------
    file : h5py.File
        A copy of the master, open for writing.
    home : Home
        Where the field is.
    images : CalibratedDataset
        The field in the master.
    chosen : range
        The frames.
    compression : str
        One of `COMPRESSIONS`.

    Returns
    -------
    h5py.Dataset
        Without values.
    """
    group = file[home.group.name]
    link = group.get(home.field, getlink=True)
    aliases = links_to(file, group[home.field]) if isinstance(link, h5py.HardLink) else []
    for holder, name in aliases or [(group, home.field)]:
        if link is not None:
            del holder[name]
    chunks = chunks_of(images, shape_of(images, chosen))
    new = _create(group, home.field, images, chosen, chunks, compression)
    for holder, name in aliases:
        if (holder.name, name) != (group.name, home.field):
            holder[name] = new
    copy_attributes(images.raw, new)
    _write_units(new, images)
    return new


def show_field(file: Any, home: Home) -> None:
    """Link a field that had no dataset before where plots and formulas look for it."""
    path = home.field_path
    group = file[home.formula_path]
    if home.field not in group:
        group[home.field] = h5py.SoftLink(path)
    entry = file[path.split("/")[1]]
    for member in entry.values():
        is_data = isinstance(member, h5py.Group) and as_text(member.attrs.get("NX_class"))
        if is_data == "NXdata" and "signal" not in member.attrs:
            member[home.field] = h5py.SoftLink(path)
            member.attrs["signal"] = home.field


def add_field(
    file: Any, home: Home, name: str, values: CalibratedDataset, chosen: range, compression: str
) -> Any:
    """Put an empty dataset for other values beside the field, wherever that is shown.

    One of this name, such as errors of the raw values, is replaced.

    Parameters
    ----------
    name : str
        Of the dataset.
    values : CalibratedDataset
        What it is for.
    file, home, chosen, compression
        As `replace_field` takes them.

    Returns
    -------
    h5py.Dataset
        Without values.
    """
    for holder in (file[path] for path in (home.group.name, *home.others)):
        if name in holder.keys():  # noqa: SIM118 - a link that dangles is a key
            del holder[name]
    group = file[home.group.name]
    # Shares of all datasets have the same chunks.
    new = _create(group, name, values, chosen, group[home.field].chunks, compression)
    _write_units(new, values)
    for path in home.others:
        file[path][name] = h5py.SoftLink(new.name)
    return new


def _create(
    group: Any,
    name: str,
    values: CalibratedDataset,
    chosen: range,
    chunks: tuple[int, ...] | None,
    compression: str,
) -> Any:
    shape = shape_of(values, chosen)
    options = compression_options(compression) if shape else {}
    return group.create_dataset(name, shape, values.dtype, chunks=chunks, **options)


def _write_units(new: Any, values: CalibratedDataset) -> None:
    new.attrs.pop("units", None)
    if values.units is not None:
        new.attrs["units"] = values.units


def write_values(
    targets: Sequence[tuple[Any, CalibratedDataset]],
    chosen: range,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Compute the values of some frames, and write them.

    Parameters
    ----------
    targets : sequence of (h5py.Dataset, CalibratedDataset)
        What receives values of equal shape, and what computes them.
    chosen : range
        The frames; all of a field without frames.
    progress : callable, optional
        Called with the number of frames done and of all.
    """
    first = targets[0][1]
    if first.ndim <= 2:
        for new, values in targets:
            new[...] = values[...]
        return
    step = targets[0][0].chunks[0] if targets[0][0].chunks else 1
    size = max(1, _BLOCK_BYTES // max(1, first.nbytes // max(1, len(first))))
    size = min(len(chosen), max(step, size // step * step))
    writers = [_FrameWriter(new, values) for new, values in targets]
    for start in range(0, len(chosen), max(1, size)):
        part = chosen[start : start + size]
        for writer in writers:
            writer.write(start, part)
        if progress is not None:
            progress(start + len(part), len(chosen))


class _FrameWriter:
    """Computes and writes blocks of frames, all in the same memory."""

    def __init__(self, new: Any, values: CalibratedDataset) -> None:
        self._chunks = ChunkWriter(new)
        self._values = values
        self._block: Array | None = None

    def write(self, start: int, part: range) -> None:
        """Write the values of some frames from a place in the output on."""
        wanted = slice(part.start, part.stop, part.step)
        if self._block is None:
            # Memory that is taken anew for each block would cost as much as the formula.
            self._block = self._values[wanted]
        else:
            self._values.read_into(self._block[: len(part)], wanted)
        self._chunks.write(start, self._block[: len(part)])


def mark_applied(
    file: Any, home: Home, images: CalibratedDataset, chosen: range, written: Collection[str]
) -> None:
    """Say in the group that its formula is applied, to what, by what and when.

    Parameters
    ----------
    written : collection of str
        Names of the datasets with calibrated values.
    file, home, images, chosen
        As `replace_field` takes them.
    """
    definition = images.binding.definition
    if definition.declared is not None:
        write_stated(file, home, definition)
    group = file[home.formula_path]
    date = now()
    source = images.raw
    origin = f"{os.path.basename(source.file.filename)}:{source.name}"
    part = "" if images.ndim <= 2 else f", frames {chosen.start}:{chosen.stop}:{chosen.step}"
    entry = f"{date} nxformula {__version__} computed {home.field_path} from {origin}{part}"
    holders = [file[place] for place in (home.group.name, *home.others)]
    removed = [path for holder in holders for path in _remove_raw(holder, home.field, written)]
    if removed:
        entry += f"; {' and '.join(removed)} of the raw values removed"
    entry += "".join(_replace_limits(holders, images))
    if images.context.mask:
        entry += "; unusable pixels are NaN"
    changed = _write_checksums(group, images)
    if changed:
        entry += f"; values changed since the formula was attached: {', '.join(changed)}"
    history = as_text(group[names.HISTORY][()]) if names.HISTORY in group else None
    fields = {
        names.APPLIED: True,
        names.DATE: date,
        names.PROGRAM: "nxformula",
        names.VERSION: __version__,
        names.HISTORY: f"{history}\n{entry}" if history else entry,
    }
    description = as_text(group[names.DESCRIPTION][()]) if names.DESCRIPTION in group else None
    if description:
        fields[names.DESCRIPTION] = description_when_applied(description, home.field)
    for name, value in fields.items():
        if name in group:
            del group[name]
        group.create_dataset(name, data=value)


def _write_checksums(group: Any, images: CalibratedDataset) -> list[str]:
    """Write the checksums of the constants as they were used; the names of those that changed."""
    changed = []
    binding = images.binding
    for name, bound in binding.bound.items():
        if name == binding.definition.field or not bound.dataset.shape:
            continue
        before = binding.definition.symbol_text(name, names.CHECKSUM_SUFFIX)
        found = checksum(bound.dataset)
        if before is not None and before != found:
            changed.append(name)
        group.attrs[name + names.CHECKSUM_SUFFIX] = found
    return changed


def _remove_raw(group: Any, field: str, written: Collection[str]) -> list[str]:
    """Take away what is true of raw values only: a reader would apply it to the calibrated ones."""
    found = [field + suffix for suffix in (*names.LINEAR_SUFFIXES, names.ERRORS_SUFFIX)]
    present = [
        name for name in found if name not in written and group.get(name, getlink=True) is not None
    ]
    for name in present:
        del group[name]
    return [f"{group.name}/{name}" for name in present]


def _replace_limits(holders: Sequence[Any], images: CalibratedDataset) -> Iterator[str]:
    """Put the detector's limits in calibrated units; what is now in other words."""
    limits = {
        names.SATURATION_VALUE: images.saturation_value,
        names.UNDERLOAD_VALUE: images.underload_value,
    }
    for holder in holders:
        for name in limits:
            if holder.get(name, getlink=True) is None:
                continue
            value = limits[name]
            del holder[name]
            if value is None:
                yield f"; {holder.name}/{name} of the raw values removed"
                continue
            field = holder.create_dataset(name, data=value)
            if images.units is not None:
                field.attrs["units"] = images.units
            yield f"; {holder.name}/{name} in calibrated units"
