"""Write calibrated values into a copy of the master, for readers without formulas."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Final

import h5py

from nxformula._version import __version__
from nxformula.errors import FileError, NoFormulaError
from nxformula.nexus import names
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.checksum import checksum
from nxformula.nexus.copying import copy_attributes, copy_master, links_to
from nxformula.nexus.files import open_file
from nxformula.nexus.group_writer import description_when_applied, now
from nxformula.nexus.homes import Home, find_home
from nxformula.nexus.links import check_declared
from nxformula.nexus.output import new_file
from nxformula.nexus.reader import open as open_reader
from nxformula.nexus.text import as_text

#: Values computed and written at a time.
_BLOCK_BYTES: Final = 64 << 20


def _compressions() -> dict[str, dict[str, Any]]:
    import hdf5plugin

    return {
        "bitshuffle-lz4": dict(hdf5plugin.Bitshuffle(cname="lz4")),
        "gzip": {"compression": "gzip", "shuffle": True},
        "none": {},
    }


#: Names of the ways to compress the output.
COMPRESSIONS: Final = ("bitshuffle-lz4", "gzip", "none")


def calibrate(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    field: str | None = None,
    frames: slice = slice(None),
    compression: str = "bitshuffle-lz4",
    force: bool = False,
    allow: Iterable[str | os.PathLike[str]] = (),
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """Write a copy of a master with the calibrated values at the field's own path.

    Any NeXus reader can use the new file. The formula stays in it, marked as applied, with the
    checksums of its constants.

    Parameters
    ----------
    path : path
        The master.
    output : path
        The new file; it appears under this name only when it is complete.
    field : str, optional
        The field; needed where more than one has a formula.
    frames : slice
        Part of the first dimension.
    compression : {"bitshuffle-lz4", "gzip", "none"}
        How the values are stored.
    force : bool
        Whether `output` may replace a file.
    allow : iterable of path
        Folders, beside that of the master, whose files may be read.
    progress : callable, optional
        Called with the number of frames done and of all.

    Returns
    -------
    str
        Path of the field in the new file.

    Raises
    ------
    FileError
        A file cannot be read or written, or declares far more values than it stores.
    FormulaError
        The formula does not fit.
    ValueError
        `frames` selects none, or `compression` is unknown.
    """
    if compression not in COMPRESSIONS:
        expected = ", ".join(COMPRESSIONS)
        raise ValueError(f"compression is {compression!r}; expected one of {expected}")
    final = os.path.abspath(output)
    with open_reader(path, allow=allow) as master:
        images = master.only_formula() if field is None else _calibrated(master, field)
        home = find_home(master, images.name, master.context.resolver)
        chosen = _chosen_frames(images, frames)
        _check_size(images, chosen)
        inputs = master.context.pool.paths
        with new_file(final, force=force, inputs=inputs) as temporary:
            copy_master(master.filename, temporary, os.path.dirname(final))
            with open_file(temporary, "r+") as file:
                _replace_field(file, home, images, chosen, compression, progress)
                _mark_applied(file, home, images, chosen)
        return home.field_path


def _calibrated(master: Any, field: str) -> CalibratedDataset:
    try:
        found = master[field]
    except KeyError:
        raise FileError(f"{master.filename} has no {field}", master.filename) from None
    if not isinstance(found, CalibratedDataset):
        message = f"{field} in {master.filename} has no formula to evaluate"
        raise NoFormulaError(message, master.filename)
    return found


def _chosen_frames(images: CalibratedDataset, frames: slice) -> range:
    """The frames to calibrate; none of a field without frames, which is calibrated whole.

    Raises
    ------
    ValueError
        The field has no frames, or none of those asked for.
    """
    if images.ndim <= 2:
        if frames != slice(None):
            raise ValueError(f"{images.name} has no frames to choose from: it is {images.shape}")
        return range(0)
    chosen = range(*frames.indices(len(images)))
    if len(images) and not chosen:
        asked = ":".join("" if n is None else str(n) for n in (frames.start, frames.stop))
        raise ValueError(f"frames {asked} are none of the {len(images)} of {images.name}")
    return chosen


def _check_size(images: CalibratedDataset, chosen: range) -> None:
    whole = images.ndim <= 2 or len(chosen) in (0, len(images))
    wanted = images.raw.size * images.raw.dtype.itemsize
    advice = "; choose a part with --frames" if whole else ""
    share = 1 if whole else len(chosen) / len(images)
    resolver = images.context.resolver
    check_declared(resolver, images.raw, int(wanted * share), advice)


def _replace_field(
    file: Any,
    home: Home,
    images: CalibratedDataset,
    chosen: range,
    compression: str,
    progress: Callable[[int, int], None] | None,
) -> None:
    shape = (len(chosen), *images.shape[1:]) if images.ndim > 2 else images.shape
    group = file[home.group.name]
    raw = images.raw
    link = group.get(home.field, getlink=True)
    aliases = links_to(file, group[home.field]) if isinstance(link, h5py.HardLink) else []
    for holder, name in aliases or [(group, home.field)]:
        del holder[name]
    options = _compressions()[compression] if shape else {}
    new = group.create_dataset(
        home.field, shape, images.dtype, chunks=_chunks(images, shape), **options
    )
    for holder, name in aliases:
        if (holder.name, name) != (group.name, home.field):
            holder[name] = new
    copy_attributes(raw, new)
    new.attrs.pop("units", None)
    if images.units is not None:
        new.attrs["units"] = images.units
    _write_values(new, images, chosen, progress)


def _chunks(images: CalibratedDataset, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """One frame, or the chunk of the raw field where that has the same dimensions."""
    if not shape or 0 in shape:
        return None
    own = images.chunks or ((1, *shape[1:]) if len(shape) > 2 else shape)
    return tuple(min(chunk, length) for chunk, length in zip(own, shape, strict=True))


def _write_values(
    new: Any,
    images: CalibratedDataset,
    chosen: range,
    progress: Callable[[int, int], None] | None,
) -> None:
    if images.ndim <= 2:
        new[...] = images[...]
        return
    size = max(1, _BLOCK_BYTES // max(1, images.nbytes // max(1, len(images))))
    step = new.chunks[0] if new.chunks else 1
    size = max(step, size // step * step)
    for start in range(0, len(chosen), size):
        part = chosen[start : start + size]
        new[start : start + len(part)] = images[part.start : part.stop : part.step]
        if progress is not None:
            progress(start + len(part), len(chosen))


def _mark_applied(file: Any, home: Home, images: CalibratedDataset, chosen: range) -> None:
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
