"""The functions of a plan as LLVM's instructions."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np


class Block:
    """Instructions that run together; each result gets a name of its own.

    Parameters
    ----------
    name : str
        Begins the names of the results.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []

    def let(self, instruction: str) -> str:
        """Append an instruction; the name of its result."""
        result = f"%{self.name}{len(self.lines)}"
        self.lines.append(f"{result} = {instruction}")
        return result

    def do(self, instruction: str) -> None:
        """Append an instruction without a result."""
        self.lines.append(instruction)


#: Of a function: the block to write to, the dtype of the operands, their names.
Emit: TypeAlias = Callable[[Block, str, Sequence[str]], str]

_REALS: Final = {"float32": "float", "float64": "double"}
_SUFFIXES: Final = {"float32": "f32", "float64": "f64"}


def llvm_type(dtype: str) -> str:
    """The type of values of a dtype; integers have no sign in LLVM.

    Examples
    --------
    >>> llvm_type("uint16"), llvm_type("float32"), llvm_type("bool")
    ('i16', 'float', 'i1')
    """
    if dtype == "bool":
        return "i1"
    return _REALS.get(dtype) or f"i{_bits(dtype)}"


def stored_type(dtype: str) -> str:
    """The type of a dtype in memory."""
    return "i8" if dtype == "bool" else llvm_type(dtype)


def literal(value: Any, dtype: str) -> str:
    """A constant of a dtype.

    Examples
    --------
    >>> literal(0.5, "float32"), literal(-1, "int8"), literal(True, "bool")
    ('0x3FE0000000000000', '-1', 'true')
    """
    if dtype == "bool":
        return "true" if value else "false"
    if dtype in _REALS:
        # LLVM writes binary32 as the bits of the same number in binary64.
        (bits,) = struct.unpack(">Q", struct.pack(">d", float(np.dtype(dtype).type(value))))
        return f"0x{bits:016X}"
    return str(int(value))


def cast(block: Block, value: str, dtype: str, target: str) -> str:
    """A value in another dtype, as NumPy's `astype` converts it."""
    source, wanted = np.dtype(dtype), np.dtype(target)
    types = llvm_type(dtype), llvm_type(target)
    kinds = ("b" if source.kind == "b" else "u" if source.kind == "u" else source.kind) + (
        wanted.kind
    )
    if dtype == target:
        return value
    if kinds in ("if", "uf", "bf"):
        operation = "sitofp" if kinds == "if" else "uitofp"
    elif kinds in ("fi", "fu"):
        operation = "fptosi" if kinds == "fi" else "fptoui"
    elif kinds == "ff":
        operation = "fpext" if source.itemsize < wanted.itemsize else "fptrunc"
    elif types[0] == types[1]:
        return value
    elif kinds[0] == "b" or source.itemsize < wanted.itemsize:
        operation = "sext" if kinds[0] == "i" else "zext"
    else:
        operation = "trunc"
    return block.let(f"{operation} {types[0]} {value} to {types[1]}")


def is_supported(function: str, dtype: str) -> bool:
    """Whether there is an instruction for a function of operands of a dtype."""
    return (function, _kind(dtype)) in _EMITTERS


def emit(block: Block, function: str, dtypes: Sequence[str], values: Sequence[str]) -> str:
    """A function of values; NumPy's name of it, the dtypes of the operands, their names."""
    if len(set(dtypes)) > 1:
        # int64 beside uint64: no machine type of theirs holds both.
        wide = []
        for dtype, value in zip(dtypes, values, strict=True):
            extend = "zext" if dtype.startswith("u") else "sext"
            wide.append(block.let(f"{extend} i{_bits(dtype)} {value} to i128"))
        return block.let(f"icmp {_PREDICATES[function][0]} i128 {wide[0]}, {wide[1]}")
    return _EMITTERS[function, _kind(dtypes[0])](block, dtypes[0], values)


def choose(block: Block, condition: str, a: str, b: str, dtype: str) -> str:
    """The first value where a condition holds, else the second."""
    of = llvm_type(dtype)
    return block.let(f"select i1 {condition}, {of} {a}, {of} {b}")


def _kind(dtype: str) -> str:
    return np.dtype(dtype).kind


def _bits(dtype: str) -> int:
    return 8 * np.dtype(dtype).itemsize


def _binary(instruction: str) -> Emit:
    def emitter(block: Block, dtype: str, values: Sequence[str]) -> str:
        return block.let(f"{instruction} {llvm_type(dtype)} {values[0]}, {values[1]}")

    return emitter


def _intrinsic(name: str) -> Emit:
    def emitter(block: Block, dtype: str, values: Sequence[str]) -> str:
        of = llvm_type(dtype)
        return block.let(f"call {of} @llvm.{name}.{_SUFFIXES[dtype]}({of} {values[0]})")

    return emitter


def _negative(block: Block, dtype: str, values: Sequence[str]) -> str:
    if dtype in _REALS:
        return block.let(f"fneg {llvm_type(dtype)} {values[0]}")
    return block.let(f"sub {llvm_type(dtype)} 0, {values[0]}")


def _not(block: Block, _dtype: str, values: Sequence[str]) -> str:
    return block.let(f"xor i1 {values[0]}, true")


def _left_shift(block: Block, dtype: str, values: Sequence[str]) -> str:
    value, count = values
    of = llvm_type(dtype)
    shifted = block.let(f"shl {of} {value}, {count}")
    # A shift by the whole width has no defined value in LLVM; it is not selected.
    fits = block.let(f"icmp ult {of} {count}, {_bits(dtype)}")
    return choose(block, fits, shifted, "0", dtype)


def _right_shift(block: Block, dtype: str, values: Sequence[str]) -> str:
    value, count = values
    of, most = llvm_type(dtype), _bits(dtype) - 1
    fits = block.let(f"icmp ule {of} {count}, {most}")
    if _kind(dtype) == "u":
        return choose(block, fits, block.let(f"lshr {of} {value}, {count}"), "0", dtype)
    held = choose(block, fits, count, str(most), dtype)
    return block.let(f"ashr {of} {value}, {held}")


def _absolute(block: Block, dtype: str, values: Sequence[str]) -> str:
    if _kind(dtype) == "u":
        return values[0]
    below = block.let(f"icmp slt {llvm_type(dtype)} {values[0]}, 0")
    return choose(block, below, _negative(block, dtype, values), values[0], dtype)


def _sign(block: Block, dtype: str, values: Sequence[str]) -> str:
    zero = literal(0, dtype)
    above = emit(block, "greater", [dtype], [values[0], zero])
    below = emit(block, "less", [dtype], [values[0], zero])
    if dtype not in _REALS:
        low = zero if _kind(dtype) == "u" else "-1"
        return choose(block, above, "1", choose(block, below, low, zero, dtype), dtype)
    equal = emit(block, "equal", [dtype], [values[0], zero])
    rest = choose(block, equal, zero, values[0], dtype)
    rest = choose(block, below, literal(-1, dtype), rest, dtype)
    return choose(block, above, literal(1, dtype), rest, dtype)


def _extreme(integer: str, real: str) -> Emit:
    """`minimum` and `maximum`; of reals the first where it is NaN, else the second where it is."""

    def emitter(block: Block, dtype: str, values: Sequence[str]) -> str:
        a, b = values
        of = llvm_type(dtype)
        if dtype not in _REALS:
            sign = "u" if _kind(dtype) == "u" else "s"
            return choose(block, block.let(f"icmp {sign}{integer} {of} {a}, {b}"), a, b, dtype)
        first = choose(block, block.let(f"fcmp {real} {of} {a}, {b}"), a, b, dtype)
        return choose(block, block.let(f"fcmp uno {of} {b}, {b}"), b, first, dtype)

    return emitter


def _floor_divide(block: Block, dtype: str, values: Sequence[str]) -> str:
    of = llvm_type(dtype)
    if _kind(dtype) == "u":
        return block.let(f"udiv {of} {values[0]}, {values[1]}")
    quotient = block.let(f"sdiv {of} {values[0]}, {values[1]}")
    _, differs = _truncated(block, of, values)
    lower = block.let(f"sub {of} {quotient}, 1")
    return choose(block, differs, lower, quotient, dtype)


def _remainder(block: Block, dtype: str, values: Sequence[str]) -> str:
    of = llvm_type(dtype)
    if _kind(dtype) == "u":
        return block.let(f"urem {of} {values[0]}, {values[1]}")
    remainder, differs = _truncated(block, of, values)
    raised = block.let(f"add {of} {remainder}, {values[1]}")
    return choose(block, differs, raised, remainder, dtype)


def _truncated(block: Block, of: str, values: Sequence[str]) -> tuple[str, str]:
    """Remainder of the division towards zero, and whether that one and the floored differ."""
    remainder = block.let(f"srem {of} {values[0]}, {values[1]}")
    some = block.let(f"icmp ne {of} {remainder}, 0")
    signs = block.let(f"xor {of} {remainder}, {values[1]}")
    opposed = block.let(f"icmp slt {of} {signs}, 0")
    return remainder, block.let(f"and i1 {some}, {opposed}")


def _isnan(block: Block, dtype: str, values: Sequence[str]) -> str:
    return block.let(f"fcmp uno {llvm_type(dtype)} {values[0]}, {values[0]}")


def _isfinite(block: Block, dtype: str, values: Sequence[str]) -> str:
    size = _intrinsic("fabs")(block, dtype, values)
    return block.let(f"fcmp olt {llvm_type(dtype)} {size}, {literal(np.inf, dtype)}")


#: Of signed and unsigned integers, and of reals.
_PREDICATES: Final = {
    "equal": ("eq", "eq", "oeq"),
    "not_equal": ("ne", "ne", "une"),
    "less": ("slt", "ult", "olt"),
    "less_equal": ("sle", "ule", "ole"),
    "greater": ("sgt", "ugt", "ogt"),
    "greater_equal": ("sge", "uge", "oge"),
}
#: The function, for each kind of operands: b bool, i and u integers, f reals.
_EMITTERS: Final[Mapping[tuple[str, str], Emit]] = {
    **{(name, kind): _binary(f"icmp {p[0]}") for name, p in _PREDICATES.items() for kind in "ib"},
    **{(name, "u"): _binary(f"icmp {p[1]}") for name, p in _PREDICATES.items()},
    **{(name, "f"): _binary(f"fcmp {p[2]}") for name, p in _PREDICATES.items()},
    **{
        (name, kind): _binary(instruction)
        for name, instruction in (
            ("add", "add"),
            ("subtract", "sub"),
            ("multiply", "mul"),
            ("bitwise_and", "and"),
            ("bitwise_or", "or"),
            ("bitwise_xor", "xor"),
        )
        for kind in "iu"
    },
    **{
        (name, "f"): _binary(instruction)
        for name, instruction in (
            ("add", "fadd"),
            ("subtract", "fsub"),
            ("multiply", "fmul"),
            ("divide", "fdiv"),
        )
    },
    **{
        (name, kind): emitter
        for name, emitter in (
            ("negative", _negative),
            ("left_shift", _left_shift),
            ("right_shift", _right_shift),
            ("absolute", _absolute),
            ("sign", _sign),
            ("minimum", _extreme("lt", "ule")),
            ("maximum", _extreme("gt", "uge")),
            ("floor_divide", _floor_divide),
            ("remainder", _remainder),
        )
        for kind in "iu"
    },
    ("negative", "f"): _negative,
    ("absolute", "f"): _intrinsic("fabs"),
    ("sign", "f"): _sign,
    ("minimum", "f"): _extreme("lt", "ule"),
    ("maximum", "f"): _extreme("gt", "uge"),
    ("sqrt", "f"): _intrinsic("sqrt"),
    ("floor", "f"): _intrinsic("floor"),
    ("ceil", "f"): _intrinsic("ceil"),
    ("rint", "f"): _intrinsic("rint"),
    ("isnan", "f"): _isnan,
    ("isfinite", "f"): _isfinite,
    ("logical_not", "b"): _not,
    ("logical_and", "b"): _binary("and"),
    ("logical_or", "b"): _binary("or"),
}
