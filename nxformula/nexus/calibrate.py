"""Write calibrated values into a copy of the master, for readers without formulas."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor

from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.calibrated_copy import (
    COMPRESSIONS,
    add_field,
    mark_applied,
    products,
    replace_field,
    show_field,
    write_values,
)
from nxformula.nexus.copying import copy_master
from nxformula.nexus.event_index import event_index_of
from nxformula.nexus.files import open_file
from nxformula.nexus.homes import find_home, home_of_joined
from nxformula.nexus.links import check_declared
from nxformula.nexus.output import check_target, new_file
from nxformula.nexus.reader import open as open_reader
from nxformula.nexus.shares import Shares, task_of
from nxformula.nexus.workers import calibrate_shares


def calibrate(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    field: str | None = None,
    frames: slice = slice(None),
    errors: bool = False,
    mask: bool = False,
    results: tuple[str, ...] = (),
    compression: str = "bitshuffle-lz4",
    workers: int = 1,
    executor: Executor | None = None,
    resume: bool = False,
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
    errors : bool
        Write the standard deviations too, as `FIELD_errors`.
    mask : bool
        Give NaN for pixels that are unusable, as `open` does.
    results : tuple of str
        Write these `formula_results` too, as `FIELD_RESULT`.
    compression : {"bitshuffle-lz4", "gzip", "none"}
        How the values are stored.
    workers : int
        Processes of this machine that share the frames. As always where processes are started,
        a script that calls this guards itself with ``if __name__ == "__main__":``.
    executor : concurrent.futures.Executor, optional
        Calibrates the shares instead: that of a cluster, such as dask's `Client.get_executor()`.
        All its workers see the files under the same paths; `workers` says how many there are.
    resume : bool
        Continue a run that did not finish, and keep the shares that are finished if this one does
        not. Only runs with several workers, an executor or `resume` can be continued.
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
        `frames` selects none, `compression` is unknown, `workers` is less than 1, or there are no
        such errors or results.

    Examples
    --------
    >>> nxformula.calibrate(master, output, frames=slice(0, 2), force=True)
    '/entry/instrument/detector/data'
    >>> with h5py.File(output) as f:
    ...     f["/entry/data/data"].dtype.name
    'float32'
    """
    if compression not in COMPRESSIONS:
        expected = ", ".join(COMPRESSIONS)
        raise ValueError(f"compression is {compression!r}; expected one of {expected}")
    if workers < 1:
        raise ValueError(f"workers is {workers}; expected 1 or more")
    final = os.fspath(output)
    if isinstance(results, str):
        raise TypeError(f"results is {results!r}; expected a tuple of names")
    with open_reader(path, allow=allow, mask=mask) as master:
        images = master.only_formula(field)
        found = products(images, errors, results)
        chosen = _chosen_frames(images, frames)
        _check_size(images, chosen)
        check_target(final, force=force, inputs=master.context.pool.paths)
        if images.ndim <= 2 or not (workers > 1 or executor is not None or resume):
            return _write(found, final, chosen, compression, force, progress, None)
        task = task_of(images, chosen, compression, workers, errors=errors, results=results)
        shares = Shares(final, task, resume=resume, force=force)
        try:
            calibrate_shares(shares, workers, executor, progress)
            shares.check_inputs()
            written = _write(found, final, chosen, compression, force, progress, shares)
        except BaseException as error:
            shares.keep(error)
            raise
        shares.remove()
        return written


def _write(
    found: Mapping[str, CalibratedDataset],
    final: str,
    chosen: range,
    compression: str,
    force: bool,
    progress: Callable[[int, int], None] | None,
    shares: Shares | None,
) -> str:
    """Write the output, from shares or from the values as they are computed."""
    images, *_ = found.values()
    master = images.file
    holder = images.binding.definition.holder
    is_joined = images.binding.definition.field not in holder and event_index_of(holder) is not None
    if is_joined:
        home = home_of_joined(holder, images.binding.definition.field)
    else:
        home = find_home(master, images.name, master.context.resolver)
    inputs = master.context.pool.paths
    with new_file(final, force=force, inputs=inputs) as temporary:
        copy_master(master.filename, temporary, os.path.dirname(os.path.abspath(final)))
        with open_file(temporary, "r+") as file:
            new = {home.field: replace_field(file, home, images, chosen, compression)}
            for name, values in found.items():
                if name != home.field:
                    new[name] = add_field(file, home, name, values, chosen, compression)
            if shares is None:
                write_values([(new[name], found[name]) for name in new], chosen, progress)
            else:
                shares.join(new)
            mark_applied(file, home, images, chosen, found)
            if is_joined:
                show_field(file, home)
    return home.field_path


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
