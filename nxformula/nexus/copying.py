"""Copy a master so that its links still lead to the same files from another folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from nxformula.errors import FileError
from nxformula.nexus.files import open_file, reading
from nxformula.nexus.links import link_of


def copy_master(source: str, target: str, folder: str) -> None:
    """Copy a file byte by byte, then rewrite its relative links for another folder.

    Parameters
    ----------
    source : str
        The master.
    target : str
        The copy, maybe under a temporary name.
    folder : str
        Where the copy will be.

    Raises
    ------
    FileError
        There is no room, or a relative link cannot be rewritten.
    """
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise FileError(f"{target}: cannot be written ({error.strerror})", target) from None
    old = os.path.dirname(os.path.abspath(source))
    if os.path.realpath(old) == os.path.realpath(folder):
        return
    with open_file(target, "r+") as file, reading("the links", source):
        for group, name, link in list(members(file)):
            if isinstance(link, h5py.ExternalLink):
                moved = moved_name(link.filename, old, folder)
                if moved != link.filename:
                    del group[name]
                    group[name] = h5py.ExternalLink(moved, link.path)
            elif isinstance(link, h5py.HardLink) and isinstance(group[name], h5py.Dataset):
                _move_sources(group, name, old, folder)


def moved_name(name: str, old: str, new: str) -> str:
    """A file name relative to one folder, made relative to another; absolute ones stay."""
    if os.path.isabs(name):
        return name
    return os.path.relpath(os.path.realpath(os.path.join(old, name)), os.path.realpath(new))


def members(file: Any) -> Iterator[tuple[Any, str, Any]]:
    """Every link of a file, with the group that holds it; groups in a circle come once."""
    waiting = [file["/"]]
    seen = {_address(file["/"])}
    while waiting:
        group = waiting.pop()
        for name in group:
            link = link_of(group, name)
            yield group, name, link
            if isinstance(link, h5py.HardLink) and name in group:
                member = group[name]
                if isinstance(member, h5py.Group) and _address(member) not in seen:
                    seen.add(_address(member))
                    waiting.append(member)


def _address(member: Any) -> int:
    return int(h5py.h5o.get_info(member.id).addr)


def links_to(file: Any, target: Any) -> list[tuple[Any, str]]:
    """All hard links to an object."""
    address = _address(target)
    found = []
    for group, name, link in members(file):
        if isinstance(link, h5py.HardLink) and _address(group[name]) == address:
            found.append((group, name))
    return found


def _move_sources(group: Any, name: str, old: str, new: str) -> None:
    dataset = group[name]
    if dataset.external and any(not os.path.isabs(f) for f, _, _ in dataset.external):
        file = group.file.filename
        message = f"'{dataset.name}' keeps its raw storage in files beside the master"
        raise FileError(f"{message}; write the output to the same folder", file)
    if not dataset.is_virtual:
        return
    sources = dataset.virtual_sources()
    moved = [
        s.file_name if s.file_name == "." else moved_name(s.file_name, old, new) for s in sources
    ]
    if moved == [s.file_name for s in sources]:
        return
    create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    for source, filename in zip(sources, moved, strict=True):
        create.set_virtual(
            source.vspace, filename.encode(), source.dset_name.encode(), _source_space(source)
        )
    space, kind = dataset.id.get_space(), dataset.id.get_type()
    _copy_fill_value(dataset, create)
    replaced = h5py.Dataset(h5py.h5d.create(group.id, None, kind, space, create))
    copy_attributes(dataset, replaced)
    for holder, own in links_to(group.file, dataset):
        del holder[own]
        holder[own] = replaced


def _source_space(source: Any) -> Any:
    """The part of a source that a mapping takes; HDF5 forgets the size of one taken whole."""
    if source.src_space.get_select_type() != h5py.h5s.SEL_ALL:
        return source.src_space
    first, last = source.vspace.get_select_bounds()
    return h5py.h5s.create_simple(tuple(b - a + 1 for a, b in zip(first, last, strict=True)))


def _refers(dtype: np.dtype[Any]) -> bool:
    """Whether values of a dtype are references to objects, which mean nothing in another file."""
    inner = h5py.check_vlen_dtype(dtype)
    if isinstance(inner, np.dtype):
        return _refers(inner)
    if dtype.fields:
        return any(_refers(field[0]) for field in dtype.fields.values())
    return h5py.check_ref_dtype(dtype) is not None


def _copy_fill_value(dataset: Any, create: Any) -> None:
    if dataset.fillvalue is not None and dataset.dtype.kind in "biuf":
        create.set_fill_value(np.asarray(dataset.fillvalue, dataset.dtype))


def copy_attributes(source: Any, target: Any) -> None:
    """Copy attributes with their exact types; references only within one file."""
    same = source.file.filename == target.file.filename
    for name in source.attrs:
        attribute = h5py.h5a.open(source.id, name.encode())
        if not same and _refers(attribute.dtype):
            continue
        copied = h5py.h5a.create(
            target.id, name.encode(), attribute.get_type(), attribute.get_space()
        )
        value = source.attrs[name]
        if not isinstance(value, h5py.Empty):
            target.attrs.modify(name, value)
        del copied
