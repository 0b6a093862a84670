"""Plans: what is computed, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest

from nxformula.engine import numpy_backend
from nxformula.engine.kernel import Kernel, compile  # noqa: A004
from nxformula.engine.layout import make_grid
from nxformula.engine.plan import Plan
from nxformula.engine.schedule import Stage, make_schedule
from nxformula.language.symbols import Symbol

PIXELS = ("frame", "slow", "fast")
SYMBOLS = {
    "data": Symbol("uint16", PIXELS),
    "image": Symbol("float32", PIXELS),
    "gain": Symbol("float32", ("slow", "fast")),
    "monitor": Symbol("float64", ("frame",)),
    "pedestal": Symbol("float32", ("stage", "slow", "fast"), (3, None, None)),
    "noise": Symbol("float32", ("stage", "slow", "fast"), (3, None, None)),
    "scale": Symbol("float32", ()),
}


def kernel(text: str, dtype: str = "float32") -> Kernel:
    return compile(text, SYMBOLS, axes=PIXELS, dtype=dtype)


def plan(text: str, dtype: str = "float32") -> Plan:
    return kernel(text, dtype)._plan


def codes(found: Plan) -> Counter[str]:
    return Counter(str(o.detail) if o.code == "apply" else str(o.code) for o in found.operations)


class TestOperations:
    def test_common_subexpressions_once(self) -> None:
        found = codes(plan("sqrt(data * gain) + (data * gain) * sqrt(data * gain)"))
        assert found["sqrt"] == 1
        assert found["multiply"] == 2
        assert found["load"] == 2

    def test_a_definition_is_the_expression(self) -> None:
        assert plan("let a = data + 1; a * a") == plan("(data + 1) * (data + 1)")

    def test_zeros_of_different_sign_are_different(self) -> None:
        found = plan("where(image > 1, 0.0, -0.0) + image")
        assert [o.detail for o in found.operations if o.code == "constant"].count(0.0) == 2

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("2 * 3 + 1", 7),
            ("0xF0 >> 4 & 7", 7),
            ("2.0 ** 3 - sqrt(1.0)", 7),
            ("where(1 < 2, 7.0, nan)", 7),
            ("min(9, 7, 8.0)", 7),
            ("choose(1, 0.5, 7.0)", 7),
        ],
    )
    def test_constants_are_folded(self, text: str, value: float) -> None:
        found = plan(f"image + ({text})")
        assert [(o.code, o.detail) for o in found.operations[1:-1]] == [("constant", value)]

    def test_a_condition_that_is_known(self) -> None:
        assert codes(plan("where(true, image, image * 2)")) == {"load": 1}
        assert codes(plan("where(false, sqrt(image), image)")) == {"load": 1}

    def test_what_can_have_one_value_only(self) -> None:
        assert codes(plan("image + (data >> 16)"))["right_shift"] == 0

    def test_unused_definitions_cost_nothing(self) -> None:
        assert codes(plan("let a = sqrt(image); image * 2"))["sqrt"] == 0

    def test_narrow_integers(self) -> None:
        found = plan("let s = data >> 14; (data & 0x3FFF) * 2 + s", "int32")
        dtypes = {str(o.detail): o.dtype for o in found.operations if o.code == "apply"}
        assert dtypes["right_shift"] == dtypes["bitwise_and"] == "uint16"
        assert dtypes["multiply"] in ("uint16", "int32")

    def test_index_by_choose_keeps_its_planes(self) -> None:
        found = plan("pedestal[choose(data >> 14, 0, 1, -1, 2)]")
        (lookup,) = (o for o in found.operations if o.code == "lookup")
        assert lookup.table.planes == (0, 1, -1, 2)
        assert codes(found)["pick"] == 0


class TestCost:
    def test_counts_what_runs_for_every_element(self) -> None:
        cost = kernel("(data - pedestal[0]) / gain * (monitor * scale + 1)").cost
        # The cast of the data, and - / *.
        assert cost.operations == 4
        assert cost.bytes_read == 2 + 4 + 4 + 8 + 4

    def test_definitions_do_not_count_twice(self) -> None:
        once = kernel("let a = image * gain; a + 1").cost
        again = kernel("let a = image * gain; let b = image * gain; (a + 1) + (b - b) * 0").cost
        assert again.operations == once.operations + 3


class TestSchedule:
    def stages(self, text: str, shape: tuple[int, int, int]) -> dict[str, Stage]:
        found = plan(text)
        grid = make_grid(PIXELS, shape, [np.empty(shape)])
        tile = (1, *grid.shape[1:])
        schedule = make_schedule(found, grid, tile, 0)
        named = {n: str(o.detail or o.code) for n, o in enumerate(found.operations)}
        return {named[n]: stage for stage, numbers in schedule.stages.items() for n in numbers}

    def grid_shape(self) -> tuple[int, int, int]:
        return (5, 40, 50)

    def test_hoisting(self) -> None:
        text = "sqrt(gain) * image + log(scale) + exp(monitor)"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("nxformula.engine.layout._mergeable", lambda *_: False)
            found = self.stages(text, self.grid_shape())
        assert found["log"] == Stage.ONCE
        assert found["sqrt"] == Stage.TILE
        assert found["exp"] == found["add"] == Stage.REST

    def test_buffers_are_used_again(self) -> None:
        text = " + ".join(f"sqrt(image * {i})" for i in range(1, 40))
        grid = make_grid(PIXELS, (1, 4, 5), [])
        schedule = make_schedule(plan(text), grid, grid.shape, None)
        assert len(schedule.slot_bytes) <= 3


@contextmanager
def counted(name: str) -> Iterator[Counter[int]]:
    """Count the calls of a NumPy function by the size of what they write."""
    calls: Counter[int] = Counter()
    function = getattr(np, name)

    def counting(*arguments: np.ndarray, out: np.ndarray) -> None:
        calls[out.size] += 1
        function(*arguments, out=out)

    with mock.patch.object(numpy_backend.np, name, counting):
        yield calls


class TestRuns:
    def test_per_pixel_work_is_done_once_for_all_frames(self) -> None:
        rng = np.random.default_rng(0)
        arrays = {
            "image": rng.random((6, 300, 400), "float32"),
            "gain": rng.random((300, 400), "float32"),
        }
        found = kernel("image * sqrt(gain)")
        with counted("sqrt") as roots, counted("multiply") as products:
            result = found(arrays)
        assert sum(size * n for size, n in roots.items()) == 300 * 400
        assert sum(size * n for size, n in products.items()) == 6 * 300 * 400
        np.testing.assert_array_equal(result, arrays["image"] * np.sqrt(arrays["gain"]))

    def test_scalar_work_is_done_once(self) -> None:
        arrays = {"image": np.ones((2, 300, 400), "float32"), "scale": np.array(3, "float32")}
        found = kernel("image * sqrt(scale)")
        with counted("sqrt") as roots:
            found(arrays)
        assert roots == {1: 1}

    def test_the_usual_plane_is_found_anew(self) -> None:
        stage = np.repeat(np.array([0, 1, 3, 1], "uint16"), 80_000)
        data = (stage << 14).reshape(1, 400, 800)
        tables = np.arange(3 * 320_000, dtype="float32").reshape(3, 400, 800)
        found = kernel("pedestal[choose(data >> 14, 0, 1, -1, 2)]")
        plane = np.array([0, 1, -1, 2])[data[0] >> 14]
        expected = np.take_along_axis(tables, plane[np.newaxis], 0)
        result = found({"data": data, "pedestal": tables})
        np.testing.assert_array_equal(result, expected)
