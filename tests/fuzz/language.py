"""Fuzz parser, checker and engine, guided by coverage.

    pip install atheris
    python tests/fuzz/language.py -max_total_time=600

Every input must be accepted, or refused with a `FormulaError` whose place is inside the text, in
less than a second; what is accepted must evaluate. Anything else ends the run with the input.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["nxformula"]):
    import nxformula
    from nxformula import Symbol

AXES = ("frame", "slow", "fast")
ARRAYS = {
    "data": (AXES, np.arange(24, dtype=np.uint16).reshape(2, 3, 4) * 2900),
    "frames": (("frame",), np.array([-(2**63), 2**63 - 1])),
    "big": (AXES[1:], np.full((3, 4), 2**64 - 1, np.uint64)),
    "gain": (("stage", "slow", "fast"), np.ones((4, 3, 4), np.float32)),
    "turned": (("fast", "slow", "stage"), np.full((4, 3, 2), np.nan)),
    "bad": (AXES[1:], np.eye(3, 4, dtype=bool)),
    "codes": (("stage", "."), np.arange(-2, 2, dtype=np.int8)[:, np.newaxis]),
    "xs": (("node",), np.array([0.0, 1.0, 4.0])),
    "ys": (("node", "fast"), np.ones((3, 4), np.float32)),
    "scalar": ((), np.float16(3)),
}
SYMBOLS = {name: Symbol(a.dtype.name, axes, a.shape) for name, (axes, a) in ARRAYS.items()}
VALUES = {name: array for name, (_, array) in ARRAYS.items()}
TABLE = json.loads((Path(__file__).parents[2] / "grammar" / "functions.json").read_text())
WORDS = [
    *ARRAYS,
    *(entry["name"] + "(" for entry in TABLE["functions"]),
    *(entry["symbol"].removesuffix("x") for entry in TABLE["operators"]),
    *(entry["name"] for entry in TABLE["constants"]),
    *("let ", "let a = ", "a", "; ", "else = ", "= ", ", ", ") ", "( ", "[", "] ", "stage", "slow"),
    *("0", "1", "3", "63", "64", "0x3FFF", "18446744073709551615", "1.5", "1e308", "# note\n"),
]
SLOWEST = 1.0


def one_input(data: bytes) -> None:
    """Take words where the first bit is set, else the bytes as they are."""
    if data[:1] >= b"\x80":
        text = " ".join(WORDS[byte % len(WORDS)] for byte in data[1:])
    else:
        text = data.decode("utf-8", "replace")
    start = time.monotonic()
    try:
        formula = nxformula.parse(text)
    except nxformula.FormulaError as error:
        well_placed(error, text)
        return
    for dtype in ("float32", "float64", "int64"):
        try:
            nxformula.compile(formula, SYMBOLS, axes=AXES, dtype=dtype)(VALUES)
        except nxformula.FormulaError as error:
            well_placed(error, text)
    assert time.monotonic() - start < SLOWEST, text


def well_placed(error: nxformula.FormulaError, text: str) -> None:
    """The place of an error is inside the text, or just behind it."""
    line = text.split("\n")[error.line - 1] if error.line else ""
    assert error.column is None or 1 <= error.column <= len(line) + 1, (text, error)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
