"""Random formulas: the engine agrees with a plain evaluator, for every tile size and slice."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping

import numpy as np
import pytest
from formulas.values import Given, symbols
from formulas.vocabulary import AXES
from formulas.writer import Writer
from hypothesis import event, given, settings
from hypothesis import strategies as st
from oracle.evaluation import evaluate
from oracle.kinds import Survey
from oracle.parsing import parse as parse_plainly

import nxformula
from nxformula.engine import backends, groups, numpy_backend
from nxformula.engine.kernel import Kernel
from nxformula.engine.llvm import program
from nxformula.errors import FormulaTypeError
from nxformula.language.checker import Checked, check
from nxformula.language.parser import parse
from nxformula.language.symbols import Symbol

#: Formulas that are compared; more for a long run.
CASES = int(os.environ.get("NXFORMULA_CASES", "500"))

SHAPES = st.tuples(*[st.sampled_from((1, 2, 3, 4, 5))] * 3)
SEEDS = st.integers(0, 2**32 - 1)
DTYPES = [
    ("float32", "r"),
    ("float32", "r"),
    ("float64", "r"),
    ("float32", "i"),
    ("int64", "i"),
    ("uint64", "i"),
    ("uint8", "small"),
    ("bool", "b"),
]


def share(part: float, setups: int = 1) -> settings:
    """Settings for a part of the cases, for each of some setups."""
    count = max(1, round(CASES * part / setups))
    return settings(max_examples=count, deadline=None, derandomize=True)


def declared(arrays: Given) -> dict[str, Symbol]:
    return {
        name: Symbol(array.dtype.name, axes, array.shape) for name, (axes, array) in arrays.items()
    }


def agree(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where two arrays have the same bits; NaN is NaN."""
    assert a.dtype == b.dtype
    if a.dtype.kind != "f":
        return a == b
    return ((a == b) & (np.signbit(a) == np.signbit(b))) | (np.isnan(a) & np.isnan(b))


def distance(a: np.ndarray, b: np.ndarray) -> int:
    """The largest number of steps between neighbouring reals from one array to the other.

    Both zeros are one place, and infinity is the neighbour of the largest number.
    """
    assert a.dtype == b.dtype
    bits = f"i{a.dtype.itemsize}"
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    places = []
    for values in (a, b):
        steps = np.abs(values).view(bits).astype(object)
        places.append(np.where(np.signbit(values), -steps, steps))
    apart = np.abs(places[0] - places[1])
    one_missing = np.isnan(a) ^ np.isnan(b)
    apart = np.where(np.isnan(a) & np.isnan(b), 0, np.where(one_missing, 1 << 62, apart))
    return int(apart.max(initial=0))


class Case:
    """A random formula with values for its symbols; what the checker refuses is written anew.

    Parameters
    ----------
    form : str, optional
        Of the result, with `{}` for expressions that are exact; else exact altogether.
    """

    def __init__(
        self, seed: int, shape: tuple[int, ...], depth: int, form: str | None = None
    ) -> None:
        # From a seed: to draw every choice from hypothesis takes a hundred times longer.
        self.rng = random.Random(seed)
        self.shape = shape
        self.axes = tuple(self.rng.sample(AXES, 3))
        self.symbols = symbols(seed, shape)
        self.arrays = {name: array for name, (_, array) in self.symbols.items()}
        self.kernel = self._accepted(depth, form)
        event(f"dtype {self.dtype}")

    def _accepted(self, depth: int, form: str | None) -> Kernel:
        for _ in range(100):
            self.dtype, kind = self.rng.choice(DTYPES[:3] if form else DTYPES)
            self.text = self._written(kind, depth, form)
            try:
                return nxformula.compile(
                    self.text, declared(self.symbols), axes=self.axes, dtype=self.dtype
                )
            except FormulaTypeError:
                event("refused")
        raise AssertionError(f"100 formulas refused, the last {self.text!r}")

    def _written(self, kind: str, depth: int, form: str | None) -> str:
        writer = Writer(self.rng)
        if kind == "small":
            return writer.small_formula(depth)
        if form is None:
            return writer.formula(kind, depth)
        parts = [writer.body("r", depth) for _ in range(form.count("{}"))]
        return writer.definitions() + form.format(*parts)

    def expected(self) -> np.ndarray:
        return evaluate(self.text, self.symbols, self.axes, self.dtype)

    def checked(self) -> Checked:
        return check(parse(self.text), declared(self.symbols), axes=self.axes, dtype=self.dtype)

    def sliced(self) -> None:
        """Slices of the inputs give the slice of the result."""
        cuts = self._cuts()
        lengths = self._lengths()
        part = {f"position({axis})": np.arange(n)[cuts[axis]] for axis, n in lengths.items()}
        for name, (axes, array) in self.symbols.items():
            indexed = self.kernel.indexed(name) if name in self.kernel.symbols else ()
            cut = (slice(None) if axis in indexed else cuts.get(axis, slice(None)) for axis in axes)
            part[name] = array[tuple(cut)]
        expected = self.kernel(self.arrays)[tuple(cuts[axis] for axis in self.axes)]
        assert agree(self.kernel(part), expected).all(), self.text

    def _lengths(self) -> Mapping[str, int]:
        return dict(zip(AXES, self.shape, strict=True))

    def _cuts(self) -> dict[str, slice]:
        """A slice along each dimension that may be cut."""
        needed = set(self.kernel.whole)
        for name in self.kernel.symbols:
            needed.update(self.kernel.indexed(name).intersection(self.kernel.kept(name)))
        cuts = {}
        for axis, length in self._lengths().items():
            start = self.rng.randrange(length)
            cut = slice(start, self.rng.randrange(start, length + 1), self.rng.choice((1, 1, 2)))
            cuts[axis] = slice(None) if axis in needed else cut
        return cuts


#: Elements of a tile, the share that is computed again, and elements of a block of frames.
TILES = {
    "as shipped": (1 << 15, 0.18, 1 << 22),
    "few again": (64, 2.0, 60),
    "all gathered": (7, 0.0, 1),
    "all again": (16, 99.0, 1 << 22),
}
#: Machine code: pixels of a tile.
FAST = {"machine code": 512, "machine code, small tiles": 3}


@pytest.fixture(params=[*TILES, *FAST])
def tiles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param in FAST:
        monkeypatch.setattr(backends, "_REPAID", 0)
        monkeypatch.setattr(program, "_LEAST", 1)
        monkeypatch.setattr(program, "_MOST", FAST[request.param])
        return
    size, few, block = TILES[request.param]
    monkeypatch.setattr(numpy_backend, "TILE", size)
    monkeypatch.setattr(numpy_backend, "FEW", few)
    monkeypatch.setattr(groups, "_BLOCK", block)


@pytest.mark.usefixtures("tiles")
class TestExact:
    @share(0.8, setups=len(TILES) + len(FAST))
    @given(SEEDS, SHAPES, st.integers(1, 4))
    def test_agrees(self, seed: int, shape: tuple[int, ...], depth: int) -> None:
        case = Case(seed, shape, depth)
        found, expected = case.kernel(case.arrays), case.expected()
        assert agree(found, expected).all(), case.text
        case.sliced()

    @share(0.2, setups=len(TILES) + len(FAST))
    @given(SEEDS, st.tuples(st.integers(1, 5), st.integers(9, 40), st.integers(9, 90)))
    def test_slices_of_many_tiles(self, seed: int, shape: tuple[int, ...]) -> None:
        Case(seed, shape, 4).sliced()


#: What chooses among values or keeps their distance: 4 units in the last place stay 4.
AROUND = [
    "{0}",
    "-{0}",
    "abs({0})",
    "where({{}} > {{}}, {0}, {{}})",
    "choose(data & 1, {0}, {{}})",
    "max({0}, {{}})",
    "clip({0}, -1.0, {{}})",
    "group_min({0}, position(slow) & 1)",
    "group_max({0}, asic)",
    "group_quantile({0}, bank, 0.5)",
]
OF_ONE = ("exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan")
OF_ONE += ("asin", "acos", "atan", "sinh", "cosh", "tanh")
INEXACT = [
    *(f"{name}({{}})" for name in OF_ONE),
    *("exp({} / 1e3)", "sin({} * 0.01)", "asin(mod({}, 2.0) - 1.0)", "log1p(mod({}, 1.0))"),
    *("atan2({}, {})", "hypot({}, {})", "({}) ** ({})", "({}) ** 2", "2 ** -({})", "({}) ** 0.5"),
]


@share(0.15)
@given(SEEDS, SHAPES, st.integers(0, 2), st.sampled_from(AROUND), st.sampled_from(INEXACT))
def test_inexact(seed: int, shape: tuple[int, ...], depth: int, around: str, function: str) -> None:
    case = Case(seed, shape, depth, f"where(data >= few, {around.format(f'({function})')}, {{}})")
    assert distance(case.kernel(case.arrays), case.expected()) <= 4, case.text
    case.sliced()


#: The sign of a zero is open.
EXTREMES = [
    "min({}, {})",
    "max({}, {}, {})",
    "clip({}, {}, {})",
    "group_min({}, asic)",
    "group_max({}, raw & 1)",
    "group_median({}, bank)",
    "group_quantile({}, position(slow), 0.75)",
]


@share(0.05)
@given(SEEDS, SHAPES, st.integers(0, 2), st.sampled_from(EXTREMES))
def test_extremes(seed: int, shape: tuple[int, ...], depth: int, form: str) -> None:
    case = Case(seed, shape, depth, f"where(data >= few, {form}, {{}})")
    assert distance(case.kernel(case.arrays), case.expected()) == 0, case.text


@share(0.2)
@given(SEEDS, SHAPES, st.integers(1, 5))
def test_types_and_dimensions(seed: int, shape: tuple[int, ...], depth: int) -> None:
    """The checker and the oracle find the same of every node, integer intervals included."""
    case = Case(seed, shape, depth)
    checked, nodes = case.checked(), parse_plainly(case.text)
    facts = Survey(nodes, case.symbols, case.axes).facts
    for mine, fact, node in zip(nodes, facts, checked.formula.nodes, strict=True):
        value = checked.value(node)
        assert (value.type.kind, value.type.interval) == (fact.kind, fact.range), (mine, case.text)
        assert set(value.dimensions) == set(fact.dimensions), (mine, case.text)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accuracy(dtype: str) -> None:
    """Reals of binary32 stay near the values that binary64 gives."""
    rng = np.random.default_rng(3)
    pixels = ("slow", "fast")
    given: Given = {
        "data": (pixels, rng.integers(0, 1 << 14, (7, 9), "uint16")),
        "pedestal": (pixels, rng.uniform(500, 1000, (7, 9))),
        "gain": (("fast", "slow"), rng.uniform(30, 40, (9, 7)).astype("float32")),
    }
    text = "let x = (data - pedestal) / gain; x - group_median(x, position(slow)) + log1p(abs(x))"
    kernel = nxformula.compile(text, declared(given), axes=pixels, dtype=dtype)
    found = kernel({name: array for name, (_, array) in given.items()})
    wide = evaluate(text, given, pixels, dtype, real=np.float64)
    np.testing.assert_allclose(found, wide, rtol=2e-6, atol=1e-4)
