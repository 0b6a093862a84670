"""Machine code gives the same bits as NumPy, for every layout, tile and number of threads."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nxformula
from nxformula import Symbol
from nxformula.engine import backends
from nxformula.engine.llvm import backend as fast_backend
from nxformula.engine.llvm.program import MOST_OPERATIONS

PIXELS = ("frame", "slow", "fast")
JUNGFRAU = """let stage = data >> 14; let counts = data & 0x3FFF;
let plane = choose(stage, 0, 1, -1, 2); (counts - pedestal[plane]) / gain[plane]"""
#: Each formula with its symbols: dtype, dimensions.
FORMULAS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    JUNGFRAU: {
        "data": ("uint16", PIXELS),
        "pedestal": ("float32", ("stage", "slow", "fast")),
        "gain": ("float32", ("fast", "slow", "stage")),
    },
    "(data - offset[stage = g, cell = cell_id]) * scale[cell = cell_id]": {
        "data": ("uint16", PIXELS),
        "g": ("uint8", PIXELS),
        "cell_id": ("int16", ("frame",)),
        "offset": ("float32", ("slow", "fast", "cell", "stage")),
        "scale": ("float64", ("cell", "slow", "fast")),
    },
    "data * sqrt(gain / monitor) - where(bad, nan, 1 / gain)": {
        "data": ("int32", PIXELS),
        "gain": ("float32", ("slow", "fast")),
        "monitor": ("float64", ("frame",)),
        "bad": ("bool", ("slow", "fast")),
    },
    "let wide = interp(data / 7, xs, ys); wide * column + row[long = place, else = 7]": {
        "data": ("uint8", PIXELS),
        "xs": ("float64", ("knot",)),
        "ys": ("float32", ("knot",)),
        "column": ("float32", ("fast",)),
        "row": ("int16", ("long",)),
        "place": ("int64", ("slow",)),
    },
    "bits(data, 3, 5) * mod(data, 7) + div(data - 900, 13) + sign(signed) * abs(signed)": {
        "data": ("uint16", PIXELS),
        "signed": ("int8", PIXELS),
    },
    "to_integer(gain, -100, 100, 7) + where(big > signed, 1 << bits(big, 60, 4), signed >> 3)": {
        "gain": ("float32", PIXELS),
        "big": ("uint64", PIXELS),
        "signed": ("int64", ("fast",)),
    },
    "min(gain, floor(gain * 3), nan) + max(data, 3)": {
        "data": ("uint16", PIXELS),
        "gain": ("float32", PIXELS),
    },
}
LENGTHS = {"stage": 3, "cell": 20, "knot": 5, "long": 40}


def arrays_for(
    stored: dict[str, tuple[str, tuple[str, ...]]], shape: tuple[int, ...], seed: int
) -> dict[str, np.ndarray]:
    """Values of all symbols; some indices are outside."""
    rng = np.random.default_rng(seed)
    lengths = {**LENGTHS, **dict(zip(PIXELS, shape, strict=True))}
    ranges = {"cell_id": (-2, 21), "place": (-3, 43), "g": (0, 4)}
    arrays: dict[str, np.ndarray] = {}
    for name, (dtype, axes) in stored.items():
        own = [lengths[axis] for axis in axes]
        if dtype.startswith("float"):
            values = rng.normal(10, 4, own)
        elif dtype == "bool":
            values = rng.random(own) < 0.3
        else:
            info = np.iinfo(dtype)
            low, high = ranges.get(name, (info.min, info.max))
            values = rng.integers(low, high, own, dtype, endpoint=True)
        arrays[name] = np.asarray(values).astype(dtype)
    if "xs" in arrays:
        arrays["xs"] = np.sort(arrays["xs"])
    return arrays


def compiled(
    text: str, arrays: dict[str, np.ndarray], backend: Any, **options: Any
) -> nxformula.Kernel:
    stored = FORMULAS[text]
    symbols = {name: Symbol(*stored[name], arrays[name].shape) for name in stored}
    return nxformula.compile(text, symbols, backend=backend, **{"axes": PIXELS, **options})


SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 9), st.sampled_from((1, 2, 17, 600, 1300)))


@pytest.mark.parametrize("text", FORMULAS)
@given(SHAPES, st.permutations(PIXELS), st.integers(1, 4), st.sampled_from(("float32", "float64")))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_same_bits(
    text: str, shape: tuple[int, ...], axes: list[str], threads: int, dtype: str
) -> None:
    arrays = arrays_for(FORMULAS[text], shape, 1)
    options = {"axes": tuple(axes), "dtype": dtype}
    expected = compiled(text, arrays, "numpy", **options)(arrays)
    kernel = compiled(text, arrays, "fast", **options)
    assert kernel.backend == "fast"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_backend, "_THREAD_ELEMENTS", 1)
        found = kernel(arrays, threads=threads)
    # All NaN are one.
    np.testing.assert_array_equal(found.view("u1"), _plain(expected, found).view("u1"))


def _plain(expected: np.ndarray, found: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(expected) & np.isnan(found), found, expected)


@pytest.mark.parametrize("step", [2, -1])
def test_arrays_of_any_strides(step: int) -> None:
    arrays = arrays_for(FORMULAS[JUNGFRAU], (6, 8, 40), 2)
    arrays["data"] = arrays["data"][::step, :, ::step]
    arrays["pedestal"] = arrays["pedestal"][:, :, ::step]
    arrays["gain"] = arrays["gain"][::step]
    expected = compiled(JUNGFRAU, arrays, "numpy")(arrays)
    out = np.empty((*expected.shape[:-1], 2 * expected.shape[-1]), np.float32)[..., ::2]
    compiled(JUNGFRAU, arrays, "fast")(arrays, out=out)
    np.testing.assert_array_equal(out, expected)


def test_arrays_at_odd_addresses() -> None:
    arrays = arrays_for(FORMULAS[JUNGFRAU], (2, 8, 40), 2)
    expected = compiled(JUNGFRAU, arrays, "numpy")(arrays)
    for name, values in arrays.items():
        odd = np.empty(values.nbytes + 1, np.uint8)[1:].view(values.dtype).reshape(values.shape)
        odd[...] = values
        assert not odd.flags.aligned
        arrays[name] = odd
    np.testing.assert_array_equal(compiled(JUNGFRAU, arrays, "fast")(arrays), expected)


def test_zeros_of_both_signs_are_different_formulas() -> None:
    for zero, wanted in (("0.0", np.inf), ("-0.0", -np.inf), ("0.0", np.inf)):
        found = nxformula.evaluate(
            f"x / ({zero})", {"x": (("i",), [1.0])}, axes=("i",), backend="fast"
        )
        assert found.tolist() == [wanted]


def test_tables_without_entries() -> None:
    symbols = {
        "x": (("i",), np.arange(4.0)),
        "t": (("k",), np.zeros(0, np.float32)),
        "n": (("i",), np.arange(4)),
    }
    found = nxformula.evaluate("x + t[k = n]", symbols, axes=("i",), backend="fast")
    assert np.isnan(found).all()


def test_nothing_to_evaluate() -> None:
    found = nxformula.evaluate("x + 1", {"x": (("i",), np.zeros(0))}, axes=("i",), backend="fast")
    assert found.shape == (0,)


# What is chosen


def kernel(text: str, backend: Any = "fast") -> nxformula.Kernel:
    return nxformula.compile(text, {"x": Symbol("float32", ("i",))}, axes=("i",), backend=backend)


def test_what_cannot_be_compiled_is_left_to_numpy() -> None:
    found = kernel("exp(x)")
    assert found.backend == "numpy"
    values = np.linspace(0, 1, 5, dtype=np.float32)
    np.testing.assert_array_equal(found({"x": values}), np.exp(values))
    many = " + ".join(f"x * {k}.0" for k in range(MOST_OPERATIONS))
    assert kernel(many).backend == "numpy"


def test_auto_compiles_what_repays_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_REPAID", 100)
    found = kernel("x + 1", "auto")
    values = np.ones(60, np.float32)
    assert found.backend == "numpy"
    found({"x": values})
    assert found.backend == "numpy"
    found({"x": values})
    assert found.backend == "fast"
    assert kernel("x + 1", "numpy").backend == "numpy"


def test_without_llvmlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    monkeypatch.setattr(backends, "_REPAID", 0)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'nxformula\[fast\]'"):
        kernel("x + 1")
    found = kernel("x + 1", "auto")
    assert found({"x": np.ones(3, np.float32)}).tolist() == [2, 2, 2]
    assert found.backend == "numpy"


def test_an_unknown_backend() -> None:
    with pytest.raises(ValueError, match="'cuda'; expected one of 'auto', 'numpy', 'fast'"):
        kernel("x + 1", "cuda")


def test_llvmlite_is_imported_only_where_used(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def spy(name: str, *args: Any, **options: Any) -> Any:
        assert not name.startswith("llvmlite")
        return plain(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", spy)
    kernel("x + 2", "auto")({"x": np.ones(3, np.float32)})


@pytest.mark.parametrize("backend", ["numpy", "fast"])
def test_read_only_output(backend: str) -> None:
    out = np.zeros(3, np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        kernel("x + 1", backend)({"x": np.ones(3, np.float32)}, out=out)
    assert out.tolist() == [0, 0, 0]
