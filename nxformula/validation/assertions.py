"""Rules that are formulas: a comparison in the project's own language over fields of a group."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from nxformula.engine.kernel import Kernel
from nxformula.engine.kernel import compile as compile_formula
from nxformula.language.symbols import Symbol
from nxformula.nexus.metadata.nodes import Field
from nxformula.validation.catalogue import Rule
from nxformula.validation.chains import scale_to
from nxformula.validation.scope import Fault, Scope

#: Values of a field that are looked at.
_MOST = 1 << 20


@cache
def _kernel(text: str, names: tuple[str, ...]) -> Kernel:
    symbols = {name: Symbol("float64", ("value",)) for name in names}
    number = f"where({text}, 1, 0)"
    return compile_formula(number, symbols, axes=("value",), dtype="int32", backend="numpy")


def assertions(rule: Rule, scope: Scope) -> Iterator[Fault]:
    """What does not hold.

    Each formula of a rule names the class of its groups, symbols with their fields (and the units
    in which they are read), and is true for each value where all is well.
    """
    for check in rule.check.get("formulas", ()):
        yield from _assertion(check, scope)


def _assertion(check: dict[str, Any], scope: Scope) -> Iterator[Fault]:
    wanted: dict[str, Any] = check["symbols"]
    found = []
    for group in scope.all(check["class"]):
        fields = [group.field(facts["field"]) for facts in wanted.values()]
        values = [_values(f, facts) for f, facts in zip(fields, wanted.values(), strict=True)]
        known = [value for value in values if value is not None]
        size = max((value.size for value in known), default=0)
        if len(known) == len(values) and all(value.size in (1, size) for value in known):
            found.append((fields, [np.broadcast_to(value, size) for value in known]))
    if not found:
        return
    # All groups in one call: a file may have hundreds of modules.
    joined = (np.concatenate(arrays) for arrays in zip(*(v for _, v in found), strict=True))
    holds = _kernel(check["formula"], tuple(wanted))(dict(zip(wanted, joined, strict=True)))
    end = 0
    for fields, values in found:
        start, end = end, end + values[0].size
        if not np.all(holds[start:end]):
            yield _unmet(check, fields, values, int(np.argmin(holds[start:end])))


def _values(field: Field | None, facts: dict[str, Any]) -> Any:
    flat = field.flat if field is not None else None
    if field is None or flat is None or not 0 < flat.size <= _MOST:
        return None
    if "units" not in facts:
        return flat
    scale = scale_to(field.units, facts["units"])
    return None if scale is None else flat * scale


def _unmet(check: dict[str, Any], fields: list[Field | None], values: list[Any], k: int) -> Fault:
    shown = {name: f"{v[k]:g}" for name, v in zip(check["symbols"], values, strict=True)}
    where = f" (value {k} of {values[0].size})" if values[0].size > 1 else ""
    first, *others = [field.path for field in fields if field is not None]
    message = f"{str(check['message']).format(**shown)}{where}"
    return Fault(first, message, None, tuple(others), check.get("severity"))
