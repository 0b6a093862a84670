"""Where the modules of a detector are, from the chains of transformations in its file."""

from __future__ import annotations

import math
import posixpath
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import FileError, UnitError
from nxformula.language.units.texts import parse_unit
from nxformula.nexus.access import Access
from nxformula.nexus.files import FilePool
from nxformula.nexus.links import Resolver, link_of
from nxformula.nexus.text import as_text, attribute_of

#: Units that numbers of a chain are in: of offsets, and of values.
_LENGTH: Final = ("m",)
_ANY: Final = ("m", "rad")
#: Axes of one chain.
_MOST: Final = 100
#: Values of one axis, of which the first counts.
_MOST_VALUES: Final = 1 << 20
_DOUBLE: Final = h5py.h5t.NATIVE_DOUBLE


@dataclass(frozen=True, slots=True)
class Placed:
    """A module in the laboratory.

    Attributes
    ----------
    name : str
        Of its group.
    origin : ndarray
        The corner of its first pixel, in m.
    fast, slow : ndarray
        Steps of a pixel, in m.
    data_origin, data_size : tuple of int
        Its pixels in an image, slow to fast.
    chain : tuple of str
        Names of the axes that it depends on, from the nearest on.
    """

    name: str
    origin: Array
    fast: Array
    slow: Array
    data_origin: tuple[int, ...]
    data_size: tuple[int, ...]
    chain: tuple[str, ...]

    def positions(self) -> Array:
        """The centres of all pixels; shape (slow, fast, 3), in m."""
        slow, fast = self.data_size[-2:]
        i = (np.arange(slow) + 0.5)[:, np.newaxis, np.newaxis] * self.slow
        j = (np.arange(fast) + 0.5)[np.newaxis, :, np.newaxis] * self.fast
        found: Array = self.origin + i + j
        return found


class Chains:
    """The axes of a file, each read once.

    Parameters
    ----------
    file : File or h5py.File
        The file; links lead where those of an open `File` may, or to files in its folder.
    """

    def __init__(self, file: Any) -> None:
        # Views of calibrated fields have nothing to do with where they are.
        self.file = h5py.File(file.id)
        context = getattr(file, "context", None)
        pool = FilePool(self.file)
        if context is None:
            self._resolver = Resolver(pool, Access(self.file.filename, ()))
        else:
            self._resolver = context.resolver
        self._groups: dict[str, Any] = {}
        self._known: dict[str, tuple[Array, tuple[str, ...]]] = {}

    def modules(self, detector: Any) -> list[Placed]:
        """The modules of a detector, in the order of the file.

        Raises
        ------
        FileError
            A field is missing, or a chain does not end.
        """
        raw = h5py.Group(detector.id)
        members = (raw[name] for name in raw if isinstance(link_of(raw, name), h5py.HardLink))
        found = [
            self._placed(member)
            for member in members
            if isinstance(member, h5py.Group)
            and as_text(attribute_of(member, "NX_class")) == "NXdetector_module"
        ]
        if not found:
            message = f"{detector.name} in {self.file.filename} has no NXdetector_module"
            raise FileError(message, self.file.filename)
        return found

    def _placed(self, module: Any) -> Placed:
        steps, origins = [], []
        chain: tuple[str, ...] = ()
        for name in ("fast_pixel_direction", "slow_pixel_direction"):
            axis = self._dataset(f"{module.name}/{name}")
            size = self._value(axis)
            vector = self._vector(axis, "vector")
            above, chain = self._above(axis)
            offset = self._offset(axis)
            steps.append(above[:3, :3] @ (vector * size))
            origins.append((above @ np.append(offset, 1))[:3])
        sizes = [
            tuple(int(n) for n in _numbers(self._dataset(f"{module.name}/{name}")).reshape(-1))
            for name in ("data_origin", "data_size")
        ]
        name = module.name.rpartition("/")[2]
        return Placed(name, origins[0], steps[0], steps[1], sizes[0], sizes[1], chain)

    def _dataset(self, path: str) -> Any:
        """A field, found without leaving the files that may be read."""
        above, _, name = path.rpartition("/")
        group = self._group(above or "/")
        if group is None or not name:
            raise FileError(f"{path} is no field of {self.file.filename}", self.file.filename)
        # A link that does not exist is a RuntimeError of HDF5.
        with suppress(KeyError, RuntimeError):
            if group.id.links.get_info(name.encode()).type == h5py.h5l.TYPE_HARD:
                # By far the most, and h5py's own way takes five times as long.
                with suppress(TypeError):
                    stored = h5py.h5d.open(group.id, name.encode())
                    if _is_whole(stored):
                        return h5py.Dataset(stored)
            found = self._resolver.find(group, name)
            if isinstance(found.object, h5py.Dataset):
                return self._resolver.dataset(found)
        raise FileError(f"{path} is no field of {self.file.filename}", self.file.filename)

    def _group(self, path: str) -> Any:
        if path not in self._groups:
            found = None
            with suppress(KeyError):
                found = self._resolver.find(self.file, path).object
            self._groups[path] = found if isinstance(found, h5py.Group) else None
        return self._groups[path]

    def _above(self, axis: Any) -> tuple[Array, tuple[str, ...]]:
        """The transformation of what an axis depends on, and the names of that chain."""
        target = _text(axis, "depends_on")
        if target is None or target.strip() in ("", "."):
            return np.eye(4), ()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(axis.name), target))
        return self._to(path, 0)

    def _to(self, path: str, depth: int) -> tuple[Array, tuple[str, ...]]:
        if path in self._known:
            return self._known[path]
        if depth > _MOST:
            message = f"the chain of {path} in {self.file.filename} does not end"
            raise FileError(message, self.file.filename)
        axis = self._dataset(path)
        target = _text(axis, "depends_on")
        above: Array = np.eye(4)
        names: tuple[str, ...] = ()
        if target is not None and target.strip() not in ("", "."):
            place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            above, names = self._to(place, depth + 1)
        found = above @ self._own(axis), (path.rpartition("/")[2], *names)
        self._known[path] = found
        return found

    def _own(self, axis: Any) -> Array:
        """The transformation of an axis: its offset, then the turn or shift by its value."""
        matrix = np.eye(4)
        matrix[:3, 3] = self._offset(axis)
        number = float(_numbers(axis).reshape(-1)[0])
        if number == 0:
            # Nothing is turned or shifted: most axes of a detector only say where it begins.
            return matrix
        kind = _text(axis, "transformation_type")
        value, vector = number * self._scale(axis, "units"), self._vector(axis, "vector")
        if kind == "rotation":
            matrix[:3, :3] = _turned(vector, value)
        else:
            matrix[:3, 3] += vector * value
        return matrix

    def _value(self, axis: Any) -> float:
        return float(_numbers(axis).reshape(-1)[0]) * self._scale(axis, "units")

    def _offset(self, axis: Any) -> Array:
        if not h5py.h5a.exists(axis.id, b"offset"):
            return np.zeros(3)
        offset = self._vector(axis, "offset")
        if not offset.any():
            return offset
        # Files without offset_units mean the units of the axis, as nxmx takes them.
        has_own = h5py.h5a.exists(axis.id, b"offset_units")
        return offset * self._scale(axis, "offset_units" if has_own else "units", _LENGTH)

    def _scale(self, axis: Any, attribute: str, kinds: tuple[str, ...] = _ANY) -> float:
        text = _text(axis, attribute)
        if text is None:
            message = f"{axis.name} in {self.file.filename} has no {attribute}"
            raise FileError(message, self.file.filename)
        found = _scale_of(text, kinds)
        if found is None:
            message = f"{axis.name} in {self.file.filename} has the {attribute} {text!r}"
            expected = "a length" if kinds == _LENGTH else "a length or an angle"
            raise FileError(f"{message}; expected {expected}", self.file.filename)
        return found

    def _vector(self, axis: Any, attribute: str) -> Array:
        found = np.empty(0)
        if h5py.h5a.exists(axis.id, attribute.encode()):
            stored = h5py.h5a.open(axis.id, attribute.encode())
            # A detector has hundreds of these: h5py's own way takes five times as long. What is
            # no number HDF5 does not convert.
            with suppress(OSError, TypeError):
                if stored.shape in ((3,), (1, 3), (3, 1)):
                    values = np.empty(stored.shape)
                    stored.read(values, _DOUBLE)
                    found = values
        if found.size != 3:
            message = f"{axis.name} in {self.file.filename} has no {attribute} of 3 numbers"
            raise FileError(message, self.file.filename)
        return found.reshape(-1)


def _is_whole(stored: Any) -> bool:
    """Whether all values of a dataset are in its own file."""
    layout = stored.get_create_plist()
    return layout.get_layout() != h5py.h5d.VIRTUAL and not layout.get_external_count()


def _numbers(dataset: Any) -> Array:
    """All numbers of a dataset, without the detours that h5py takes for others."""
    file, shape = dataset.file.filename, dataset.id.shape
    # Of a null dataspace the shape is None.
    many = 0 if shape is None else math.prod(shape)
    if many > _MOST_VALUES:
        message = f"{dataset.name} in {file} has {many:,} values; expected at most"
        raise FileError(f"{message} {_MOST_VALUES:,}", file)
    # What is no number HDF5 does not convert.
    with suppress(OSError, TypeError):
        if many:
            found = np.empty(shape)
            dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, found, _DOUBLE)
            return found
    raise FileError(f"{dataset.name} in {file} holds no numbers", file)


def _text(axis: Any, attribute: str) -> str | None:
    """A text attribute, without the detours that h5py takes for others."""
    name = attribute.encode()
    with suppress(OSError, RuntimeError, KeyError, TypeError, ValueError):
        if not h5py.h5a.exists(axis.id, name):
            return None
        stored = h5py.h5a.open(axis.id, name)
        if stored.shape == ():
            found = np.empty((), stored.dtype)
            stored.read(found)
            return as_text(found[()])
    return as_text(attribute_of(axis, attribute))


@cache
def _scale_of(text: str, kinds: tuple[str, ...]) -> float | None:
    """How many m, or rad, a unit is; None if it is neither of what is wanted."""
    try:
        unit = parse_unit(text)
    except UnitError:
        return None
    ratios = (unit.ratio(parse_unit(kind)) for kind in kinds)
    return next((ratio for ratio in ratios if ratio is not None), None)


def _turned(axis: Array, angle: float) -> Array:
    """The matrix of a turn about an axis, by Rodrigues' formula; the angle in rad."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    found: Array = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return found


def detectors_of(file: Any) -> list[str]:
    """Paths of the detectors of a file."""
    found: list[str] = []

    def visit(name: str, member: Any) -> None:
        is_group = isinstance(member, h5py.Group)
        if is_group and as_text(attribute_of(member, "NX_class")) == "NXdetector":
            found.append(f"/{name}")

    # A view would follow what a field is made of.
    h5py.File(file.id).visititems(visit)
    return found
