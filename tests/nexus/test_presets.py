"""Presets: worked numbers, the same mathematics written by hand in float64, and use from files."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from jsonschema import Draft202012Validator

import nxformula
from nxformula import Symbol
from nxformula._resources import resource
from nxformula.cli import main
from nxformula.interop.response import response
from nxformula.language.checker import check
from nxformula.language.parser import parse
from nxformula.language.symbolic import uncertainty
from nxformula.language.units.checking import check_units
from nxformula.masters.demonstration import Demonstration
from nxformula.nexus.presets import Preset, preset, preset_names

NAMES = preset_names()
Arrays = dict[str, np.ndarray]
#: A million pixels.
FRAMES, SHAPE = 2, (512, 1024)


def number(value: Any) -> Any:
    if isinstance(value, list):
        return [number(item) for item in value]
    return float("nan") if value == "NaN" else value


def kernel_of(found: Preset, arrays: Arrays, backend: Any = "numpy") -> nxformula.Kernel:
    symbols = {
        name: Symbol(each.dtype, each.axes, arrays[name].shape, each.units)
        for name, each in found.symbols.items()
    }
    return nxformula.compile(
        found.formula, symbols, axes=found.axes, dtype=found.dtype, backend=backend
    )


@pytest.mark.parametrize("name", NAMES)
def test_files_follow_the_schema(name: str) -> None:
    folder = resource("schemas", "presets")
    schema = json.loads(folder.joinpath("preset-1.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    document = json.loads(folder.joinpath(f"{name}.json").read_text(encoding="ascii"))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert document["name"] == name


@pytest.mark.parametrize("backend", ["numpy", "fast"])
@pytest.mark.parametrize("name", NAMES)
def test_worked_numbers(name: str, backend: str) -> None:
    found = preset(name)
    arrays = {
        symbol: np.array(number(value), found.symbols[symbol].dtype)
        for symbol, value in found.worked["symbols"].items()
    }
    result = kernel_of(found, arrays, backend)(arrays)
    np.testing.assert_allclose(result.reshape(-1), number(found.worked["result"]), rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_units_and_results(name: str) -> None:
    found = preset(name)
    symbols = {
        symbol: Symbol(
            each.dtype, each.axes, tuple(each.lengths.get(a, 5) for a in each.axes), each.units
        )
        for symbol, each in found.symbols.items()
    }
    formula = parse(found.formula)
    checked = check(formula, symbols, axes=found.axes, dtype=found.dtype, field="data")
    check_units(checked, found.units)
    assert set(found.results) <= {let.name for let in formula.lets}
    assert set(formula.names) == set(found.symbols)


# The same mathematics by hand


def constants(random: Any, *lengths: int) -> np.ndarray:
    return random.uniform(0.5, 2, (*lengths, *SHAPE)).astype("f4")


def images(random: Any, most: int = 1 << 16, dtype: str = "u2") -> np.ndarray:
    return random.integers(0, most, (FRAMES, *SHAPE)).astype(dtype)


def pick(planes: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Of planes the one that an image of indices names; NaN where there is none."""
    good = (index >= 0) & (index < len(planes))
    found = np.take_along_axis(planes.astype("f8"), np.where(good, index, 0)[None], 0)[0]
    return np.where(good, found, np.nan)


def by_frame(one: Callable[[Any, int], np.ndarray], arrays: Arrays) -> np.ndarray:
    return np.stack([one(arrays, k) for k in range(FRAMES)])


def jungfrau(a: Arrays, k: int) -> np.ndarray:
    code, counts = a["data"][k] // 16384, a["data"][k] % 16384
    plane = np.array([0, 1, -1, 2])[code]
    return (counts - pick(a["pedestal"], plane)) / pick(a["gain"], plane)


def jungfrau_codes(a: Arrays, k: int) -> np.ndarray:
    code = (a["data"][k] // 16384).astype(int)
    found = (a["data"][k] % 16384 - pick(a["pedestal"], code)) / pick(a["gain"], code)
    return np.where(code == 2, np.nan, found)


def agipd(a: Arrays, k: int) -> np.ndarray:
    cell = int(a["cell_id"][k])
    counts, signal = (a["data"][k], a.get("gain", a["data"])[k])
    if a["data"].ndim == 4:
        counts, signal = a["data"][k]
    if "gain_stage" in a:
        stage = a["gain_stage"][k].astype(int)
    else:
        stage = (signal > a["low"][cell]).astype(int)
        stage[signal > a["high"][cell]] = 2
    value = (counts - pick(a["offset"][cell], stage)) * pick(a["relative_gain"][cell], stage)
    return np.where(pick(a["bad"][cell], stage) == 0, value, np.nan)


def agipd_xray(a: Arrays, k: int) -> np.ndarray:
    cell = int(a["cell_id"][k])
    counts, signal = a["data"][k].astype("f8"), a["gain"][k]
    offset = a["offset"][cell].astype("f8")
    stage = (signal > a["low"][cell]).astype(int) + (signal > a["high"][cell])
    stage[(stage == 2) & (counts - offset[1] < a["medium_threshold"])] = 1
    stage[(stage == 1) & (counts - offset[0] < a["high_threshold"])] = 0
    value = (counts - pick(offset, stage)) * pick(a["relative_gain"][cell], stage)
    value += np.where(stage == 1, a["medium_offset"][cell].astype("f8"), 0)
    value /= pick(a["xray_gain"][cell], stage)
    bad = pick(a["bad"][cell], stage).astype(int) & int(a["bad_bits"])
    return np.where(bad == 0, value, np.nan)


def lpd(a: Arrays, k: int) -> np.ndarray:
    cell, stage = int(a["cell_id"][k]), (a["data"][k].astype(int) >> 12) % 4
    value = a["data"][k] % 4096 - pick(a["offset"][cell], stage)
    return value * pick(a["relative_gain"][cell], stage) * pick(a["flat_field"], stage)


def dssc(a: Arrays, k: int) -> np.ndarray:
    value = a["data"][k].astype("f8")
    value[value == 0] = 256
    return value - a["offset"][int(a["cell_id"][k])]


def epix_mode(a: Arrays, k: int, bit: int) -> np.ndarray:
    cbits = a["config"].astype(int) | (((a["data"][k].astype(int) >> bit) & 1) << 5)
    # FH, FM, FL, AHL_H, AML_M, AHL_L, AML_L: what is looked at, and what it must be.
    tests = [(28, 28), (28, 12), (12, 8), (60, 16), (60, 0), (60, 48), (60, 32)]
    mode = np.full(SHAPE, -1)
    for number_of, (bits, value) in reversed(list(enumerate(tests))):
        mode[(cbits & bits) == value] = number_of
    return mode


def epix(bit: int) -> Callable[[Arrays, int], np.ndarray]:
    def one(a: Arrays, k: int) -> np.ndarray:
        mode = epix_mode(a, k, bit)
        return (a["data"][k] % 16384 - pick(a["pedestal"], mode)) / pick(a["gain"], mode)

    return one


def percival(a: Arrays, k: int) -> np.ndarray:
    x = a["data"][k].astype(int)
    gain, fine, coarse = x % 4, (x >> 2) % 256, (x >> 10) % 32
    column = np.arange(SHAPE[1]) % 7
    oc, gc, of, gf = (
        a[name].astype("f8")[:, column]
        for name in ("offset_coarse", "slope_coarse", "offset_fine", "slope_fine")
    )
    charge = (oc - fine - 1) / gc + (coarse - of) / gf
    return 222 * 26 * (1 - charge / 1.43) * pick(a["gain_factor"], gain)


def psana_rows(part: np.ndarray, good: np.ndarray, limit: float, least: int) -> None:
    """`common_mode_rows` of psana's UtilsCommonMode.py: the median of each row, in place."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        median = np.nanmedian(np.where(good, part, np.nan), axis=1, keepdims=True)
    wanted = (good.sum(axis=1, keepdims=True) > least) & (np.abs(median) < limit)
    part -= np.where(good & wanted, median, 0)


def psana_bank(part: np.ndarray, good: np.ndarray, limit: float, least: int) -> None:
    """`common_mode_2d`: the median of all, in place."""
    if good.sum() >= least and abs(np.median(part[good])) < limit:
        part[good] -= np.median(part[good])


def psana_common_mode(
    signal: np.ndarray, good: np.ndarray, a: Arrays, height: int, width: int, modes: str
) -> np.ndarray:
    """`common_mode_apply`: banks, then rows of banks, then columns of banks."""
    found, limit, least = signal.copy(), float(a["limit"]), int(a["least"])
    for mode in modes:
        for y in range(0, SHAPE[0], height if mode != "r" else SHAPE[0]):
            for x in range(0, SHAPE[1], width if mode != "c" else SHAPE[1]):
                box = np.s_[
                    y : y + (height if mode != "r" else SHAPE[0]),
                    x : x + (width if mode != "c" else SHAPE[1]),
                ]
                if mode == "b":
                    psana_bank(found[box], good[box], limit, least)
                elif mode == "r":
                    psana_rows(found[box], good[box], limit, least)
                else:
                    psana_rows(found[box].T, good[box].T, limit, least)
    return found


def common_mode(modes: str) -> Callable[[Arrays, int], np.ndarray]:
    def one(a: Arrays, k: int) -> np.ndarray:
        signal = a["data"][k] - a["pedestal"]
        good = a["mask"] == 0
        return np.where(good, psana_common_mode(signal, good, a, 352, 96, modes), np.nan)

    return one


def jungfrau_common_mode(a: Arrays, k: int) -> np.ndarray:
    code, counts = a["data"][k] // 16384, a["data"][k] % 16384
    plane = np.array([0, 1, -1, 2])[code]
    signal = (counts - pick(a["pedestal"], plane)).astype("f4")
    good = (a["mask"] == 0) & (code == 0)
    signal = psana_common_mode(signal, good, a, 256, 64, "brc")
    return np.where(a["mask"] == 0, signal / pick(a["gain"], plane), np.nan)


def epix10ka_common_mode(a: Arrays, k: int) -> np.ndarray:
    mode = epix_mode(a, k, 14)
    signal = (a["data"][k] % 16384 - pick(a["pedestal"], mode)).astype("f4")
    good = (a["mask"] == 0) & np.isin(mode, [0, 1, 3, 4])
    signal = psana_common_mode(signal, good, a, 176, 48, "brc")
    return np.where(a["mask"] == 0, signal / pick(a["gain"], mode), np.nan)


def eiger(a: Arrays, k: int) -> np.ndarray:
    table = a["countrate_correction_lookup_table"].astype("f8")
    found = table[np.minimum(a["data"][k], len(table) - 1)]
    valid = (a["data"][k] < len(table)) & (found != 65535) & ((a["pixel_mask"] & 0xFFFF) == 0)
    return np.where(valid, found * a["flatfield"], np.nan)


def overscan(a: Arrays, k: int) -> np.ndarray:
    image, first = a["data"][k].astype("f8"), int(a["first_overscan"])
    level = np.median(image[:, first:], axis=1, keepdims=True)
    found = (image - level - a["bias"]) / a["flat"]
    found[:, first:] = np.nan
    return found


def dark_images(random: Any, codes: tuple[int, ...] = (0,)) -> np.ndarray:
    """Little signal above a level that differs from bank to bank, and gain bits."""
    counts = random.integers(0, 4, (FRAMES, *SHAPE)) ** 3 + np.arange(SHAPE[1]) // 64
    code = random.choice(codes, (FRAMES, *SHAPE))
    return (counts + 40 + 16384 * code).astype("u2")


def transcriptions(random: Any) -> dict[str, tuple[Arrays, Callable[[Arrays, int], np.ndarray]]]:
    cells = {"cell_id": np.array([1, 0], "u2")}
    c = lambda *n: constants(random, *n)  # noqa: E731
    bad = (random.random((2, 3, *SHAPE)) < 0.01).astype("u4") * 8
    mask = (random.random(SHAPE) < 0.02).astype("u4") * 2
    three = {"pedestal": c(3) * 1000, "gain": c(3)}
    agipd_constants = {**cells, "offset": c(2, 3), "relative_gain": c(2, 3), "bad": bad}
    config = random.choice([28, 12, 8, 16, 0, 20, 24], SHAPE).astype("u1")
    seven = {"pedestal": c(7) * 100, "gain": c(7)}
    low = c(2) * 3000
    limits = {"limit": np.float32(80), "least": np.uint32(30)}
    return {
        "jungfrau": ({"data": images(random), **three}, jungfrau),
        "jungfrau-codes": (
            {"data": images(random), "pedestal": c(4), "gain": c(4)},
            jungfrau_codes,
        ),
        "jungfrau-fixed": (
            {"data": images(random, 1 << 14) | 0x3F00, "pedestal": c(), "gain": c()},
            lambda a, k: np.where(
                a["data"][k] == 16383,
                np.nan,
                (a["data"][k] - a["pedestal"].astype("f8")) / a["gain"],
            ),
        ),
        "jungfrau-photons": (
            {"data": images(random), **three, "energy": np.array([9.5, 12.7], "f4")},
            lambda a, k: jungfrau(a, k) / float(a["energy"][k]),
        ),
        "agipd-channels": (
            {
                "data": np.stack([images(random), images(random, 12000)], axis=1),
                "low": low,
                "high": low + 3000,
            }
            | agipd_constants,
            agipd,
        ),
        "agipd-xray": (
            {
                "data": images(random),
                "gain": images(random, 12000),
                "low": low,
                "high": low + 3000,
                "xray_gain": c(2, 3),
                "medium_offset": c(2) * 100,
                "high_threshold": np.float32(9000),
                "medium_threshold": np.float32(15000),
                "bad_bits": np.uint32(8),
            }
            | agipd_constants
            | {"offset": c(2, 3) * 3000, "bad": bad | np.uint32(4)},
            agipd_xray,
        ),
        "agipd": (
            {"data": images(random), "gain": images(random, 12000), "low": low, "high": low + 3000}
            | agipd_constants,
            agipd,
        ),
        "agipd-stage": (
            {"data": images(random), "gain_stage": images(random, 3, "u1"), **agipd_constants},
            agipd,
        ),
        "lpd": (
            {"data": images(random), **cells, "offset": c(2, 3), "relative_gain": c(2, 3)}
            | {"flat_field": c(3)},
            lpd,
        ),
        "dssc": ({"data": images(random, 256), **cells, "offset": c(2)}, dssc),
        "epix10ka": ({"data": images(random, 1 << 15), "config": config, **seven}, epix(14)),
        "epixhr": ({"data": images(random), "config": config, **seven}, epix(15)),
        "epix100": (
            {"data": images(random), "pedestal": c(), "gain": c(), "mask": mask},
            lambda a, k: np.where(
                a["mask"] == 0, (a["data"][k] - a["pedestal"].astype("f8")) / a["gain"], np.nan
            ),
        ),
        "cspad": (
            {"data": images(random, 1 << 14), "pedestal": c(), "pixel_gain": c(), "mask": mask}
            | {"low_gain": random.random(SHAPE) < 0.5},
            lambda a, k: np.where(
                a["mask"] == 0,
                (a["data"][k] - a["pedestal"].astype("f8"))
                * np.where(a["low_gain"], 6.85, 1)
                * a["pixel_gain"],
                np.nan,
            ),
        ),
        "moench": (
            {"data": images(random), "pedestal": c(), "gain": c()},
            lambda a, k: (a["data"][k] % 16384 - a["pedestal"].astype("f8")) / a["gain"],
        ),
        "eiger-lut": (
            {"data": images(random, 1200), "table": random.random(1000).astype("f4")}
            | {"flat_field": c(), "mask": mask},
            lambda a, k: np.where(
                (a["mask"] == 0) & (a["data"][k] < 1000),
                a["table"].astype("f8")[np.minimum(a["data"][k], 999)] * a["flat_field"],
                np.nan,
            ),
        ),
        "dead-time": (
            {"data": images(random, 1500, "u4"), "count_time": np.array([0.5, 2], "f4")}
            | {"dead_time": c() * 3e-4},
            dead_time,
        ),
        "ccd": (
            {"data": images(random), "overscan": random.random((FRAMES, SHAPE[0])).astype("f4")}
            | {"bias": c(), "dark": c(), "exposure": np.array([1, 3], "f4"), "flat": c()}
            | {"dark_exposure": np.float32(2)},
            lambda a, k: (
                (
                    a["data"][k]
                    - a["overscan"][k].astype("f8")[:, None]
                    - a["bias"]
                    - a["dark"].astype("f8") * (a["exposure"][k] / 2)
                )
                / a["flat"]
            ),
        ),
        "transmission": (
            {
                "data": images(random, 60000) + np.uint16(5),
                "dark": c(),
                "flat": c() + np.float32(2),
            },
            lambda a, k: -np.log((a["data"][k] - a["dark"].astype("f8")) / (a["flat"] - a["dark"])),
        ),
        "flat-dark": (
            {"data": images(random), "dark": c(), "flat": c()},
            lambda a, k: (a["data"][k] - a["dark"].astype("f8")) / a["flat"],
        ),
        "monitor": (
            {"data": images(random, 1 << 16, "u4"), "monitor": np.array([2.5, 0], "f4")}
            | {"reference": np.float32(1.5)},
            lambda a, k: a["data"][k] * 0.6 if k == 0 else np.full(SHAPE, np.nan),
        ),
        "percival": (
            {"data": images(random, 1 << 15), "gain_factor": c(3)}
            | {
                f"{kind}_{part}": random.uniform(5, 9, (SHAPE[0], 7)).astype("f4")
                for kind in ("offset", "slope")
                for part in ("coarse", "fine")
            },
            percival,
        ),
        **{
            name: (
                {"data": dark_images(random), "pedestal": c() * 100, "mask": mask, **limits},
                common_mode(name[12]),
            )
            for name in ("common-mode-rows", "common-mode-columns", "common-mode-banks")
        },
        "jungfrau-common-mode": (
            {"data": dark_images(random, (0, 0, 0, 1, 2, 3)), "mask": mask, **three, **limits}
            | {"pedestal": c(3) * 100},
            jungfrau_common_mode,
        ),
        "epix10ka-common-mode": (
            {"data": dark_images(random, (0, 1)), "config": config, "mask": mask, **limits}
            | {"pedestal": c(7) * 100, "gain": c(7)},
            epix10ka_common_mode,
        ),
        "eiger": (
            {
                "data": images(random, 1200, "u4"),
                "countrate_correction_lookup_table": np.where(
                    np.arange(1000) > 900, 65535, np.arange(1000) * 1.1
                ).astype("u4"),
                "flatfield": c(),
                "pixel_mask": mask << np.uint32(8) | np.uint32(1 << 30),
            },
            eiger,
        ),
        "pilatus": (
            {"data": images(random, 1000, "i4") - np.int32(2), "flatfield": c()},
            lambda a, k: np.where(
                a["data"][k] < 0, np.nan, a["data"][k] * a["flatfield"].astype("f8")
            ),
        ),
        "ccd-overscan": (
            {"data": images(random), "first_overscan": np.uint32(1000), "bias": c(), "flat": c()},
            overscan,
        ),
        "linear": (
            {"data": images(random, 1 << 20, "i4"), "offset": np.float32(3)}
            | {"scaling_factor": np.float32(0.25)},
            lambda a, k: (a["data"][k] + 3.0) * 0.25,
        ),
    }


def dead_time(a: Arrays, k: int) -> np.ndarray:
    measured = a["data"][k] / float(a["count_time"][k])
    dead = measured * a["dead_time"].astype("f8")
    with np.errstate(all="ignore"):
        found = a["data"][k] / (1 - dead)
    # Near the limit the smallest rounding is everything.
    return np.where(np.abs(1 - dead) < 1e-2, np.inf, np.where(dead < 1, found, np.nan))


BY_HAND = transcriptions(np.random.default_rng(6))
#: Presets without frames and images, which have tests of their own.
OTHERS = {
    *("mpccd", "mpccd-tenths", "timepix3", "timepix3-time-walk", "polynomial"),
    *("tof", "tof-energy", "energy-axis", "cspad-common-mode"),
}


def test_every_preset_has_a_transcription() -> None:
    assert set(BY_HAND) | OTHERS == set(NAMES)


@pytest.mark.parametrize("backend", ["numpy", "fast"])
@pytest.mark.parametrize("name", BY_HAND)
def test_a_million_pixels_as_by_hand(name: str, backend: str) -> None:
    arrays, one = BY_HAND[name]
    expected = by_frame(one, arrays)
    result = kernel_of(preset(name), arrays, backend)(arrays)
    assert result.size > 1_000_000
    compared = ~np.isinf(expected)
    assert compared.mean() > 0.99
    np.testing.assert_array_equal(np.isnan(result[compared]), np.isnan(expected[compared]))
    scale = np.nanmax(np.abs(expected[compared]))
    np.testing.assert_allclose(
        result[compared], expected[compared], rtol=2e-5, atol=2e-6 * scale, equal_nan=True
    )


@pytest.mark.parametrize(
    "name",
    [
        *("jungfrau", "jungfrau-common-mode", "agipd", "agipd-channels", "agipd-stage"),
        *("agipd-xray", "lpd", "epix10ka", "epixhr", "epix10ka-common-mode"),
    ],
)
def test_every_stage_is_there(name: str) -> None:
    arrays, _ = BY_HAND[name]
    found = preset(name)
    stages = next(
        each.lengths["stage"] for each in found.symbols.values() if "stage" in each.lengths
    )
    if not found.results:
        assert set(np.unique(arrays["gain_stage"])) == set(range(stages))
        return
    symbols = {
        symbol: Symbol(each.dtype, each.axes, arrays[symbol].shape)
        for symbol, each in found.symbols.items()
    }
    checked = check(parse(found.formula), symbols, axes=found.axes, dtype=found.dtype, field="data")
    stage = nxformula.Kernel(checked, found.results[0])(arrays)
    least = 4 if name.startswith("jungfrau") else stages
    assert set(range(least)) <= set(np.unique(stage).astype(int))


@pytest.mark.parametrize("backend", ["numpy", "fast"])
def test_panels_events_and_channels(backend: str) -> None:
    random = np.random.default_rng(8)
    mpccd: Arrays = {
        "data": random.uniform(0, 4000, (2, 8, 256, 256)).astype("f4"),
        "dark": random.uniform(0, 100, (8, 256, 256)).astype("f4"),
        "absolute_gain": random.uniform(10, 20, 8).astype("f4"),
        "energy": np.array([7300, 12000], "f4"),
    }
    electrons = (mpccd["data"] - mpccd["dark"].astype("f8")) * mpccd["absolute_gain"][:, None, None]
    expected = electrons * 3.65 / mpccd["energy"][:, None, None, None]
    result = kernel_of(preset("mpccd"), mpccd, backend)(mpccd)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)

    # The inverse of the surrogate function a*x + b - c/(x - t) gives back the energy.
    a, b, c, t = (random.uniform(low, low + 1, 65536) for low in (1, 20, 50, 2))
    address = random.integers(0, 65536, 1_000_000).astype("u4")
    tot = random.integers(200, 1000, 1_000_000).astype("u2")
    events: Arrays = {"data": tot, "address": address}
    constants_of = {"slope": a, "intercept": b, "curvature": c, "shift": t}
    events |= {name: values.astype("f4") for name, values in constants_of.items()}
    x = kernel_of(preset("timepix3"), events, backend)(events).astype("f8")
    a, b, c, t = (events[name].astype("f8")[address] for name in constants_of)
    np.testing.assert_allclose(a * x + b - c / (x - t), tot, rtol=1e-5)

    walk = {name: random.uniform(1, 3, 65536) for name in ("walk", "walk_shift", "delay")}
    walk["walk_shift"] = -walk["walk_shift"]
    timed: Arrays = {"data": random.uniform(0, 1e6, tot.size), "tot": tot, "address": address}
    timed |= {name: events[name] for name in constants_of}
    timed |= {name: values.astype("f4") for name, values in walk.items()}
    arrival = kernel_of(preset("timepix3-time-walk"), timed, backend)(timed)
    a, b, c, t = (events[name].astype("f8")[address] for name in constants_of)
    # (a*x + b - tot) * (x - t) = c, by the formula of quadratic equations.
    p, q = (a * t - b + tot) / a, (t * (tot - b) - c) / a
    energy = (p + np.sqrt(p * p - 4 * q)) / 2
    np.testing.assert_allclose(a * energy + b - c / (energy - t), tot, rtol=1e-9)
    cw, tw, dw = (timed[name].astype("f8")[address] for name in walk)
    np.testing.assert_allclose(arrival, timed["data"] - cw / (energy - tw) - dw, rtol=1e-9)

    axis: Arrays = {
        "data": np.arange(1 << 20, dtype="i4"),
        "coefficients": np.array([1, 2e-3, 3e-9]),
    }
    result = kernel_of(preset("polynomial"), axis, backend)(axis)
    np.testing.assert_allclose(result, np.polynomial.Polynomial(axis["coefficients"])(axis["data"]))


@pytest.mark.parametrize("backend", ["numpy", "fast"])
def test_axes_of_channels(backend: str) -> None:
    ticks = np.arange(1 << 20, dtype="u4")
    arrays: Arrays = {"data": ticks, "frequency": np.array(2e6), "delay": np.array(1e-5)}
    tof = kernel_of(preset("tof"), arrays, backend)(arrays)
    np.testing.assert_allclose(tof, ticks / 2e6 + 1e-5, rtol=1e-14)
    arrays = {"data": tof - 1e-4, "path": np.array(12.5)}
    energy = kernel_of(preset("tof-energy"), arrays, backend)(arrays)
    # CODATA 2018: mass of the neutron in kg, elementary charge in C.
    speed = 12.5 / np.where(tof > 1e-4, tof - 1e-4, np.nan)
    expected = 0.5 * 1.67492749804e-27 * speed**2 / 1.602176634e-19 * 1e3
    np.testing.assert_allclose(energy, expected, rtol=1e-7)
    arrays = {
        "data": ticks.astype("i4"),
        "offset": np.array(-3.5),
        "scaling_factor": np.array(9.7),
    }
    energies = kernel_of(preset("energy-axis"), arrays, backend)(arrays)
    np.testing.assert_allclose(energies, (ticks - 3.5) * 9.7, rtol=1e-14)


@pytest.mark.parametrize("backend", ["numpy", "fast"])
def test_mpccd_in_tenths(backend: str) -> None:
    random = np.random.default_rng(9)
    arrays: Arrays = {
        "data": random.uniform(-20, 4000, (2, 8, 256, 256)).astype("f4"),
        "absolute_gain": random.uniform(10, 20, 8).astype("f4"),
        "energy": np.array([7300, 60], "f4"),
    }
    found = kernel_of(preset("mpccd-tenths"), arrays, backend)(arrays)
    electrons = arrays["data"] * arrays["absolute_gain"].astype("f8")[:, None, None]
    tenths = electrons * 3.65 / (0.1 * arrays["energy"].astype("f8")[:, None, None, None])
    expected = np.clip(np.rint(tenths), 0, 65535)
    # In float32 a number just at a half may fall on either side.
    assert found.dtype == np.uint16
    assert np.abs(found - expected).max() <= 1
    assert (found == expected).mean() > 0.999


@pytest.mark.parametrize("backend", ["numpy", "fast"])
def test_unbonded_pixels_of_cspad(backend: str) -> None:
    random = np.random.default_rng(10)
    shape = (8, 185, 388)
    arrays: Arrays = {
        "data": random.integers(800, 1200, (2, *shape)).astype("u2"),
        "pedestal": random.uniform(900, 1100, shape).astype("f4"),
        "low_gain": random.random(shape) < 0.5,
        "pixel_gain": random.uniform(0.9, 1.1, shape).astype("f4"),
        "mask": (random.random(shape) < 0.02).astype("u4"),
    }
    signal = arrays["data"] - arrays["pedestal"].astype("f8")
    places = range(10, 185, 10)
    unbonded = [(k, k + right) for k in places for right in (0, 194)]
    rows, columns = np.array(unbonded).T
    signal -= signal[..., rows, columns].mean(axis=-1)[..., None, None]
    signal *= np.where(arrays["low_gain"], 6.85, 1) * arrays["pixel_gain"]
    signal[:, arrays["mask"] != 0] = np.nan
    signal[..., rows, columns] = np.nan
    found = kernel_of(preset("cspad-common-mode"), arrays, backend)(arrays)
    assert found.size > 1_000_000
    np.testing.assert_allclose(found, signal, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    "name",
    ["common-mode-rows", "common-mode-columns", "common-mode-banks", "jungfrau-common-mode"],
)
def test_common_mode_has_the_bits_of_psana(name: str) -> None:
    # psana computes in float32, as these presets do.
    arrays, one = BY_HAND[name]
    if "gain" in arrays:
        arrays = {**arrays, "gain": np.ones_like(arrays["gain"])}
    found = kernel_of(preset(name), arrays)(arrays)
    np.testing.assert_array_equal(found, by_frame(one, arrays).astype("f4"))
    without = kernel_of(preset(name), arrays)({**arrays, "limit": np.float32(0)})
    assert (found != without)[~np.isnan(found)].mean() > 0.1, "something was subtracted"


# Use


def test_attach_by_preset(attached: Demonstration, capsys: pytest.CaptureFixture[str]) -> None:
    output = attached.folder / "by_preset.nxs"
    command = [
        *("attach", str(attached.master), "--field", attached.field, "--preset", "jungfrau"),
        *("--symbol", f"pedestal={attached.pedestal}:/pedestal"),
        *("--symbol", f"gain={attached.gain}:/gain", "--replace", "--output", str(output)),
    ]
    assert main(command) == 0
    with nxformula.open(attached.master) as before, nxformula.open(output) as after:
        np.testing.assert_array_equal(after[attached.field][...], before[attached.field][...])
        assert after[attached.field].units == "keV"
        assert after[attached.field].results == ("stage",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[:2], "'pedestal' has 2 along 'stage', and the preset jungfrau needs 3"),
        (lambda x: x.swapaxes(1, 2)[:, :-1], "dimension"),
    ],
)
def test_constants_that_do_not_fit(
    change: Callable[[Any], Any],
    message: str,
    attached: Demonstration,
    capsys: pytest.CaptureFixture[str],
) -> None:
    constants_file = attached.folder / "other.h5"
    with h5py.File(attached.pedestal) as one, h5py.File(attached.gain) as two:
        pedestal, gain = change(one["pedestal"][...]), change(two["gain"][...])
    with h5py.File(constants_file, "w") as file:
        file["pedestal"], file["gain"] = pedestal, gain
    output = attached.folder / "refused.nxs"
    command = [
        *("attach", str(attached.master), "--field", attached.field, "--preset", "jungfrau"),
        *("--symbol", f"pedestal={constants_file}:/pedestal"),
        *("--symbol", f"gain={constants_file}:/gain", "--replace", "--output", str(output)),
    ]
    assert main(command) == 1
    assert message in capsys.readouterr().err
    assert not output.exists()


def cells_master(folder: Path, cells: list[int], **constants: np.ndarray) -> Path:
    """A small AGIPD run with its constants, in one file."""
    path = folder / "agipd.nxs"
    shape = (4, 5)
    arrays: dict[str, np.ndarray] = {
        "data": np.full((len(cells), 2, *shape), 5000, "u2"),
        "cell_id": np.array(cells, "u2"),
        "low": np.full((3, *shape), 4000, "f4"),
        "high": np.full((3, *shape), 8000, "f4"),
        "offset": np.full((3, 3, *shape), 1000, "f4"),
        "relative_gain": np.ones((3, 3, *shape), "f4"),
        "bad": np.zeros((3, 3, *shape), "u4"),
    }
    with h5py.File(path, "w") as file:
        detector = file.create_group("entry/instrument/detector")
        detector.attrs["NX_class"] = "NXdetector"
        for name, values in {**arrays, **constants}.items():
            if values.size:
                detector[name] = values
    return path


FIELD = "/entry/instrument/detector/data"


def test_agipd_from_what_is_beside_the_field(tmp_path: Path) -> None:
    path, output = cells_master(tmp_path, [0, 2, 1]), tmp_path / "out.nxs"
    command = ["attach", str(path), "--field", FIELD, "--preset", "agipd-channels"]
    assert main([*command, "--output", str(output)]) == 0
    with nxformula.open(output) as file:
        assert file[FIELD].shape == (3, 4, 5)
        assert (file[FIELD][...] == 4000).all()
        assert (file[FIELD].result("stage")[...] == 1).all()


@pytest.mark.parametrize(
    ("cells", "constants", "message"),
    [
        (
            [0, 3],
            {},
            "'cell_id' (memory cell of each frame) goes from 0 to 3, and 'high' has 3 along "
            "'cell'; expected places from 0 to 2",
        ),
        (
            [0],
            {"high": np.empty(0)},
            "'high' is neither given as a symbol nor a dataset beside the field; the preset "
            "agipd-channels needs float32[cell, slow, fast]: above it stage 2",
        ),
        ([0], {"offset": np.ones((3, 2, 4, 5))}, "'offset' has 2 along 'stage', and the preset"),
        ([0], {"offset": np.ones((5, 4, 3, 3))}, "dimension"),
        ([0], {"bad": np.full((3, 3, 4, 5), b"x")}, "holds text; expected bool, integers"),
    ],
)
def test_constants_of_cells_that_do_not_fit(
    cells: list[int],
    constants: dict[str, np.ndarray],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = cells_master(tmp_path, cells, **constants)
    command = ["attach", str(path), "--field", FIELD, "--preset", "agipd-channels"]
    assert main([*command, "--output", str(tmp_path / "out.nxs")]) in (1, 2)
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("preset_name", "symbol", "message"),
    [
        ("jungfrau", "gain", "2 of 24576 values of 'gain' are 0, the first at stage 1, slow 5, "),
        ("jungfrau-photons", "energy=0{keV/photon}", "1 of 1 values of 'energy' is 0, and the"),
    ],
)
def test_divisors_that_are_zero(
    preset_name: str,
    symbol: str,
    message: str,
    attached: Demonstration,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with h5py.File(attached.gain, "r+") as file:
        if symbol == "gain":
            file["gain"][1, 5, 7] = file["gain"][2, 5, 7] = 0
    output = attached.folder / "refused.nxs"
    symbols = [f"pedestal={attached.pedestal}:/pedestal", f"gain={attached.gain}:/gain"]
    symbols += [symbol] if "=" in symbol else []
    command = ["attach", str(attached.master), "--field", attached.field, "--replace"]
    command += ["--preset", preset_name, "--output", str(output)]
    command += [part for text in symbols for part in ("--symbol", text)]
    assert main(command) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "'nxformula constants --invalid 0' makes them so" in said
    assert not output.exists()


def test_pictures_of_responses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    for name in (n for n in NAMES if preset(n).response):
        path = tmp_path / f"{name}.png"
        assert main(["preset", name, "--picture", str(path)]) == 0
        assert path.read_bytes().startswith(b"\x89PNG")
        for low, high in preset(name).response["ranges"]:
            raw, values = response(preset(name), low, high)
            assert raw[0] == low
            assert np.isfinite(values).all()
            steps = np.sign(np.diff(values))
            assert len(set(steps.tolist()) - {0}) == 1, "each range rises, or falls"
    assert main(["preset", "mpccd", "--picture", str(tmp_path / "x.png")]) == 2
    assert "preset mpccd has no picture" in capsys.readouterr().err
    assert main(["preset", "lpd", "--picture", str(tmp_path / "x.jpg")]) == 2
    assert "expected one in .png" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_uncertainty_of_constants_can_be_derived(name: str) -> None:
    found = preset(name)
    formula = parse(found.formula)
    # What Poisson's law or a constant gives; the formula must not hide it.
    wanted = [s for s in found.symbols if s in CONSTANTS_WITH_ERRORS]
    wanted += [x.name.removesuffix("_errors") for x in formula.lets if x.name.endswith("_errors")]
    if not wanted or "common-mode" in name:
        return
    derived = uncertainty(formula, wanted, nan_with_result=True)
    symbols = {
        symbol: Symbol(
            each.dtype, each.axes, tuple(each.lengths.get(a, 5) for a in each.axes), each.units
        )
        for symbol, each in found.symbols.items()
    }
    symbols |= {f"{s}_errors": symbols[s] for s in wanted if s in symbols}
    used = {symbol: symbols[symbol] for symbol in derived.names}
    checked = check(derived, used, axes=found.axes, dtype=found.dtype, field="data")
    check_units(checked, found.units)


CONSTANTS_WITH_ERRORS = {"pedestal", "gain", "offset", "relative_gain", "dark", "flat", "flatfield"}


@pytest.mark.parametrize("name", NAMES)
def test_pages_say_everything(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preset", name, "--latex"]) == 0
    page = capsys.readouterr().out
    found = preset(name)
    for part in (found.title, *found.notes, *found.references, *found.symbols):
        assert part in page
    assert found.formula.strip().splitlines()[-1] in page


def test_presets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(NAMES)
    assert main(["presets", "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == list(NAMES)


def test_names_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preset", "jungfrou"]) == 2
    assert "there is no preset 'jungfrou'; did you mean 'jungfrau'?" in capsys.readouterr().err
    with pytest.raises(ValueError, match="preset moench has no symbol 'dark'; it has data, "):
        preset("moench").sources(["dark=1.0"])
    with pytest.raises(ValueError, match="given twice"):
        preset("moench").sources(["gain=1.0", "gain=2.0"])
