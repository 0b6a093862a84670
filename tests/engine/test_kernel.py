"""The kernel on what detectors give, and on the corners of arrays, dtypes and values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from nxformula.engine import backends, numpy_backend
from nxformula.engine.kernel import Kernel, compile, evaluate  # noqa: A004
from nxformula.errors import DimensionError
from nxformula.language.symbols import Symbol

JUNGFRAU = """let stage = data >> 14; let counts = data & 0x3FFF;
let plane = choose(stage, 0, 1, -1, 2); (counts - pedestal[plane]) / gain[plane]"""
AGIPD = """let g = where(analog < low, 0, where(analog < high, 1, 2));
(data - offset[stage = g, cell = cell_id]) * gain[stage = g, cell = cell_id]"""
PIXELS = ("frame", "slow", "fast")
MIXES = [(0.97, 0.025, 0.001, 0.004), (0.9, 0.07, 0.001, 0.029), (0.25,) * 4, (1, 0, 0, 0)]
Arrays = dict[str, np.ndarray]


def kernel_for(
    text: str, stored: dict[str, Sequence[str]], arrays: Arrays, **options: Any
) -> Kernel:
    symbols = {
        name: Symbol(array.dtype.name, tuple(stored[name]), array.shape)
        for name, array in arrays.items()
    }
    return compile(text, symbols, **{"axes": PIXELS, **options})


def run(text: str, stored: dict[str, Sequence[str]], arrays: Arrays, **options: Any) -> np.ndarray:
    return kernel_for(text, stored, arrays, **options)(arrays)


def on_line(text: str, dtype: str = "float64", **values: Any) -> np.ndarray:
    """A formula of symbols with the one dimension x."""
    return evaluate(text, {n: (["x"], v) for n, v in values.items()}, axes=("x",), dtype=dtype)


def jungfrau(mix: Sequence[float], shape: tuple[int, int, int], real: str = "float32") -> Arrays:
    rng = np.random.default_rng(5)
    stage = rng.choice(4, size=shape, p=mix).astype("uint16")
    return {
        "data": stage << 14 | rng.integers(0, 1 << 14, shape, "uint16"),
        "pedestal": rng.uniform(1000, 15000, (3, *shape[1:])).astype(real),
        "gain": rng.uniform(1, 40, (3, *shape[1:])).astype(real),
    }


JUNGFRAU_AXES = {
    "data": PIXELS,
    "pedestal": ("stage", "slow", "fast"),
    "gain": ("stage", "slow", "fast"),
}


def naive_jungfrau(arrays: Arrays, real: str) -> np.ndarray:
    data, pedestal, gain = arrays["data"], arrays["pedestal"], arrays["gain"]
    stage = data >> 14
    counts = (data & 0x3FFF).astype(real)
    p = np.where(stage == 0, pedestal[0], np.where(stage == 1, pedestal[1], pedestal[2]))
    g = np.where(stage == 0, gain[0], np.where(stage == 1, gain[1], gain[2]))
    return np.where(stage == 2, np.array(np.nan, real), (counts - p) / g)


@pytest.fixture(params=[1 << 15, 1024, 100, "fast"])
def _tile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of NumPy, or those of machine code."""
    if request.param == "fast":
        monkeypatch.setattr(backends, "_REPAID", 0)
    else:
        monkeypatch.setattr(numpy_backend, "TILE", request.param)


@pytest.mark.usefixtures("_tile")
class TestDetectors:
    @pytest.mark.parametrize("mix", MIXES)
    @pytest.mark.parametrize("real", ["float32", "float64"])
    def test_jungfrau(self, mix: Sequence[float], real: str) -> None:
        arrays = jungfrau(mix, (3, 61, 89), real)
        found = run(JUNGFRAU, JUNGFRAU_AXES, arrays, dtype=real)
        np.testing.assert_array_equal(found, naive_jungfrau(arrays, real), strict=True)

    @pytest.mark.parametrize("axes", [("frame", "fast", "slow"), ("slow", "fast", "frame")])
    def test_result_axes_in_another_order(self, axes: tuple[str, ...]) -> None:
        arrays = jungfrau(MIXES[0], (3, 61, 89))
        expected = naive_jungfrau(arrays, "float32")
        turned = expected.transpose([PIXELS.index(axis) for axis in axes])
        np.testing.assert_array_equal(run(JUNGFRAU, JUNGFRAU_AXES, arrays, axes=axes), turned)

    @pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0), (0, 2, 1)])
    def test_tables_in_another_order(self, order: tuple[int, ...]) -> None:
        arrays = jungfrau(MIXES[1], (2, 61, 89))
        expected = naive_jungfrau(arrays, "float32")
        axes = {**JUNGFRAU_AXES, "gain": [JUNGFRAU_AXES["gain"][i] for i in order]}
        arrays["gain"] = np.ascontiguousarray(arrays["gain"].transpose(order))
        np.testing.assert_array_equal(run(JUNGFRAU, axes, arrays), expected)

    def test_agipd(self) -> None:
        rng = np.random.default_rng(2)
        shape = (40, 7, 33)
        arrays = {
            "data": rng.integers(0, 16384, shape, "uint16"),
            "analog": rng.integers(0, 9000, shape, "uint16"),
            "low": rng.uniform(6000, 8000, shape[1:]).astype("float32"),
            "high": rng.uniform(8000, 9000, shape[1:]).astype("float32"),
            "cell_id": rng.integers(0, 22, 40, "uint16"),
            "offset": rng.normal(size=(7, 33, 20, 3)).astype("float32"),
            "gain": rng.normal(size=(3, 20, 7, 33)).astype("float32"),
        }
        axes = {
            **dict.fromkeys(("data", "analog"), PIXELS),
            **dict.fromkeys(("low", "high"), PIXELS[1:]),
            "cell_id": ("frame",),
            "offset": ("slow", "fast", "cell", "stage"),
            "gain": ("stage", "cell", "slow", "fast"),
        }
        expected = np.full(shape, np.nan, "float32")
        for f, s, x in np.ndindex(*shape):
            analog, cell = arrays["analog"][f, s, x], arrays["cell_id"][f]
            g = 0 if analog < arrays["low"][s, x] else 1 if analog < arrays["high"][s, x] else 2
            if cell < 20:
                at = arrays["offset"][s, x, cell, g]
                expected[f, s, x] = (np.float32(arrays["data"][f, s, x]) - at) * arrays["gain"][
                    g, cell, s, x
                ]
        np.testing.assert_array_equal(run(AGIPD, axes, arrays), expected, strict=True)

    def test_constants_of_all_shapes(self) -> None:
        rng = np.random.default_rng(3)
        data = rng.integers(0, 100, (4, 37, 29), "int32")
        own = {name: rng.normal(size=n) for name, n in [("frame", 4), ("slow", 37), ("fast", 29)]}
        panel = rng.normal(size=(37, 1))
        arrays = {"data": data, **{f"per_{n}": v for n, v in own.items()}, "panel": panel}
        axes = {"data": PIXELS, "panel": ("slow", "."), **{f"per_{n}": (n,) for n in own}}
        text = "data * per_frame + per_slow / per_fast - panel"
        expected = data * own["frame"][:, None, None] + own["slow"][:, None] / own["fast"] - panel
        found = run(text, axes, arrays, dtype="float64")
        np.testing.assert_array_equal(found, expected, strict=True)

    def test_result_that_some_dimension_does_not_change(self) -> None:
        arrays = {
            "data": np.zeros((5, 40, 50), "uint16"),
            "map": np.arange(2000.0).reshape(40, 50),
        }
        axes = {"data": PIXELS, "map": PIXELS[1:]}
        found = run("map * 2 + (data >> 16)", axes, arrays, dtype="float64")
        np.testing.assert_array_equal(found, np.broadcast_to(arrays["map"] * 2, (5, 40, 50)))


class TestMemoryLayout:
    def views(self, array: np.ndarray) -> dict[str, np.ndarray]:
        wide = np.zeros((*array.shape[:-1], 3 * array.shape[-1]), array.dtype)
        wide[..., 1::3] = array
        record = np.zeros(array.shape, [("pad", "u1"), ("value", array.dtype)])
        record["value"] = array
        return {
            "reversed": np.ascontiguousarray(array[::-1, :, ::-1])[::-1, :, ::-1],
            "every third": wide[..., 1::3],
            "big-endian": array.astype(array.dtype.newbyteorder(">")),
            "Fortran order": np.asfortranarray(array),
            "not aligned": record["value"],
        }

    @pytest.mark.parametrize("name", ["data", "pedestal", "gain"])
    @pytest.mark.parametrize("mix", MIXES[:3])
    def test_inputs(self, name: str, mix: Sequence[float]) -> None:
        arrays = jungfrau(mix, (3, 61, 89))
        expected = naive_jungfrau(arrays, "float32")
        for layout, view in self.views(arrays[name]).items():
            found = run(JUNGFRAU, JUNGFRAU_AXES, {**arrays, name: view})
            np.testing.assert_array_equal(found, expected, err_msg=layout, strict=True)

    @pytest.mark.parametrize("mix", MIXES[:3])
    def test_out(self, mix: Sequence[float]) -> None:
        arrays = jungfrau(mix, (3, 61, 89))
        expected = naive_jungfrau(arrays, "float32")
        kernel = kernel_for(JUNGFRAU, JUNGFRAU_AXES, arrays)
        outs = self.views(np.zeros_like(expected))
        del outs["big-endian"]
        for layout, out in outs.items():
            assert kernel(arrays, out=out) is out
            np.testing.assert_array_equal(out, expected, err_msg=layout)

    def test_out_is_an_input(self) -> None:
        rng = np.random.default_rng(0)
        image = rng.normal(size=(2, 50, 60)).astype("float32")
        table = image[0].copy()
        arrays = {"image": image, "table": table}
        axes = {"image": PIXELS, "table": ("row", "fast")}
        kernel = kernel_for("table[clip(round(3), 0, 3)] - image", axes, arrays)
        expected = table[3] - image
        assert kernel(arrays, out=image) is image
        np.testing.assert_array_equal(image, expected)
        flipped = kernel({"image": image, "table": table}, out=image[:, ::-1])
        np.testing.assert_array_equal(flipped, table[3] - expected)

    @pytest.mark.parametrize(
        "out",
        [
            np.zeros((3, 61, 88), "f4"),
            np.zeros((1, 3, 61, 89), "f4"),
            np.zeros((3, 61, 89)),
            np.zeros((3, 61, 89), ">f4"),
        ],
    )
    def test_out_must_fit(self, out: np.ndarray) -> None:
        arrays = jungfrau(MIXES[0], (3, 61, 89))
        with pytest.raises(ValueError, match="out is"):
            kernel_for(JUNGFRAU, JUNGFRAU_AXES, arrays)(arrays, out=out)

    def test_read_only_inputs(self) -> None:
        arrays = jungfrau(MIXES[0], (1, 30, 30))
        for array in arrays.values():
            array.flags.writeable = False
        found = run(JUNGFRAU, JUNGFRAU_AXES, arrays)
        np.testing.assert_array_equal(found, naive_jungfrau(arrays, "float32"))

    @pytest.mark.parametrize("shape", [(0, 5, 6), (3, 0, 6), (3, 5, 0), (0, 0, 0)])
    def test_no_elements(self, shape: tuple[int, int, int]) -> None:
        assert run(JUNGFRAU, JUNGFRAU_AXES, jungfrau(MIXES[0], shape)).shape == shape

    @pytest.mark.parametrize(
        "shape", [(1, 1, 1), (1, 1, 9), (1, 9, 1), (9, 1, 1), (2, 1, 9), (1, 2, 9), (2, 9, 1)]
    )
    def test_lengths_of_one(self, shape: tuple[int, int, int]) -> None:
        arrays = jungfrau(MIXES[2], shape)
        found = run(JUNGFRAU, JUNGFRAU_AXES, arrays)
        np.testing.assert_array_equal(found, naive_jungfrau(arrays, "float32"), strict=True)

    def test_scalar_result(self) -> None:
        found = evaluate("x + 1", {"x": ((), np.array(2, "int16"))}, axes=())
        assert found.shape == ()
        assert found == 3

    def test_table_without_planes(self) -> None:
        table = np.zeros((0, 3))
        symbols = {"i": (["x"], [0, 1, 2]), "t": (["k", "x"], table)}
        assert np.isnan(evaluate("t[i]", symbols, axes=("x",))).all()
        found = evaluate("t[i, else = 7]", symbols, axes=("x",))
        assert found.tolist() == [7, 7, 7]


class TestArguments:
    def test_lengths_disagree(self) -> None:
        arrays = jungfrau(MIXES[0], (1, 4, 5))
        kernel = kernel_for(JUNGFRAU, JUNGFRAU_AXES, arrays)
        with pytest.raises(DimensionError, match="'pedestal' has length 3 along 'slow'"):
            kernel({**arrays, "pedestal": arrays["pedestal"][:, 1:]})
        with pytest.raises(DimensionError, match="dimensions are"):
            kernel({**arrays, "pedestal": arrays["pedestal"][0]})

    def test_missing_or_of_another_dtype(self) -> None:
        arrays = jungfrau(MIXES[0], (1, 4, 5))
        kernel = kernel_for(JUNGFRAU, JUNGFRAU_AXES, arrays)
        with pytest.raises(TypeError, match="compiled for uint16"):
            kernel({**arrays, "data": arrays["data"].astype("int16")})
        with pytest.raises(TypeError, match="needs an array for 'gain'"):
            kernel({"data": arrays["data"], "pedestal": arrays["pedestal"]})

    def test_length_from_a_symbol_without_influence(self) -> None:
        found = on_line("x >> 8", "int32", x=np.arange(5, dtype="uint8"))
        assert found.tolist() == [0] * 5


class TestTables:
    def test_outside_is_nan(self) -> None:
        symbols = {"i": (["x"], np.array([-1, 0, 1, 2, 3, 255])), "t": (["k"], [10.0, 11, 12])}
        found = evaluate("t[i]", symbols, axes=("x",))
        np.testing.assert_array_equal(found, np.float32([np.nan, 10, 11, 12, np.nan, np.nan]))

    @pytest.mark.parametrize("value", [-(2**63), 2**63 - 1])
    def test_far_outside(self, value: int) -> None:
        symbols = {"i": (["x"], np.array([value, 0])), "t": (["k"], np.array([7, 8]))}
        assert np.isnan(evaluate("t[i]", symbols, axes=("x",))[0])
        assert evaluate("t[i, else = -1]", symbols, axes=("x",), dtype="int64").tolist() == [-1, 7]

    def test_far_outside_unsigned(self) -> None:
        i = np.array([2**64 - 1, 2**63, 1], "uint64")
        symbols = {"i": (["x"], i), "t": (["k"], np.array([7, 8]))}
        assert evaluate("t[i, else = 0]", symbols, axes=("x",), dtype="int64").tolist() == [0, 0, 8]

    def test_integers_outside_become_nan(self) -> None:
        symbols = {"i": (["x"], np.array([0, 1, 2])), "t": (["k"], np.array([2**60 + 1, 3]))}
        found = evaluate("t[i]", symbols, axes=("x",), dtype="float64")
        np.testing.assert_array_equal(found, [2.0**60, 3, np.nan])

    def test_bools_with_else(self) -> None:
        symbols = {"i": (["x"], np.array([0, 1, 2])), "t": (["k"], np.array([True, False]))}
        found = evaluate("t[i, else = true]", symbols, axes=("x",), dtype="bool")
        assert found.tolist() == [True, False, True]

    def test_index_from_a_table(self) -> None:
        rng = np.random.default_rng(8)
        route, code = rng.integers(0, 9, (2, 6, 7)), rng.integers(0, 5, (3, 6, 7))
        table = rng.normal(size=(8, 6, 7))
        symbols = {
            "code": (PIXELS, code),
            "route": (["k", "slow", "fast"], route),
            "t": (["m", "slow", "fast"], table),
        }
        found = evaluate(
            "t[route[code, else = 7]]",
            symbols,
            axes=PIXELS,
            dtype="float64",
        )
        expected = np.empty(code.shape)
        for f, s, x in np.ndindex(*code.shape):
            c = code[f, s, x]
            m = route[c, s, x] if c < 2 else 7
            expected[f, s, x] = table[m, s, x] if m < 8 else np.nan
        np.testing.assert_array_equal(found, expected)


class TestValues:
    def test_where_takes_nan_only_from_the_chosen(self) -> None:
        x = np.array([0.0, 4.0, -1.0])
        assert on_line("where(x > 0, 1 / x, 7)", x=x).tolist() == [7, 0.25, 7]
        np.testing.assert_array_equal(on_line("where(x < 0, nan, sqrt(x))", x=x), [0, 2, np.nan])

    def test_choose(self) -> None:
        x = np.arange(4, dtype="uint8")
        assert on_line("choose(x & 3, 5, -6, 7, 8)", "int8", x=x).tolist() == [5, -6, 7, 8]
        assert on_line("choose(x & 3, x, 0.5, x * 2, -x)", x=x).tolist() == [0, 0.5, 4, -3]

    def test_bits(self) -> None:
        x = np.array([-1, -(2**63), 2**63 - 1, 0b1011000])
        assert on_line("bits(x, 3, 4)", "uint8", x=x).tolist() == [15, 0, 15, 11]
        assert on_line("bits(x, 63, 1)", "uint8", x=x).tolist() == [1, 1, 0, 0]
        y = np.array([2**64 - 1, 2**63], "uint64")
        assert on_line("bits(x, 60, 4)", "uint8", x=y).tolist() == [15, 8]
        n = np.array([0, 1, 2, 3])
        assert on_line("bits(x, n & 3, (n & 3) + 1)", "int64", x=x, n=n).tolist() == [1, 0, 7, 11]

    def test_extremes_of_integers(self) -> None:
        big = np.array([2**64 - 1, 2**63, 0], "uint64")
        small = np.array([-(2**63), 2**63 - 1, 0], "int64")
        assert on_line("a > b", "bool", a=big, b=small).tolist() == [True, True, False]
        assert on_line("a == b", "bool", a=big, b=small).tolist() == [False, False, True]
        assert on_line("a ^ 0xFFFFFFFFFFFFFFFF", "uint64", a=big).tolist() == [
            0,
            2**63 - 1,
            2**64 - 1,
        ]
        assert on_line("(b >> 32) * 2 + 1", "int64", b=small).tolist() == [1 - 2**32, 2**32 - 1, 1]
        assert on_line("b + 0.0", b=small).tolist() == [-(2.0**63), 2.0**63, 0]

    def test_unsigned_do_not_wrap(self) -> None:
        a, b = np.array([3, 0], "uint16"), np.array([5, 65535], "uint16")
        assert on_line("a - b", "int32", a=a, b=b).tolist() == [-2, -65535]
        assert on_line("a * b * b", "int64", a=a, b=b).tolist() == [75, 0]

    def test_integers_round_once(self) -> None:
        x = np.array([2**24 + 1, 2**60 + 2**36 + 1])
        found = on_line("x + 0.0", "float32", x=x)
        assert found.tolist() == [2.0**24, 2.0**60 + 2.0**37]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("min(x, 1)", [np.nan, 1, -np.inf, -0.5, 1]),
            ("max(x, 1)", [np.nan, np.inf, 1, 1, 2.5]),
            ("clip(x, -0.25, 2)", [np.nan, 2, -0.25, -0.25, 2]),
            ("floor(x)", [np.nan, np.inf, -np.inf, -1, 2]),
            ("round(x)", [np.nan, np.inf, -np.inf, -0.0, 2]),
            ("abs(x)", [np.nan, np.inf, np.inf, 0.5, 2.5]),
            ("sqrt(abs(x) * 2)", [np.nan, np.inf, np.inf, 1, np.sqrt(5)]),
            ("where(isnan(x), 1, 0)", [1, 0, 0, 0, 0]),
            ("where(x != x, 1, 0)", [1, 0, 0, 0, 0]),
            ("where(x <= x, 1, 0)", [0, 1, 1, 1, 1]),
            ("exp(x * 0)", [np.nan, np.nan, np.nan, 1, 1]),
            ("exp(-abs(x) * 1e9)", [np.nan, 0, 0, 0, 0]),
            ("log(x * 0)", [np.nan, np.nan, np.nan, -np.inf, -np.inf]),
            ("x ** 0", [1, 1, 1, 1, 1]),
            ("x ** 2", [np.nan, np.inf, np.inf, 0.25, 6.25]),
            ("x / 0", [np.nan, np.inf, -np.inf, -np.inf, np.inf]),
            ("9 ** 9 ** 9 + x", [np.nan, np.inf, np.nan, np.inf, np.inf]),
        ],
    )
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_special_values(self, text: str, expected: list[float], dtype: str) -> None:
        x = np.array([np.nan, np.inf, -np.inf, -0.5, 2.5])
        wanted = np.array(expected, "float64").astype(dtype)
        np.testing.assert_array_equal(on_line(text, dtype, x=x), wanted, strict=True)

    @pytest.mark.parametrize("exponent", ["0.5", "2", "-1", "1.5"])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_powers_of_one_value_and_of_many_are_the_same_bits(
        self, exponent: str, dtype: str
    ) -> None:
        values = np.linspace(0.1, 99, 300).astype(dtype)
        text = f"x ** {exponent}"
        many = on_line(text, dtype, x=values)
        assert [on_line(text, dtype, x=values[i : i + 1])[0] for i in range(300)] == list(many)
        # The base is an intermediate value, whose memory the result may take.
        text = f"(x + n) ** {exponent}"
        n = np.zeros(1, "uint8")
        assert [on_line(text, dtype, x=values[i : i + 1], n=n)[0] for i in range(300)] == list(many)
        text = f"x ** {exponent}"
        alone = [evaluate(text, {"x": ((), value)}, axes=(), dtype=dtype) for value in values]
        assert alone == list(many)

    @pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64", "float32", "float64"])
    def test_result_dtypes(self, dtype: str) -> None:
        x = np.arange(300, dtype="uint16")
        found = on_line("x & 0x7F", dtype, x=x)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, x & 0x7F)

    def test_bool_result(self) -> None:
        x = np.arange(300, dtype="uint16")
        found = on_line("not (x > 3) or (x == 200)", "bool", x=x)
        np.testing.assert_array_equal(found, (x <= 3) | (x == 200), strict=True)

    def test_definition_as_result(self) -> None:
        from nxformula.language.checker import check
        from nxformula.language.parser import parse

        symbols = {
            name: Symbol(str(a.dtype), JUNGFRAU_AXES[name])
            for name, a in jungfrau(MIXES[0], (1, 2, 3)).items()
        }
        checked = check(parse(JUNGFRAU), symbols, axes=PIXELS)
        stage = Kernel(checked, "stage")
        data = np.arange(0, 65536, 11000, "uint16").reshape(1, 2, 3)
        assert stage.dtype == "uint8"
        np.testing.assert_array_equal(stage({"data": data}), data >> 14)
        assert list(stage.symbols) == ["data"]
