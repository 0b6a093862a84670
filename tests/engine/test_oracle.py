"""Random formulas: the engine agrees with a plain evaluator, for every tile size and slice."""

from __future__ import annotations

import random
from collections.abc import Mapping

import engine_formulas as formulas
import engine_oracle as oracle
import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from nxformula.engine import numpy_backend
from nxformula.engine.kernel import Kernel, compile  # noqa: A004
from nxformula.errors import FormulaTypeError
from nxformula.language.symbols import Symbol

AXES = formulas.AXES
Symbols = Mapping[str, tuple[tuple[str, ...], np.ndarray]]
SHAPES = st.tuples(*[st.sampled_from((1, 2, 3, 4, 5))] * 3)
SEEDS = st.integers(0, 2**32 - 1)


def compiled(text: str, given: Symbols, axes: tuple[str, ...], dtype: str) -> Kernel:
    declared = {
        name: Symbol(array.dtype.name, names, array.shape) for name, (names, array) in given.items()
    }
    return compile(text, declared, axes=axes, dtype=dtype)


def agree(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where two arrays have the same bits; NaN is NaN."""
    assert a.dtype == b.dtype
    if a.dtype.kind != "f":
        return a == b
    return ((a == b) & (np.signbit(a) == np.signbit(b))) | (np.isnan(a) & np.isnan(b))


def distance(a: np.ndarray, b: np.ndarray) -> int:
    """The largest difference of two arrays, in units of the last place."""
    with np.errstate(all="ignore"):
        a, b = a + 0, b + 0  # no negative zeros
        apart = np.abs(a - b) / np.spacing(np.maximum(np.abs(b), np.finfo(b.dtype).tiny))
    return int(np.where(agree(a, b), 0, np.nan_to_num(apart, nan=1e9, posinf=1e9)).max(initial=0))


class Case:
    """A random formula with values for its symbols."""

    def __init__(self, seed: int, shape: tuple[int, ...], depth: int) -> None:
        # From a seed: to draw every choice from hypothesis takes a hundred times longer.
        self.rng = rng = random.Random(seed)
        writer = formulas.Writer(rng)
        self.dtype, kind = rng.choice(
            [("float32", "r"), ("float64", "r"), ("float32", "i"), ("int64", "i"), ("bool", "b")]
        )
        self.text = writer.formula(kind, depth)
        self.axes = tuple(rng.sample(AXES, 3))
        lengths = dict(zip(AXES, shape, strict=True))
        self.shape = tuple(lengths[axis] for axis in self.axes)
        self.symbols = formulas.symbols(seed, shape)
        try:
            self.kernel = compiled(self.text, self.symbols, self.axes, self.dtype)
        except FormulaTypeError:
            assume(False)
        self.arrays = {name: array for name, (_, array) in self.symbols.items()}

    def expected(self) -> tuple[np.ndarray, np.ndarray]:
        """The result, and where the language leaves no choice."""
        given = self.text, self.symbols, self.axes, self.shape, self.dtype
        result = oracle.evaluate(*given)
        if not any(word in self.text for word in ("min(", "max(", "clip(")):
            return result, np.ones(self.shape, bool)
        return result, agree(result, oracle.evaluate(*given, last=False))

    def sliced(self) -> None:
        """Slices of the inputs give the slice of the result."""
        rng = self.rng
        whole = self.kernel(self.arrays)
        cuts = {}
        for axis, length in zip(self.axes, self.shape, strict=True):
            start = rng.randrange(length)
            cuts[axis] = slice(start, rng.randrange(start, length + 1), rng.choice((1, 1, 2)))
        part = {
            name: array[tuple(cuts.get(axis, slice(None)) for axis in names)]
            for name, (names, array) in self.symbols.items()
        }
        expected = whole[tuple(cuts[axis] for axis in self.axes)]
        assert agree(self.kernel(part), expected).all(), self.text


@pytest.fixture(
    params=[(1 << 15, 0.18), (64, 2.0), (7, 0.0), (16, 99.0)],
    ids=["as shipped", "few again", "all gathered", "all again"],
)
def tiles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    size, few = request.param
    monkeypatch.setattr(numpy_backend, "TILE", size)
    monkeypatch.setattr(numpy_backend, "FEW", few)


@pytest.mark.usefixtures("tiles")
class TestExact:
    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(SEEDS, SHAPES, st.integers(1, 4))
    def test_agrees(self, seed: int, shape: tuple[int, ...], depth: int) -> None:
        case = Case(seed, shape, depth)
        expected, firm = case.expected()
        event(f"dtype {case.dtype}")
        assert (agree(case.kernel(case.arrays), expected) | ~firm).all(), case.text
        case.sliced()

    @settings(max_examples=30, deadline=None, derandomize=True)
    @given(SEEDS, st.tuples(st.integers(1, 5), st.integers(9, 40), st.integers(9, 90)))
    def test_slices_of_many_tiles(self, seed: int, shape: tuple[int, ...]) -> None:
        Case(seed, shape, 4).sliced()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    SEEDS,
    SHAPES,
    st.sampled_from(["exp({})", "log({})", "({}) ** ({})"]),
    st.sampled_from(["float32", "float64"]),
)
def test_transcendental(seed: int, shape: tuple[int, ...], form: str, dtype: str) -> None:
    writer = formulas.Writer(random.Random(seed))
    parts = [writer.formula("r", 2).split("\n")[1] for _ in range(form.count("{}"))]
    lets = "let few = 3; let lots = data & 3; let picture = image;"
    given = formulas.symbols(seed, shape)
    try:
        kernel = compiled(lets + form.format(*parts), given, AXES, dtype)
    except FormulaTypeError:
        assume(False)
    found = kernel({name: array for name, (_, array) in given.items()})
    inner = [oracle.evaluate(lets + part, given, AXES, shape, dtype) for part in parts]
    wide = [x.astype(np.float64 if dtype == "float32" else np.longdouble) for x in inner]
    function = {"e": np.exp, "l": np.log, "(": np.power}[form[0]]
    with np.errstate(all="ignore"):
        expected = function(*wide).astype(dtype)
    assert distance(found, expected) <= 4
