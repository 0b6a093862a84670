"""What `calibrate` writes into the copy of a master: the values, and what the group says then."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

import h5py

from nxformula._version import __version__
from nxformula.engine.layout import Array
from nxformula.nexus import names
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.checksum import checksum
from nxformula.nexus.chunk_writing import ChunkWriter
from nxformula.nexus.copying import copy_attributes, links_to
from nxformula.nexus.group_writer import description_when_applied, now
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
    shape = shape_of(images, chosen)
    group = file[home.group.name]
    link = group.get(home.field, getlink=True)
    aliases = links_to(file, group[home.field]) if isinstance(link, h5py.HardLink) else []
    for holder, name in aliases or [(group, home.field)]:
        del holder[name]
    options = compression_options(compression) if shape else {}
    new = group.create_dataset(
        home.field, shape, images.dtype, chunks=chunks_of(images, shape), **options
    )
    for holder, name in aliases:
        if (holder.name, name) != (group.name, home.field):
            holder[name] = new
    copy_attributes(images.raw, new)
    new.attrs.pop("units", None)
    if images.units is not None:
        new.attrs["units"] = images.units
    return new


def write_values(
    new: Any,
    images: CalibratedDataset,
    chosen: range,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Compute the values of some frames, and write them.

    Parameters
    ----------
    new : h5py.Dataset
        Receives them.
    images : CalibratedDataset
        Computes them.
    chosen : range
        The frames; all of a field without frames.
    progress : callable, optional
        Called with the number of frames done and of all.
    """
    if images.ndim <= 2:
        new[...] = images[...]
        return
    size = max(1, _BLOCK_BYTES // max(1, images.nbytes // max(1, len(images))))
    step = new.chunks[0] if new.chunks else 1
    size = min(len(chosen), max(step, size // step * step))
    writer = ChunkWriter(new)
    values: Array | None = None
    for start in range(0, len(chosen), max(1, size)):
        part = chosen[start : start + size]
        wanted = slice(part.start, part.stop, part.step)
        if values is None:
            # Memory that is taken anew for each block would cost as much as the formula.
            values = images[wanted]
        else:
            images.read_into(values[: len(part)], wanted)
        writer.write(start, values[: len(part)])
        if progress is not None:
            progress(start + len(part), len(chosen))


def mark_applied(file: Any, home: Home, images: CalibratedDataset, chosen: range) -> None:
    """Say in the group that its formula is applied, to what, by what and when."""
    group = file[home.formula_path]
    date = now()
    source = images.raw
    part = "" if images.ndim <= 2 else f", frames {chosen.start}:{chosen.stop}:{chosen.step}"
    entry = (
        f"{date} nxformula {__version__} computed {home.field_path} from "
        f"{os.path.basename(source.file.filename)}:{source.name}{part}"
    )
    holders = [file[place] for place in (home.group.name, *home.others)]
    removed = [path for holder in holders for path in _remove_scaling(holder, home.field)]
    if removed:
        entry += f"; {' and '.join(removed)} of the raw values removed"
    changed = _write_checksums(group, images)
    if changed:
        entry += f"; values changed since the formula was attached: {', '.join(changed)}"
    history = as_text(group[names.HISTORY][()]) if names.HISTORY in group else None
    written = {
        names.APPLIED: True,
        names.DATE: date,
        names.PROGRAM: "nxformula",
        names.VERSION: __version__,
        names.HISTORY: f"{history}\n{entry}" if history else entry,
    }
    description = as_text(group[names.DESCRIPTION][()]) if names.DESCRIPTION in group else None
    if description:
        written[names.DESCRIPTION] = description_when_applied(description, home.field)
    for name, value in written.items():
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


def _remove_scaling(group: Any, field: str) -> list[str]:
    """Take away the linear scaling of the raw values, which a reader would apply once more."""
    found = [f"{field}{suffix}" for suffix in ("_offset", "_scaling_factor")]
    present = [name for name in found if group.get(name, getlink=True) is not None]
    for name in present:
        del group[name]
    return [f"{group.name}/{name}" for name in present]
