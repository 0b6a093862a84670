"""Open a file: h5py as it is, except that a field with a formula gives calibrated values."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import h5py

from nxformula.errors import CorruptFileError, FileError, MissingSourceError, NoFormulaError
from nxformula.nexus import names
from nxformula.nexus.access import Access
from nxformula.nexus.binding import Binding, bind
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.constants import Constants
from nxformula.nexus.derived import bind_masked
from nxformula.nexus.event_index import event_index_of
from nxformula.nexus.fields import formula_paths, joined
from nxformula.nexus.files import FilePool, hdf5_reason, open_file
from nxformula.nexus.group import FormulaGroup, is_formula_group, read_group
from nxformula.nexus.implicit import implicit_formula
from nxformula.nexus.joining import joined_fields
from nxformula.nexus.links import Found, NoObjectError, Resolver, link_of, split
from nxformula.nexus.masks import groups_of
from nxformula.nexus.raw import RawData
from nxformula.nexus.text import as_text


class Context:
    """What all views of one opened file share.

    Attributes
    ----------
    file : File
        The root view.
    access : Access
        Which files may be read.
    resolver : Resolver
        Finds objects.
    constants : Constants
        Constants in memory.
    raw : RawData
        Reads raw data.
    mask : bool
        Whether unusable pixels are NaN.
    """

    def __init__(self, file: Any, access: Access, mask: bool = False) -> None:
        self.file: Any = None
        self.mask = mask
        self.access = access
        self.pool = FilePool(file)
        self.resolver = Resolver(self.pool, access)
        self.constants = Constants()
        self.raw = RawData(self.resolver)
        self._bindings: dict[tuple[str, str, str], Binding] = {}

    def get(self, group: Any, path: str) -> Any:
        """The object at a path: a view, a calibrated field, or h5py's own dataset."""
        try:
            return self._get(group, path)
        except NoObjectError:
            raise
        except (OSError, RuntimeError, KeyError, UnicodeError) as error:
            what = f"{path!r} in {group.file.filename}"
            message = f"{what} cannot be read: {hdf5_reason(error)}"
            raise CorruptFileError(message, group.file.filename) from None

    def _get(self, group: Any, path: str) -> Any:
        try:
            found = self.resolver.find(group, path)
        except NoObjectError:
            stacked = self.stacked(group, path)
            if stacked is None:
                raise
            return stacked
        if isinstance(found.object, h5py.Group):
            return self.view(found.object)
        if not isinstance(found.object, h5py.Dataset):
            return found.object
        definition = self.formula_of(found)
        if definition is None or definition.applied:
            return self.resolver.dataset(found)
        self._check_field(definition, found)
        name = joined(group.name, path)
        return self._calibrated(definition, group, name)

    def stacked(self, group: Any, path: str) -> CalibratedDataset | None:
        """A field that only an event index has, without a dataset of its name."""
        above, _, field = joined(group.name, path).rpartition("/")
        try:
            holder = self.resolver.find(group, above or "/").object
        except (KeyError, FileError):
            return None
        if not isinstance(holder, h5py.Group) or event_index_of(holder) is None:
            return None
        definition = self.formula_beside(holder, field)
        if definition is None or definition.applied:
            return None
        return self._calibrated(definition, group, joined(group.name, path))

    def _calibrated(self, definition: FormulaGroup, group: Any, name: str) -> CalibratedDataset:
        binding = self.binding(definition)
        if not self.mask:
            return CalibratedDataset(self.root(group), name, binding)
        view = self.root(group)
        groups = groups_of(binding, view, name, self.resolver)
        masked = bind_masked(binding, groups, self.resolver, f"'{name}' in {view.filename}")
        return CalibratedDataset(view, name, masked, plain=binding)

    def _check_field(self, definition: FormulaGroup, found: Found) -> None:
        """Refuse a group whose member of the field's name is another dataset."""
        group, field = definition.group, definition.field
        if link_of(group, field) is None:
            return
        member = self.resolver.find(group, field).object
        if member != found.object:
            file = group.file.filename
            message = f"'{field}' in '{group.name}' of {file} is not the field beside the group"
            raise FileError(message, file)

    def view(self, group: Any) -> Any:
        """The view of a group."""
        return self.root(group) if group.name == "/" else Group(group.id, self)

    def root(self, group: Any) -> Any:
        """The view of the file that a group is in."""
        if _file_number(group) == _file_number(self.file):
            return self.file
        return File(h5py.File(h5py.h5i.get_file_id(group.id)), self)

    def formula_of(self, found: Found) -> FormulaGroup | None:
        """The formula of a field, whichever way it was met."""
        places = [*found.places, *self._target(found)]
        for group, name in places:
            definition = self.formula_beside(group, name)
            if definition is not None:
                return definition
        if not isinstance(found.object, h5py.Dataset):
            return None
        for group, name in places:
            definition = implicit_formula(group, name, found.object, self.resolver)
            if definition is not None:
                return definition
        return None

    def formula_beside(self, group: Any, field: str) -> FormulaGroup | None:
        """The formula group of a field in a group."""
        member = field + names.GROUP_SUFFIX
        if link_of(group, member) is None:
            return None
        holder = self.resolver.find(group, member).object
        return read_group(holder, field) if is_formula_group(holder) else None

    def _target(self, found: Found) -> Iterator[tuple[Any, str]]:
        """The place that a hard-linked field names as its own, as NeXus files do."""
        target = as_text(found.object.attrs.get(names.TARGET))
        if not target or not target.startswith("/"):
            return
        with suppress(KeyError, MissingSourceError):
            own = self.resolver.find(found.object.file["/"], target)
            if own.object == found.object:
                yield from own.places

    def binding(self, definition: FormulaGroup) -> Binding:
        """The bound and compiled formula of a group, made once."""
        key = definition.group.file.filename, definition.group.name, definition.field
        if key not in self._bindings:
            self._bindings[key] = bind(
                definition, self.resolver, joined_fields(definition, self.resolver)
            )
        return self._bindings[key]


class _View:
    """What the file and its groups do differently from h5py: how a member is found."""

    context: Context
    id: Any

    def __getitem__(self, name: Any) -> Any:
        if not isinstance(name, str | bytes):
            # A reference: its object knows its own path.
            name = h5py.Group.__getitem__(self, name).name
        if not name:
            raise NoObjectError("the name of an object cannot be empty")
        return self.context.get(self, _text(name))

    def __contains__(self, name: Any) -> bool:
        if not isinstance(name, str | bytes):
            return bool(h5py.Group.__contains__(self, name))
        place = self._place(_text(name))
        if place is not None and place[1] in place[0]:
            return True
        return self.context.stacked(self, _text(name)) is not None

    def _place(self, path: str) -> tuple[Any, str] | None:
        """The group with the last link of a path, as h5py's own, and the link's name there."""
        steps = split(path)
        if not steps:
            return (h5py.Group(self.id), ".") if path else None
        above = "/" * path.startswith("/") + "/".join(steps[:-1])
        try:
            holder = self.context.resolver.find(self, above).object
        except (KeyError, MissingSourceError):
            return None
        return (holder, steps[-1]) if isinstance(holder, h5py.Group) else None

    def get(
        self, name: Any, default: Any = None, getclass: bool = False, getlink: bool = False
    ) -> Any:
        """The member of this name, as h5py's method of this name; a dangling link has none."""
        if getlink:
            place = self._place(_text(name)) if isinstance(name, str | bytes) else (self, name)
            return h5py.Group.get(*place, default, getclass, getlink) if place else default
        if isinstance(name, str | bytes):
            if not name:
                return default
            # Only the path itself may lead nowhere; what is wrong with a formula is said.
            try:
                self.context.resolver.find(self, _text(name))
            except (KeyError, MissingSourceError):
                if self.context.stacked(self, _text(name)) is None:
                    return default
        found = self[name]
        if not getclass:
            return found
        kinds = (kind for kind in (h5py.Group, h5py.Datatype) if isinstance(found, kind))
        return next(kinds, h5py.Dataset)

    @property
    def file(self) -> Any:
        """The root view of the file that this is in."""
        return self.context.root(self)

    @property
    def parent(self) -> Any:
        """The group above."""
        own: Any = self
        above = own.name.rpartition("/")[0] or "/"
        return self.file[above]


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")


def _file_number(group: Any) -> int:
    """What tells open files apart."""
    return int(h5py.h5o.get_info(group.id).fileno)


class Group(_View, h5py.Group):  # type: ignore[misc]
    """A group whose fields give calibrated values; otherwise h5py's."""

    def __init__(self, group_id: Any, context: Context) -> None:
        h5py.Group.__init__(self, group_id)
        self.context = context


class File(_View, h5py.File):  # type: ignore[misc]
    """An open file; see `nxformula.open`."""

    def __init__(self, file: Any, context: Context) -> None:
        h5py.File.__init__(self, file.id)
        self.context = context

    def close(self) -> None:
        """Close the file and all files that its links led to."""
        self.context.pool.close()

    def formulas(self) -> Iterator[CalibratedDataset]:
        """All fields of this file that have a formula which is not applied yet.

        Examples
        --------
        >>> with nxformula.open(master) as f:
        ...     [field.name for field in f.formulas()]
        ['/entry/instrument/detector/data']
        """
        seen: list[FormulaGroup] = []
        for path in formula_paths(self):
            try:
                found = self[path]
            except KeyError:
                message = f"{self.filename} has a formula for '{path}', which does not exist"
                raise MissingSourceError(message, self.filename) from None
            # A field may have an offset beside one of its links, and a formula beside another.
            if isinstance(found, CalibratedDataset) and found.binding.definition not in seen:
                seen.append(found.binding.definition)
                yield found

    def only_formula(self, field: str | None = None) -> CalibratedDataset:
        """The one field with a formula, or that of a path.

        Parameters
        ----------
        field : str, optional
            Path of the field; needed where more than one has a formula.

        Raises
        ------
        NoFormulaError
            There is none, or more than one.
        FileError
            There is no such field.
        """
        if field is not None:
            return self._calibrated(field)
        found = list(self.formulas())
        if len(found) == 1:
            return found[0]
        if not found:
            message = f"{self.filename} has no field with a formula to evaluate"
            raise NoFormulaError(message, self.filename)
        listed = ", ".join(field.name for field in found)
        message = f"{self.filename} has {len(found)} fields with a formula; name one of {listed}"
        raise NoFormulaError(message, self.filename)

    def _calibrated(self, field: str) -> CalibratedDataset:
        try:
            found = self[field]
        except KeyError:
            raise FileError(f"{self.filename} has no {field}", self.filename) from None
        if not isinstance(found, CalibratedDataset):
            message = f"{field} in {self.filename} has no formula to evaluate"
            raise NoFormulaError(message, self.filename)
        return found


def open(  # noqa: A001 - nxformula.open, as h5netcdf and tifffile name theirs
    path: str | os.PathLike[str],
    *,
    allow: Iterable[str | os.PathLike[str]] = (),
    mask: bool = False,
) -> File:
    """Open a NeXus file for reading; fields with a formula give calibrated values.

    Parameters
    ----------
    path : path
        An HDF5 file.
    allow : iterable of path
        Folders, beside that of the file, whose files may be read through its links.
    mask : bool
        Give NaN for pixels that the detector says are unusable: those with one of the lower 16
        bits of its `pixel_mask`, and those whose raw value is above `saturation_value` or below
        `underload_value`.

    Returns
    -------
    File
        Behaves as an `h5py.File`; a field with a formula is a `CalibratedDataset`.

    Raises
    ------
    FileError
        The file cannot be opened.

    Examples
    --------
    >>> with nxformula.open(master) as f:
    ...     images = f["/entry/instrument/detector/data"]
    ...     frame = images[0]
    >>> images.units, frame.dtype
    ('keV', dtype('float32'))
    """
    # HDF5 takes links as relative to where the file really is, and so does this.
    real = os.path.realpath(path)
    file = open_file(path if real == os.path.abspath(path) else real)
    try:
        context = Context(file, Access(path, allow), mask)
        context.file = view = File(file, context)
        return view
    except BaseException:
        file.close()
        raise


def reopen(
    path: str, name: str, allow: tuple[str, ...], mask: bool, result: str | None, is_errors: bool
) -> CalibratedDataset:
    """A calibrated field by path: what a pickled one becomes."""
    file = open(path, allow=allow, mask=mask)
    found = file.get(name)
    if not isinstance(found, CalibratedDataset):
        file.close()
        raise NoFormulaError(f"{name} in {path} has no formula to evaluate", path)
    if is_errors:
        errors = found.errors
        if errors is None:
            file.close()
            raise NoFormulaError(f"nothing that {name} in {path} is made of has errors", path)
        return errors
    return found if result is None else found.result(result)
