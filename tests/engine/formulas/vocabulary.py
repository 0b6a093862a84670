"""The symbols of the random formulas: their kinds, dimensions and lengths."""

from __future__ import annotations

#: Dimensions of the result.
AXES = ("frame", "slow", "fast")
INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
REALS = ("float16", "float32", "float64")

#: Kind of value and dimensions of each symbol; `.` is dropped. Tables have others besides AXES.
#: Kinds: "i" integers, "r" reals, "b" bools, "s" small integers, "x" increasing along `knot`.
SYMBOLS = {
    "data": ("i", AXES),
    "image": ("r", AXES),
    "raw": ("i", ("slow", "fast")),
    "line": ("r", ("fast", ".")),
    "tag": ("i", ("frame",)),
    "cell_id": ("s", ("frame", ".")),
    "stage": ("s", ("slow", "fast")),
    "monitor": ("r", ("frame",)),
    "mask": ("b", ("slow", "fast")),
    "one": ("r", ()),
    "two": ("i", (".",)),
    "gain": ("r", ("stage", "slow", "fast")),
    "offset": ("r", ("stage", "cell", "slow", "fast")),
    "ramp": ("r", ("step", ".")),
    "codes": ("i", ("stage", "fast")),
    "steps": ("i", ("step",)),
    "flags": ("b", ("stage", "frame")),
    "columns": ("r", ("along", "slow")),
    "dead": ("b", (".", "step")),
    "shift": ("i", ("slow", "cell")),
    "asic": ("s", ("slow", "fast")),
    "bank": ("s", ("fast",)),
    "xs": ("x", ("knot",)),
    "ys": ("r", ("knot", "slow")),
    "flat": ("i", ("knot", ".")),
    "stage_xs": ("x", ("stage", "knot")),
    "stage_ys": ("r", ("knot", "stage", "fast")),
    "pixel_xs": ("x", ("slow", "knot", "fast")),
    "curve": ("r", ("order",)),
    "counts": ("i", (".", "order")),
    "curves": ("r", ("order", "stage", "slow", "fast")),
    "cells": ("r", ("cell", "order", "stage", "slow")),
}

#: Dimensions of tables; those of `knot` and `order` are drawn for each formula.
LENGTHS = {"stage": 3, "cell": 4, "step": 5, "along": 2}
