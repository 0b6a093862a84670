"""What became of the frames of a run: in words, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nxformula.masters.events.matching import STATUS, EventTable
from nxformula.masters.events.stacks import Run


def summary(run: Run, table: EventTable) -> dict[str, Any]:
    """Counts of events and of frames.

    Parameters
    ----------
    run : Run
        The stacks.
    table : EventTable
        Their rows by event.
    """
    complete = int(np.count_nonzero(table.present == len(run.stacks)))
    modules = []
    for number, stack in enumerate(run.stacks):
        counts = np.bincount(table.status[:, number], minlength=len(STATUS))
        index = table.frame_index[:, number]
        used = index[index >= 0]
        modules.append(
            {
                "name": stack.name,
                "rows": stack.rows,
                **{name: int(counts[k]) for k, name in enumerate(STATUS)},
                "unused": stack.rows - len(used),
                "disordered": bool(np.any(np.diff(used) < 0)),
            }
        )
    return {
        "detector": run.detector,
        "ids": list(run.id_names),
        "events": len(table.ids),
        "complete": complete,
        "left_out": table.left_out,
        "modules": modules,
    }


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The counts as a table for people."""
    events, count = found["events"], len(found["modules"])
    share = f" ({100 * found['complete'] / events:.1f} %)" if events else ""
    complete = f"{found['complete']} complete{share}"
    yield f"{found['detector']}: {events} events of {count} modules, {complete}"
    if found["left_out"]:
        yield f"{found['left_out']} events have too few good frames and are left out"
    head = ["module", "rows", *STATUS, "unused"]
    rows = [[str(each[name]) for name in ("name", *head[1:])] for each in found["modules"]]
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    for row, each in zip((head, *rows), (None, *found["modules"]), strict=True):
        padded = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells = [row[0].ljust(widths[0]), *padded[1:]]
        disorder = "  out of order" if each is not None and each["disordered"] else ""
        yield "  ".join(cells) + disorder
