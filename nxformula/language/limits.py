"""Sizes beyond which a formula is refused, checked before they can cost time or memory."""

from __future__ import annotations

from typing import Final

#: Characters of a formula's text (16 KiB).
TEXT: Final = 16384
#: Brackets open at one place, and exponents of exponents.
NESTING: Final = 64
#: Nodes of the syntax tree.
NODES: Final = 2000
#: Different symbols of one formula.
SYMBOLS: Final = 64
#: `let` definitions of one formula.
LETS: Final = 64
#: Coefficients of a polynomial.
COEFFICIENTS: Final = 64
#: Dimensions of a symbol.
RANK: Final = 8
#: Characters of a number literal.
LITERAL: Final = 128
#: Integer literals are smaller than this.
INTEGER_LITERAL: Final = 1 << 64
#: Nodes of a formula with its definitions written out, where that is needed.
EXPANDED: Final = 10_000
