"""Scratch stays small, whatever the size of the data and of the formula."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest

from nxformula.engine.kernel import Kernel, compile  # noqa: A004
from nxformula.language.symbols import Symbol

LIMIT = 2 << 20
PIXELS = ("frame", "slow", "fast")
SHAPE = (1, 2048, 2048)
JUNGFRAU = """let stage = data >> 14; let counts = data & 0x3FFF;
let plane = choose(stage, 0, 1, -1, 2); (counts - pedestal[plane]) / gain[plane]"""


def peak(kernel: Kernel, arrays: dict[str, np.ndarray], shape: tuple[int, ...] = SHAPE) -> int:
    """The most bytes in use during a call that are not there before it."""
    out = np.empty(shape, kernel.dtype)
    tracemalloc.start()
    try:
        kernel(arrays, out=out)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def image(mix: Sequence[float], shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    rng = np.random.default_rng(1)
    stage = rng.choice(4, size=shape, p=mix).astype("uint16")
    return stage << 14 | rng.integers(0, 1 << 14, shape, "uint16")


def kernel_for(text: str, axes: dict[str, Sequence[str]], arrays: dict[str, np.ndarray]) -> Kernel:
    symbols = {
        name: Symbol(array.dtype.name, tuple(axes[name]), array.shape)
        for name, array in arrays.items()
    }
    return compile(text, symbols, axes=PIXELS)


MIXES = [
    (1, 0, 0, 0),
    (0.995, 0.004, 0, 0.001),
    (0.97, 0.025, 0.001, 0.004),
    (0.9, 0.07, 0.001, 0.029),
    (0.85, 0.1, 0.01, 0.04),
    (0.25,) * 4,
    (0, 0, 1, 0),
]


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("real", ["float32", "float64"])
def test_jungfrau(mix: Sequence[float], real: str) -> None:
    table = np.ones((3, *SHAPE[1:]), real)
    arrays = {"data": image(mix), "pedestal": table, "gain": table}
    axes = {"data": PIXELS, **dict.fromkeys(("pedestal", "gain"), ("stage", "slow", "fast"))}
    assert peak(kernel_for(JUNGFRAU, axes, arrays), arrays) < LIMIT


@pytest.mark.parametrize("last", [4_000, 65_535], ids=["gathered", "few again"])
def test_64_definitions_all_alive(last: int) -> None:
    lets = [f"let x{i} = sqrt(data + {i}) * gain[code];" for i in range(63)]
    text = f"let code = where(data < {last}, 1, 0); " + "".join(lets)
    text += " + ".join(f"x{i} * x{62 - i}" for i in range(63))
    arrays = {"data": image((1, 0, 0, 0)) << 2, "gain": np.ones((2, *SHAPE[1:]))}
    arrays["data"] |= 3
    axes = {"data": PIXELS, "gain": ("stage", "slow", "fast")}
    assert peak(kernel_for(text, axes, arrays), arrays) < LIMIT


def test_60_branches() -> None:
    values = ", ".join(f"data * {i} + offset" for i in range(60))
    arrays = {"data": image((0.25,) * 4), "offset": np.ones(SHAPE[1:], "float32")}
    axes = {"data": PIXELS, "offset": ("slow", "fast")}
    text = f"choose(clip(data >> 10, 0, 59), {values})"
    assert peak(kernel_for(text, axes, arrays), arrays) < LIMIT


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5])
def test_two_indices_and_two_kinds_of_tables(share: float) -> None:
    shape = (4, 1024, 1024)
    rng = np.random.default_rng(0)
    data = (rng.random(shape) < share).astype("uint16") * 9000
    table = np.ones((1024, 1024, 3, 2), "float32")
    arrays = {
        "data": data,
        "cell_id": np.array([0, 2, 5, 1], "uint16"),
        "offset": table,
        "gain": np.ascontiguousarray(table.transpose(2, 3, 0, 1)),
        "curve": np.ones(65536),
    }
    axes = {
        "data": PIXELS,
        "cell_id": ("frame",),
        "offset": ("slow", "fast", "cell", "stage"),
        "gain": ("cell", "stage", "slow", "fast"),
        "curve": ("level",),
    }
    text = """let g = where(data > 8000, 1, 0);
    (data - offset[stage = g, cell = cell_id]) * gain[stage = g, cell = cell_id] / curve[data]
    + gain[stage = g, cell = data >> 12] * offset[cell = g, stage = data >> 15]"""
    assert peak(kernel_for(text, axes, arrays), arrays, shape) < LIMIT


def test_indices_that_reach_outside() -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "data": rng.integers(-9, 9, SHAPE, "int64"),
        "gain": np.ones((3, *SHAPE[1:])),
        "offset": np.ones((5000, 2)),
    }
    axes = {"data": PIXELS, "gain": ("stage", "slow", "fast"), "offset": ("level", "kind")}
    text = "gain[data] + gain[data >> 1] + offset[level = data, kind = data >> 2]"
    assert peak(kernel_for(text, axes, arrays), arrays) < LIMIT


def test_calls_leave_nothing_behind() -> None:
    table = np.ones((3, *SHAPE[1:]), "float32")
    arrays = {"data": image((0.9, 0.06, 0.01, 0.03)), "pedestal": table, "gain": table}
    axes = {"data": PIXELS, **dict.fromkeys(("pedestal", "gain"), ("stage", "slow", "fast"))}
    kernel = kernel_for(JUNGFRAU, axes, arrays)
    part = {name: array[:, :256] for name, array in arrays.items()}
    kernel(part)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(10):
            kernel(part)
        assert tracemalloc.get_traced_memory()[0] < 64 << 10
    finally:
        tracemalloc.stop()
        gc.enable()
