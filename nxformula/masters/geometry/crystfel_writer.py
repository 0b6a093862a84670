"""Write the geometry of a file as CrystFEL's geometry file."""

from __future__ import annotations

from collections.abc import Sequence
from math import dist

import numpy as np

from nxformula.engine.layout import Array
from nxformula.masters.geometry.chains import Placed


def geometry_text(modules: Sequence[Placed], data: str, wavelength: float | None) -> str:
    """A geometry file.

    Parameters
    ----------
    modules : sequence of Placed
        Where they are.
    data : str
        Path of the images in their file.
    wavelength : float or None
        In angstrom.

    Examples
    --------
    >>> x, y = np.array([1e-4, 0, 0]), np.array([0, -1e-4, 0])
    >>> module = Placed("m0", np.array([0.01, 0.02, 0.1]), x, y, (0, 0), (4, 8), ())
    >>> print(geometry_text([module], "/entry/data/data", None).splitlines()[-2])
    m0/corner_x = 100.000000000
    """
    clen = float(np.mean([module.origin[2] for module in modules]))
    lines = [
        "; CrystFEL geometry, made from NeXus by nxformula",
        *([] if wavelength is None else [f"wavelength = {wavelength:.9g} A"]),
        f"clen = {clen:.9f} m",
        f"data = {data}",
        "dim0 = %",
        "dim1 = ss",
        "dim2 = fs",
        *_groups(modules),
    ]
    for module in modules:
        lines += ["", *_panel(module, clen)]
    return "\n".join(lines) + "\n"


def _groups(modules: Sequence[Placed]) -> list[str]:
    """Rigid groups: what depends on one axis, on each level of the chains."""
    lines: list[str] = []
    depth = min(len(module.chain) for module in modules)
    # Of a chain A, M, Q, D0, RAIL the axes between the panel's own and the whole are groups.
    for level in range(1, max(1, depth - 2)):
        groups: dict[str, list[str]] = {}
        for module in modules:
            groups.setdefault(module.chain[level].removeprefix("AXIS_"), []).append(module.name)
        if not 1 < len(groups) < len(modules):
            continue
        lines.append("")
        lines += [f"rigid_group_{name} = {','.join(own)}" for name, own in groups.items()]
        lines.append(f"rigid_group_collection_level{level} = {','.join(groups)}")
    return lines


def _panel(module: Placed, clen: float) -> list[str]:
    res = 1 / dist(module.fast, (0, 0, 0))
    slow, fast = module.data_origin[-2:]
    size = module.data_size[-2:]
    name = module.name
    return [
        f"{name}/min_fs = {fast}",
        f"{name}/max_fs = {fast + size[1] - 1}",
        f"{name}/min_ss = {slow}",
        f"{name}/max_ss = {slow + size[0] - 1}",
        f"{name}/res = {res:.9f}",
        f"{name}/fs = {_direction(module.fast * res)}",
        f"{name}/ss = {_direction(module.slow * res)}",
        f"{name}/coffset = {module.origin[2] - clen:.12f}",
        f"{name}/corner_x = {module.origin[0] * res:.9f}",
        f"{name}/corner_y = {module.origin[1] * res:.9f}",
    ]


def _direction(vector: Array) -> str:
    return " ".join(f"{value:+.12f}{axis}" for value, axis in zip(vector, "xyz", strict=True))
