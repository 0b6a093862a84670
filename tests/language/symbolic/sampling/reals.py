"""Random formulas of reals, in the symbols of the tests of derivatives."""

from __future__ import annotations

from hypothesis import strategies as st

_LEAVES = st.sampled_from(["x", "y", "z", "x", "2", "0.5", "3", "t[g]", "u[g]", "1"])
_BINARY = ["({} + {})", "({} - {})", "({} * {})", "({} / {})", "hypot({}, {})", "min({}, {})"]
_BINARY += ["max({}, {})", "where(m, {}, {})", "where(g == 1, {}, {})", "atan2({}, {})"]
_BINARY += ["((abs({}) + 0.1) ** ({} / 4))"]
_UNARY = ["(-{})", "sqrt(abs({}) + 1)", "sin({})", "cos({})", "tanh({})", "exp(-abs({}))"]
_UNARY += ["log1p(abs({}))", "(({}) ** 2)", "(({}) ** 3)", "abs({})", "(1 / ({}))", "floor({})"]


@st.composite
def _joined(draw: st.DrawFn, parts: st.SearchStrategy[str]) -> str:
    if draw(st.booleans()):
        return draw(st.sampled_from(_UNARY)).format(draw(parts))
    return draw(st.sampled_from(_BINARY)).format(draw(parts), draw(parts))


EXPRESSIONS = st.recursive(_LEAVES, _joined, max_leaves=8)


@st.composite
def real_formulas(draw: st.DrawFn) -> str:
    """Up to two definitions and a result."""
    lets = ""
    names: list[str] = []
    for new in ("p", "q")[: draw(st.integers(0, 2))]:
        lets += f"let {new} = {draw(EXPRESSIONS)};\n"
        names.append(new)
    result = draw(EXPRESSIONS)
    for used in names:
        result = f"{result} {draw(st.sampled_from('+-*'))} {used} * {draw(EXPRESSIONS)}"
    return lets + result
