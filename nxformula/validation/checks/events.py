"""Rules of event index tables: NXMX-EVT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.event_index import LANGUAGE_ATTRIBUTE
from nxformula.nexus.metadata.nodes import Broken, Field, Group
from nxformula.validation.scope import Fault, Scope, check

_IDS: Final = ("event_id", "train_id", "pulse_id")
#: Values that are read of a table at most.
_MOST: Final = 1 << 27


def tables(scope: Scope) -> list[Group]:
    """The event index tables of an entry."""
    return [group for group in scope.all_groups() if LANGUAGE_ATTRIBUTE in group.attributes]


def values_of(field: Field | None) -> Array | None:
    """All values of an integer field; None if they are too many or cannot be read."""
    if field is None or not field.is_integer or field.size > _MOST:
        return None
    if field.value is not None:
        return np.asarray(field.value)
    if field.blocks is None:
        return None
    try:
        return np.concatenate(list(field.blocks()))
    except (OSError, RuntimeError, ValueError, MemoryError):
        return None


def modules(table: Group) -> list[Group]:
    """The modules of a table, in the order of its columns."""
    return [node for _, node in sorted(table.members.items()) if isinstance(node, Group)]


def rows_of(module: Group) -> int | None:
    """How many rows the sources of a module have."""
    rows = values_of(module.field("source_rows"))
    return None if rows is None else int(rows.sum())


@check("NXMX-EVT-001")
def rows(scope: Scope) -> Iterator[Fault]:
    """Rows of the table exist."""
    for table in tables(scope):
        field = table.field("frame_index")
        index = values_of(field)
        if field is None:
            yield Fault(table.path, "the table has no field 'frame_index'")
        if field is None or index is None or index.ndim != 2 or not index.size:
            continue
        yield from _rows(table, field, index)


def _rows(table: Group, field: Field, index: Array) -> Iterator[Fault]:
    if int(index.min()) < -1:
        yield Fault(field.path, f"a row {int(index.min())}; expected -1 for none, or 0 and more")
        return
    known = modules(table)
    if known and len(known) != index.shape[1]:
        message = f"{index.shape[1]} columns, and the table has {len(known)} modules"
        yield Fault(field.path, message)
        return
    for k, module in enumerate(known):
        rows = rows_of(module)
        most = int(index[:, k].max())
        if rows is not None and most >= rows:
            event = int(index[:, k].argmax())
            message = f"row {most} of {module.name} at event {event}; it has {rows} rows"
            yield Fault(field.path, message, None, (module.path,))


@check("NXMX-EVT-002")
def ids(scope: Scope) -> Iterator[Fault]:
    """Ids are unique, and counts agree."""
    for table in tables(scope):
        index = values_of(table.field("frame_index"))
        events = index.shape[0] if index is not None and index.ndim == 2 else None
        fields = [f for f in (table.field(name) for name in _IDS) if f is not None]
        for field in fields:
            if events is not None and field.size != events:
                yield Fault(field.path, f"{field.size} ids, and the table has {events} events")
                return
        yield from _twice(fields)
        yield from _present(table, index)
        for module in modules(table):
            yield from _source_rows(module)


def _twice(fields: list[Field]) -> Iterator[Fault]:
    columns = [values_of(field) for field in fields]
    if not columns or any(column is None or column.ndim != 1 for column in columns):
        return
    known = np.stack([column for column in columns if column is not None], axis=1)
    unique, first, counts = np.unique(known, axis=0, return_index=True, return_counts=True)
    if len(unique) < len(known):
        k = int(np.argmax(counts > 1))
        shown = ", ".join(str(value) for value in unique[k])
        message = f"id {shown} stands for {counts[k]} events, the first is {first[k]}"
        yield Fault(fields[-1].path, message, None, tuple(f.path for f in fields[:-1]))


def _present(table: Group, index: Array | None) -> Iterator[Fault]:
    field = table.field("present")
    present = values_of(field)
    if field is None or present is None or index is None or index.ndim != 2:
        return
    found = (index >= 0).sum(axis=1)
    if present.shape != found.shape:
        yield Fault(field.path, f"{present.size} values, and the table has {len(found)} events")
    elif np.any(present != found):
        k = int(np.argmax(present != found))
        message = f"{present[k]} modules at event {k}, and frame_index has {found[k]}"
        yield Fault(field.path, message)


def _source_rows(module: Group) -> Iterator[Fault]:
    field = module.field("source_rows")
    rows = values_of(field)
    sources = [node for name, node in sorted(module.members.items()) if name.startswith("source_0")]
    if field is None or rows is None or not sources:
        return
    if rows.size != len(sources):
        yield Fault(field.path, f"{rows.size} values, and there are {len(sources)} sources")
        return
    for stated, source in zip(rows.reshape(-1), sources, strict=True):
        if isinstance(source, Broken) or not isinstance(source, Field) or not source.shape:
            continue
        if source.shape[0] != int(stated):
            message = f"{int(stated)} rows of {source.name}, which has {source.shape[0]}"
            yield Fault(field.path, message, None, (source.path,))


@check("NXMX-EVT-003")
def ranges(scope: Scope) -> Iterator[Fault]:
    """The ids of a module's events lie between its first and last."""
    for table in tables(scope):
        index = values_of(table.field("frame_index"))
        event = next((f for f in map(table.field, _IDS) if f is not None), None)
        numbers = values_of(event)
        if index is None or numbers is None or (index.ndim, numbers.ndim) != (2, 1):
            continue
        if len(numbers) != len(index):
            continue
        for k, module in enumerate(modules(table)[: index.shape[1]]):
            first, last = (values_of(module.field(f"{name}_id")) for name in ("first", "last"))
            used = numbers[index[:, k] >= 0]
            if first is None or last is None or not first.size or not used.size:
                continue
            for name, value, wrong in (
                ("first_id", int(first.min()), int(used.min()) < int(first.min())),
                ("last_id", int(last.max()), int(used.max()) > int(last.max())),
            ):
                if wrong:
                    message = f"{value}, and events of the module are {used.min()} to {used.max()}"
                    yield Fault(f"{module.path}/{name}", message)
