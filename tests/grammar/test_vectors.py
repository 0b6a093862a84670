"""The vector files: valid, complete, made from the topics, and passed by this implementation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from topics.files import FOLDER, GRAMMAR, files
from topics.kit import words_of

from nxformula import errors
from nxformula.engine.strict_json import parse_json
from nxformula.engine.vectors import LANGUAGE, answer, judge, load, shipped
from nxformula.language import limits
from nxformula.language.functions import is_reserved
from nxformula.language.types import RESULT_DTYPES, SYMBOL_DTYPES
from nxformula.nexus import names

FILES = sorted(FOLDER.glob("*.json"))
SCHEMA = json.loads((GRAMMAR / "conformance" / "vector.schema.json").read_text(encoding="utf-8"))
DATA = json.loads((GRAMMAR / "functions.json").read_text(encoding="ascii"))


def vectors() -> list[dict[str, Any]]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]
    return [{"class": file["class"], **vector} for file in found for vector in file["vectors"]]


VECTORS = vectors()
RESULTS = [vector for vector in VECTORS if "result" in vector]
ERRORS = [vector for vector in VECTORS if "error" in vector]


@pytest.fixture(scope="module")
def generated() -> dict[Path, str]:
    pytest.importorskip("mpmath")
    return files()


def test_the_schema_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_follows_the_schema(path: Path) -> None:
    found = json.loads(path.read_text(encoding="utf-8"))
    assert list(Draft202012Validator(SCHEMA).iter_errors(found)) == []
    assert found["language"] == LANGUAGE
    assert all(vector["name"].startswith(f"{path.stem}/") for vector in found["vectors"])


def test_the_files_are_those_of_the_topics(generated: dict[Path, str]) -> None:
    assert set(generated) == set(FILES)
    for path, content in generated.items():
        assert path.read_text(encoding="utf-8") == content, "run tests/grammar/generate.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.usefixtures("backend")
def test_this_implementation_passes(path: Path) -> None:
    outcomes = [judge(vector, answer(vector)) for vector in load(path).vectors]
    assert [outcome for outcome in outcomes if outcome.status != "passed"] == []


def test_the_files_are_shipped() -> None:
    assert [path.name for path in shipped()] == [path.name for path in FILES]
    assert LANGUAGE == names.LANGUAGE == DATA["language"]


def test_there_are_enough_and_they_are_small() -> None:
    assert len(VECTORS) >= 700
    assert len(ERRORS) >= 150
    assert sum(path.stat().st_size for path in FILES) < 1_000_000


def test_names_are_unique_and_plain() -> None:
    found = [vector["name"] for vector in VECTORS]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[a-z0-9_]+/[A-Za-z0-9_.-]+", name) for name in found)


# Coverage


def formulas(found: list[dict[str, Any]]) -> list[str]:
    return [re.sub(r"#[^\n]*", "", vector["formula"]) for vector in found]


@pytest.mark.parametrize("entry", DATA["functions"], ids=lambda entry: entry["name"])
def test_every_function_is_covered(entry: dict[str, Any]) -> None:
    call = re.compile(rf"\b{entry['name']}\s*\(")
    assert sum(bool(call.search(text)) for text in formulas(RESULTS)) >= 2
    refused = [vector for vector in ERRORS if call.search(vector["formula"])]
    kinds = {vector["error"]["kind"] for vector in refused}
    assert "arity" in kinds
    assert kinds & {"type", "dimension", "syntax"}


def of_operator(symbol: str) -> re.Pattern[str]:
    if symbol == "-x":
        return re.compile(r"(^|[-+*/(,=&|^<>]) ?-")
    words = symbol.replace(" x", "")
    if words.isalpha():
        return re.compile(rf"\b{words}\b")
    return re.compile(rf"(?<![-+*/<>=!&|^]){re.escape(words)}(?![*/<>=&|^])")


@pytest.mark.parametrize("entry", DATA["operators"], ids=lambda entry: entry["symbol"])
def test_every_operator_is_covered(entry: dict[str, Any]) -> None:
    pattern = of_operator(entry["symbol"])
    assert sum(bool(pattern.search(text)) for text in formulas(RESULTS)) >= 3
    kinds = {v["error"]["kind"] for v in ERRORS if pattern.search(v["formula"])}
    assert {"syntax", "type"} <= kinds


@pytest.mark.parametrize("entry", DATA["constants"], ids=lambda entry: entry["name"])
def test_every_constant_is_covered(entry: dict[str, Any]) -> None:
    assert sum(entry["name"] in words_of(text) for text in formulas(RESULTS)) >= 2


@pytest.mark.parametrize("keyword", ["let", "else", "and", "or", "not"])
def test_every_keyword_is_covered(keyword: str) -> None:
    assert sum(keyword in words_of(text) for text in formulas(RESULTS)) >= 3
    assert any(keyword in words_of(text) for text in formulas(ERRORS))


@pytest.mark.parametrize(
    "kind", sorted({error.kind for error in errors.FormulaError.__subclasses__()})
)
def test_every_kind_of_error_is_covered(kind: str) -> None:
    assert sum(vector["error"]["kind"] == kind for vector in ERRORS) >= 4
    assert kind in SCHEMA["$defs"]["error"]["properties"]["kind"]["enum"]


def has_no_place(vector: dict[str, Any]) -> bool:
    """Whether what is wrong is not in the text: section 11.2, number 4, and lengths of 7.2."""
    axes, kind = vector["axes"], vector["error"]["kind"]
    return (
        (kind == "version" and "language" in vector)
        or (kind == "syntax" and any(map(is_reserved, vector["symbols"])))
        or (kind == "type" and vector["dtype"] not in RESULT_DTYPES)
        or (kind == "dimension" and (len(set(axes)) < len(axes) or "." in axes))
        or (kind == "dimension" and any(None in s.get("shape", ()) for s in symbols_of(vector)))
    )


def symbols_of(vector: dict[str, Any]) -> list[dict[str, Any]]:
    return list(vector["symbols"].values())


def test_errors_have_a_place_unless_they_are_not_in_the_text() -> None:
    for vector in ERRORS:
        error = vector["error"]
        if "line" not in error:
            assert has_no_place(vector), vector["name"]
            continue
        lines = vector["formula"].split("\n")
        assert error["line"] <= len(lines), vector["name"]
        assert error["column"] <= len(lines[error["line"] - 1]) + 1, vector["name"]


@pytest.mark.parametrize("dtype", SYMBOL_DTYPES)
def test_every_dtype_of_symbols_is_covered(dtype: str) -> None:
    used = [v for v in RESULTS if any(s["dtype"] == dtype for s in v["symbols"].values())]
    assert len(used) >= 3


@pytest.mark.parametrize("dtype", RESULT_DTYPES)
def test_every_dtype_of_results_is_covered(dtype: str) -> None:
    assert sum(vector["dtype"] == dtype for vector in RESULTS) >= 3
    assert any(v["dtype"] == dtype and v["error"]["kind"] == "type" for v in ERRORS)


def test_every_conformance_class_has_vectors() -> None:
    assert {vector["class"] for vector in VECTORS} == set(SCHEMA["properties"]["class"]["enum"])


def test_the_classes_are_kept_apart() -> None:
    for vector in VECTORS:
        text, of = vector["formula"], vector["class"]
        either = vector["name"].startswith(("errors_syn", "units_grouped"))
        assert of == "grouped" or "group_" not in text or either
        assert of == "units" or not any("units" in s for s in vector["symbols"].values())
        wide = any(s["dtype"] == "uint64" for s in vector["symbols"].values())
        assert of == "uint64" or not wide, vector["name"]


LIMITS = {
    "TEXT": lambda v: len(v["formula"]),
    "LITERAL": lambda v: max(map(len, re.findall(r"[0-9.][0-9A-Za-z.]*", v["formula"])), default=0),
    "LETS": lambda v: len(re.findall(r"\blet\b", v["formula"])),
    "SYMBOLS": lambda v: len(words_of(v["formula"]) & set(v["symbols"])),
    "RANK": lambda v: max((len(s["axes"]) for s in v["symbols"].values()), default=0),
    "COEFFICIENTS": lambda v: len(v["symbols"]["c"]["values"]) if "poly" in v["formula"] else 0,
    "NESTING": lambda v: nesting(v["formula"].partition("#")[0]),
    "NODES": lambda v: len(re.findall(r"\w+|[-+*/]", v["formula"].partition("#")[0])),
}


def nesting(text: str) -> int:
    depth, deepest = 0, 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        deepest = max(deepest, depth)
    return deepest


@pytest.mark.parametrize("limit", LIMITS)
def test_every_limit_is_covered(limit: str) -> None:
    value, measure = getattr(limits, limit), LIMITS[limit]
    of_limits = [v for v in VECTORS if v["name"].startswith("limits")]
    assert any(measure(v) == value for v in of_limits if "result" in v)
    refused = [v for v in of_limits if "error" in v and v["error"]["kind"] == "limit"]
    assert any(measure(v) > value for v in refused)


# The runner tells right from wrong


def wrong(value: Any, dtype: str) -> Any:
    """Another value of the dtype, as near as there is."""
    if isinstance(value, list):
        return [wrong(value[0], dtype), *value[1:]]
    if dtype == "bool":
        return not value
    if not dtype.startswith("float"):
        return str(int(value) + (-1 if int(value) > 0 else 1))
    if value in ("nan", "inf", "-inf"):
        return 0.0
    kind = np.dtype(dtype).type
    with np.errstate(over="ignore"):
        return -value if value == 0 else float(str(np.nextafter(kind(value), kind(np.inf))))


def size(value: Any) -> int:
    return size(value[0]) if isinstance(value, list) and value else not isinstance(value, list)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_wrong_answer_fails(path: Path) -> None:
    for vector in load(path).vectors:
        if "error" in vector:
            error = vector["error"]
            answers: list[dict[str, Any]] = [
                {"error": {**error, "kind": "none"}},
                {"error": {**error, "line": 99, "column": 1}},
                {"error": "syntax"},
                {"values": 1},
                {"accepted": True},
            ]
            if "line" in error:
                answers.append({"error": {**error, "column": error["column"] + 1}})
        else:
            result, dtype = vector["result"], vector["dtype"]
            answers = [{"error": {"kind": "type", "line": 1, "column": 1}}, {}, {"values": "x"}]
            answers += [{"values": [result["values"]]}, {"values": None}, {"values": {}}]
            if size(result["values"]) and "ulp" not in result:
                answers.append({"values": wrong(result["values"], dtype)})
        for given in answers:
            assert judge(vector, {"name": vector["name"], **given}).status == "failed", given


def test_units_in_the_last_place() -> None:
    one = np.float32(1)
    values = [one]
    for _ in range(20):
        values.append(np.nextafter(values[-1], np.float32(2)))
    vector = {"name": "n", "dtype": "float32", "axes": [], "result": {"values": 1.0, "ulp": 4}}
    for n, value in enumerate(values):
        status = "passed" if n <= 4 else "failed"
        assert judge(vector, {"values": float(value)}).status == status
    zero = {**vector, "result": {"values": 0.0, "ulp": 4}}
    for value, status in ((-0.0, "passed"), (-1.4e-45, "passed"), (1e-44, "failed")):
        assert judge(zero, {"values": value}).status == status
    largest = {**vector, "result": {"values": "inf", "ulp": 4}}
    assert judge(largest, {"values": 3.4028235e38}).status == "passed"
    assert judge(largest, {"values": "nan"}).status == "failed"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"units": "count/keV"}, ""),
        ({"units": "ADU keV-1"}, ""),
        ({"units": "count/eV"}, "expected the units count/keV, found count/eV"),
        ({"units": "count"}, "expected the units count/keV, found count"),
        ({"units": "flurb"}, "expected the units count/keV, cannot read the unit 'flurb'"),
        ({"units": ""}, "expected the units count/keV, found 1"),
        ({"units": None}, "expected the units count/keV, found none"),
        ({"units": 3}, "expected the units count/keV, found 3"),
        ({}, "expected the units count/keV, found none"),
    ],
)
def test_units_of_an_answer(given: dict[str, Any], reason: str) -> None:
    vector = {"name": "n", "dtype": "int8", "axes": []}
    vector["result"] = {"values": 1, "units": "count/keV"}
    outcome = judge(vector, {"values": 1, **given})
    assert outcome.status == ("failed" if reason else "passed")
    assert outcome.reason.startswith(reason)
    assert judge(vector | {"result": {"values": 1}}, {"values": 1, **given}).status == "passed"


def test_skipped_and_accepted() -> None:
    vector = {"name": "n", "dtype": "int8", "axes": [], "result": {"values": 1}}
    assert judge(vector, {"skipped": "why not"}).reason == "why not"
    assert judge(vector, {"accepted": True}).status == "skipped"


def write(path: Path, **changes: Any) -> Path:
    vector = {
        "name": "n",
        "formula": "a",
        "symbols": {"a": {"dtype": "int8", "axes": ["i"], "values": [1, 2]}},
        "axes": ["i"],
        "dtype": "int8",
        "result": {"values": [1, 2]},
    }
    vector |= changes
    more = {"language": LANGUAGE, "class": "core", "about": "a test"}
    path.write_text(json.dumps({**more, "vectors": [vector]}))
    return path


def test_a_good_file(tmp_path: Path) -> None:
    (vector,) = load(write(tmp_path / "good.json")).vectors
    assert judge(vector, answer(vector)).status == "passed"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"formula": 3}, "not a vector file"),
        ({"more": 3}, "not a vector file"),
        ({"error": {"kind": "type"}}, "not a vector file"),
        ({"dtype": "str"}, "not a vector file"),
        ({"symbols": {"a": {"dtype": "int8", "axes": ["i"]}}}, "has no values"),
        ({"symbols": {"a": {"dtype": "int8", "axes": ["i"], "values": [300]}}}, "symbol 'a'"),
        ({"symbols": {"a": {"dtype": "int8", "axes": ["i"], "values": 3}}}, "nested"),
        ({"symbols": {"a": {"dtype": "int8", "axes": ["i", "j"], "values": [[1], []]}}}, "nested"),
        (
            {"symbols": {"a": {"dtype": "int8", "axes": ["i"], "shape": [3], "values": [1, 2]}}},
            "shape",
        ),
        ({"symbols": {"a": {"dtype": "int8", "axes": ["i"], "values": ["nan", 1]}}}, "symbol 'a'"),
        ({"symbols": {"a": {"dtype": "int8", "axes": ["i"], "values": ["NaN", 1]}}}, "not valid"),
        (
            {"symbols": {"a": {"dtype": "int8", "axes": ["i"], "values": ["9" * 5000]}}},
            "symbol 'a'",
        ),
        ({"symbols": {"\x1b[2J": {"dtype": "int8"}}}, r"\['\?\[2J'\]"),
        ({"result": {"values": [[1]]}}, "the result"),
        ({"result": {"values": ["inf"]}}, "the result"),
    ],
)
def test_a_bad_file(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(errors.FileError, match=message):
        load(write(tmp_path / "bad.json", **changes))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\x00", "not JSON"),
        (b"\xff", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON: Unexpected UTF-8 BOM"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 5000, "not JSON"),
        (b'{"a": NaN}', "NaN is no value of JSON"),
        (b'{"a": -Infinity}', "-Infinity is no value of JSON"),
        (b"[]", "not a vector file"),
        (b'{"vectors": []}', "not a vector file"),
        (b'"' + b"x" * (16 << 20) + b'"', "more than 16 MiB"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_vector_file(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(errors.FileError, match=message):
        load(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(errors.FileError, match="No such file"):
        load(tmp_path / "missing.json")


@pytest.mark.parametrize("depth", [50, 300, 900])
def test_values_nested_too_deep(depth: int, tmp_path: Path) -> None:
    path = write(tmp_path / "deep.json", result={"values": "VALUES"})
    path.write_text(path.read_text().replace('"VALUES"', "[" * depth + "1" + "]" * depth))
    with pytest.raises(errors.FileError):
        load(path)


@pytest.mark.parametrize("outcome", ["result", "error"])
def test_a_small_file_with_a_huge_result(outcome: str, tmp_path: Path) -> None:
    axes = ["i", "j", "k", "l"]
    path = write(
        tmp_path / "huge.json",
        formula="i + j + k + l",
        axes=axes,
        symbols={axis: {"dtype": "int8", "axes": [axis], "values": [1] * 2000} for axis in axes},
        result={"values": [[[[4]]]]},
    )
    found = json.loads(path.read_text())
    if outcome == "error":
        del found["vectors"][0]["result"]
        found["vectors"][0]["error"] = {"kind": "type"}
    path.write_text(json.dumps(found))
    with pytest.raises(errors.FileError, match="16000000000000 elements"):
        load(path)


@pytest.mark.parametrize("shape", [None, [None], [10**12]])
def test_a_formula_that_is_not_refused_and_has_no_values(shape: list[int | None] | None) -> None:
    declared = {"dtype": "int8", "axes": ["i"], "shape": shape}
    vector = {"name": "n", "formula": "a", "symbols": {"a": declared}, "axes": ["i"]}
    vector |= {"dtype": "int8", "error": {"kind": "type"}}
    found = answer(vector)
    assert found == {"name": "n", "accepted": True}
    assert judge(vector, found).reason.endswith("the formula was accepted")


def test_the_sign_of_zero_without_a_point() -> None:
    vector = {
        "name": "n",
        "dtype": "float32",
        "axes": ["i"],
        "result": {"values": [-0.0, 0.0, 2.0]},
    }
    assert judge(vector, parse_json(b'{"values": [-0, 0, 2]}')).status == "passed"
    assert judge(vector, parse_json(b'{"values": [0, -0, 2]}')).status == "failed"
    whole = {**vector, "dtype": "int8", "result": {"values": [0, 0, 2]}}
    assert judge(whole, parse_json(b'{"values": [0, 0, 2]}')).status == "passed"


def test_two_vectors_of_one_name(tmp_path: Path) -> None:
    path = write(tmp_path / "twice.json")
    found = json.loads(path.read_text())
    found["vectors"] *= 2
    path.write_text(json.dumps(found))
    with pytest.raises(errors.FileError, match="two vectors named 'n'"):
        load(path)
