"""A field whose values are computed on reading, with the manners of an h5py dataset."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import FileError
from nxformula.nexus.binding import Binding, bind
from nxformula.nexus.by_module import ByModule
from nxformula.nexus.derived import uncertain
from nxformula.nexus.evaluation import Evaluation
from nxformula.nexus.event_index import EventFrames
from nxformula.nexus.masks import Mask, groups_of, mask_of
from nxformula.nexus.selection import Part, select

if TYPE_CHECKING:
    from nxformula.nexus.reader import Context


class CalibratedDataset:
    """A raw field seen through its formula.

    Index it as an h5py dataset: integers, slices, an ellipsis, one increasing list or boolean
    array. Only what the selection needs is read and evaluated.

    Attributes
    ----------
    shape, dtype, ndim, size, nbytes
        Of the calibrated values.
    axes : tuple of str
        Names of the dimensions.
    units : str or None
        Units of the calibrated values.
    chunks : tuple of int or None
        Chunks of the raw field, where it has the same dimensions.
    attrs : mapping
        Attributes of the raw field, `units` replaced.
    raw : h5py.Dataset
        The field as stored.
    file : File
        The view of the file that this field was opened from.
    formula : str
        Text of the formula.
    """

    def __init__(
        self,
        file: Any,
        name: str,
        binding: Binding,
        result: str | None = None,
        *,
        plain: Binding | None = None,
        is_errors: bool = False,
    ) -> None:
        self.file = file
        self.context: Context = file.context
        self._binding = binding
        self._result = result
        # Unusable pixels have a gain stage too.
        self._plain = plain or binding
        self._is_errors = is_errors
        self.name = name
        self.shape = binding.shape
        self.dtype = binding.kernel.dtype
        self.axes = binding.kernel.axes
        self._evaluation = Evaluation(binding, self.context, self.shape)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all calibrated values."""
        return self.size * self.dtype.itemsize

    @property
    def formula(self) -> str:
        """Text of the formula."""
        return self._binding.formula.text

    @property
    def units(self) -> str | None:
        """Units of the calibrated values and their errors; none for a named result."""
        return None if self._result else self._binding.definition.units

    @property
    def results(self) -> tuple[str, ...]:
        """Names that `result` takes."""
        return self._binding.definition.results

    @property
    def binding(self) -> Binding:
        """The formula with its symbols and their datasets."""
        return self._binding

    @property
    def raw(self) -> Any:
        """The field as stored."""
        definition = self._binding.definition
        if definition.field in self._binding.bound:
            return self._binding.bound[definition.field].dataset
        found = self.context.resolver.find(definition.group, definition.field)
        return self.context.resolver.dataset(found)

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Attributes of the raw field, `units` replaced."""
        attributes = dict(self.raw.attrs)
        attributes.pop("units", None)
        if self.units is not None:
            attributes["units"] = self.units
        return MappingProxyType(attributes)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Chunks of the raw field, where it has the same dimensions."""
        bound = self._binding.bound.get(self._binding.definition.field)
        if bound is None or bound.symbol.axes != self.axes:
            return None
        chunks: tuple[int, ...] | None = bound.dataset.chunks
        return chunks

    @property
    def by_module(self) -> ByModule:
        """The images with a dimension of their own for modules: event, module, slow, fast.

        Raises
        ------
        FileError
            The images are not joined from modules by an event index.
        """
        bound = self._plain.bound.get(self._plain.definition.field)
        frames = bound.dataset if bound is not None else None
        if not isinstance(frames, EventFrames) or self.ndim != 3:
            path = self.file.filename
            raise FileError(f"{self.name} in {path} is not joined from modules", path)
        return ByModule(self, frames.height)

    def read_parts(self, parts: tuple[Part, ...], out: Array) -> None:
        """Read the places along each dimension into an array of these lengths."""
        self.check_declared(parts)
        self._evaluation.read(parts, out)

    @property
    def maxshape(self) -> tuple[int, ...]:
        """The shape: calibrated values cannot be resized."""
        return self.shape

    @property
    def parent(self) -> Any:
        """The group that this field was opened from."""
        return self.file[self.name.rpartition("/")[0] or "/"]

    def result(self, name: str) -> CalibratedDataset:
        """One of the `formula_results`, such as the gain stage, as a dataset of its own.

        Raises
        ------
        KeyError
            The file offers no such result.

        Examples
        --------
        >>> with nxformula.open(master) as f:
        ...     f["/entry/data/data"].result("stage")[0].max()
        np.uint8(3)
        """
        if name not in self.results:
            offered = ", ".join(self.results) or "none"
            raise KeyError(f"{self.name} offers no result {name!r}; it offers {offered}")
        return CalibratedDataset(self.file, self.name, self._plain.result(name), name)

    @cached_property
    def errors(self) -> CalibratedDataset | None:
        """Standard deviations of the calibrated values, to first order, or None.

        They come from symbols that have a member `SYMBOL_errors` in the formula group, and from
        definitions `NAME_errors` in the formula, as photons that follow Poisson's law have one.
        All of these count as uncorrelated. They are NaN where the values are.

        Raises
        ------
        FormulaError
            They cannot be derived: a formula that hides what is uncertain, as `floor` does.

        Examples
        --------
        >>> with nxformula.open(master) as f:
        ...     print(f["/entry/data/data"].errors)
        None
        """
        if self._result is not None or self._is_errors:
            return None
        derived = uncertain(self._binding, self.context.resolver)
        if derived is None:
            return None
        binding = bind(derived, self.context.resolver, self._binding.extra)
        return CalibratedDataset(self.file, self.name, binding, is_errors=True)

    @property
    def saturation_value(self) -> float | None:
        """Above it calibrated values are invalid: the detector's own value through the formula.

        The smallest of all pixels of the first frame, or None: there is none, or the formula
        takes the field only by parts.
        """
        return self._limit(self.raw_mask.saturation, np.min)

    @property
    def underload_value(self) -> float | None:
        """Below it calibrated values are invalid; as `saturation_value`, the largest of all."""
        return self._limit(self.raw_mask.underload, np.max)

    @cached_property
    def raw_mask(self) -> Mask:
        """What the detector says is unusable, in raw values."""
        return mask_of(
            groups_of(self._plain, self.file, self.name, self.context.resolver),
            self.context.resolver,
        )

    def _limit(self, raw: int | float | None, choose: Callable[[Array], Any]) -> float | None:
        """A raw value through the formula, with the constants of the first frame."""
        plain = self._plain
        field = plain.bound.get(plain.definition.field)
        if raw is None or field is None or 0 in self.shape or self._result or self._is_errors:
            return None
        fits = np.can_cast(np.min_scalar_type(raw), field.symbol.dtype)
        if not fits or field.symbol.dimensions != self.axes:
            return None
        evaluation = Evaluation(plain, self.context, self.shape, {plain.definition.field: raw})
        length = (1,) if self.ndim > 2 else ()
        out = np.empty((*length, *self.shape[len(length) :]), plain.kernel.dtype)
        evaluation.read(tuple(range(n) for n in out.shape), out)
        valid = out[np.isfinite(out)]
        return float(choose(valid)) if valid.size else None

    # Reading

    def __getitem__(self, args: Any) -> Any:
        mask = args[0] if isinstance(args, tuple) and len(args) == 1 else args
        if isinstance(mask, np.ndarray) and mask.dtype.kind == "b" and mask.ndim == self.ndim > 1:
            return self._masked(mask)
        selection = select(args, self.shape)
        self.check_declared(selection.parts)
        out = np.empty(selection.full_shape, self.dtype)
        self._evaluation.read(selection.parts, out)
        values = out.reshape(selection.shape)
        # As h5py: one element is a number, a scalar field with an ellipsis an array.
        return values[()] if values.ndim == 0 and args is not Ellipsis else values

    def read_into(self, out: Array, frames: Any = ...) -> None:
        """Read into an array that is there already.

        Parameters
        ----------
        out : ndarray
            Receives the values; dtype as `dtype`, shape as that of the selection.
        frames : index, optional
            What to read: as in brackets.

        Raises
        ------
        ValueError
            The array has another shape or dtype than the selection.
        FileError
            A file cannot be read.

        Examples
        --------
        >>> with nxformula.open(master) as f:
        ...     images = f["/entry/data/data"]
        ...     out = np.empty((2, *images.shape[1:]), images.dtype)
        ...     images.read_into(out, slice(2, 4))
        """
        selection = select(frames, self.shape)
        if out.shape != selection.shape or out.dtype != self.dtype:
            wanted = f"{self.dtype}{selection.shape}"
            raise ValueError(f"out is {out.dtype}{out.shape}, the selection gives {wanted}")
        self.check_declared(selection.parts)
        dropped = tuple(
            np.newaxis if i in selection.dropped else slice(None) for i in range(self.ndim)
        )
        self._evaluation.read(selection.parts, out[dropped])

    def to_dask(self) -> Any:
        """The field as a dask array, chunked along its first dimension with the raw chunks.

        Returns
        -------
        dask.array.Array
            Computed piece by piece; its pieces travel to other processes by the path of the file.

        Raises
        ------
        ModuleNotFoundError
            dask is missing; the message names the extra.

        Examples
        --------
        >>> with nxformula.open(master) as f:
        ...     images = f["/entry/data/data"].to_dask()
        ...     brightest = images.max(axis=0).compute()
        >>> images.shape, brightest.shape
        ((4, 64, 128), (64, 128))
        """
        from nxformula.nexus.dask_array import dask_array

        return dask_array(self)

    def read_direct(self, dest: Array, source_sel: Any = None, dest_sel: Any = None) -> None:
        """Read into a part of an array, as h5py's method of this name."""
        source = ... if source_sel is None else source_sel
        target = ... if dest_sel is None else dest_sel
        part = dest[target]
        if part.dtype == self.dtype and part.ndim and np.may_share_memory(part, dest):
            self.read_into(part, source)
        else:
            dest[target] = self[source]

    def _masked(self, mask: Array) -> Array:
        if mask.shape != self.shape:
            raise TypeError(f"boolean array of shape {mask.shape}, the dataset's is {self.shape}")
        rows = [self[i][mask[i]] for i in range(len(self)) if mask[i].any()]
        return np.concatenate(rows) if rows else np.empty(0, self.dtype)

    def check_declared(self, parts: tuple[Part, ...], advice: str = "") -> None:
        """Refuse, before memory is taken, to read or give far more than the files hold.

        Parameters
        ----------
        parts : tuple
            The places along each dimension.
        advice : str
            Ends the message.

        Raises
        ------
        FileError
            More than 1 GiB and more than 1,000 times what is stored.
        """
        self._evaluation.check_declared(parts, self.name, self.file.filename, advice)

    def check_tables(self) -> None:
        """Refuse, before a pixel is read, tables that do not increase as `interp` needs them."""
        self._evaluation.check_tables()

    # The manners of an h5py dataset

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("Attempt to take len() of scalar dataset")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        for i in range(len(self)):
            yield self[i]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("calibrated values are computed: an array of them is always a copy")
        values = np.asarray(self[...])
        return values if dtype is None else values.astype(dtype, copy=False)

    def __bool__(self) -> bool:
        return bool(self.file)

    def __reduce__(self) -> tuple[Any, ...]:
        from nxformula.nexus.reader import reopen

        access = self.context.access
        path, allow = access.master, access.allow
        if self.file is not self.context.file:
            # Links led to another file; what may be read stays what it was.
            path, allow = self.file.filename, access.roots
        return reopen, (path, self.name, allow, self.context.mask, self._result, self._is_errors)

    def __repr__(self) -> str:
        units = f" in {self.units}" if self.units else ""
        kind = f"result {self._result!r} of" if self._result else "calibrated"
        kind = "errors of" if self._is_errors else kind
        return f'<{kind} field "{self.name}": shape {self.shape}, type "{self.dtype}"{units}>'
