"""Whatever a tree holds, the rules say something about it, and nothing breaks."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nxformula._resources import resource
from nxformula.nexus.metadata.json_tree import from_json
from nxformula.validation.findings import SEVERITIES
from nxformula.validation.validate import validate_tree

BASES = [
    json.loads(resource("schemas", "rules", "examples", f"{name}.json").read_text())
    for name in ("scan", "stills")
]

WEIRD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats().map(lambda x: {"number": "NaN"} if x != x else x),
    st.text(max_size=8),
    st.sampled_from(
        [".", "", "/", "..", "/entry", "omega", "NXdetector", "mm", "deg", "NXmx", "\0", "m m m"]
    ),
    st.lists(st.one_of(st.integers(-3, 3), st.text(max_size=2), st.none()), max_size=5),
    st.just([[1, 2], [3, 4]]),
)
FIELDS = st.sampled_from(
    [
        {"kind": "field", "dtype": "float64", "shape": [], "value": "NaN"},
        {"kind": "field", "dtype": "float64", "shape": [3], "value": [1.0, "Infinity", 0.0]},
        {"kind": "field", "dtype": "float64", "shape": [0], "value": []},
        {"kind": "field", "dtype": "int8", "shape": [2, 2], "value": [[-1, 2], [3, 4]]},
        {"kind": "field", "dtype": "bool", "shape": [], "value": True},
        {"kind": "field", "dtype": "uint64", "shape": [], "value": 2**64 - 1},
        {"kind": "field", "dtype": "complex128", "shape": []},
        {"kind": "field", "dtype": "float32", "shape": None},
        {"kind": "field", "dtype": "string", "shape": [], "value": "\ud7ff\0 x"},
        {"kind": "field", "dtype": "string", "shape": [2], "value": ["a", "b"]},
        {"kind": "field", "dtype": "compound", "shape": [4]},
        {"kind": "field", "dtype": "uint16", "shape": [5, 5, 5, 5, 5]},
        {"kind": "field", "dtype": "uint16", "shape": [0, 7, 7]},
        {"kind": "group"},
        {"kind": "group", "attributes": {"NX_class": "NXdetector"}},
        {"kind": "group", "attributes": {"formula_language": "nxformula-1", "formula": "data + 1"}},
        {"kind": "group", "attributes": {"events_language": 3}},
        {"kind": "broken", "reason": "missing file", "problem": "gone", "cause": "gone.h5"},
        {"kind": "broken", "reason": "cycle", "link": {"kind": "soft", "target": "."}},
    ]
)


def groups_of(document: Any) -> list[Any]:
    found, pending = [], [document]
    while pending:
        here = pending.pop()
        if here["kind"] == "group" and here.get("members"):
            found.append(here)
            pending += here["members"].values()
    return found


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_tree_gives_findings(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(BASES)))
    for _ in range(data.draw(st.integers(1, 6))):
        group = data.draw(st.sampled_from(groups_of(document)))
        name = data.draw(st.sampled_from(sorted(group["members"])))
        node = group["members"][name]
        change = data.draw(st.sampled_from(["node", "attribute", "value", "move"]))
        if change == "node":
            group["members"][name] = copy.deepcopy(data.draw(FIELDS))
        elif change == "attribute" and "same_as" not in node:
            attributes = node.setdefault("attributes", {})
            known = [*attributes, "depends_on", "units", "NX_class", "vector", "variant"]
            attributes[data.draw(st.sampled_from(known))] = data.draw(WEIRD)
        elif change == "value" and node["kind"] == "field" and node.get("dtype") == "string":
            node["value"] = data.draw(st.text(max_size=12))
        elif change == "move":
            other = data.draw(st.sampled_from(groups_of(document)))
            other["members"][data.draw(st.sampled_from(["data", "beam", "x", "omega"]))] = (
                copy.deepcopy(node)
            )
    try:
        root = from_json(document)
    except ValueError:
        return
    for finding in validate_tree(root):
        assert finding.severity in SEVERITIES
        assert finding.path.startswith("/")
        assert finding.message
        assert finding.fix
        json.dumps(finding.to_json())


def test_defaults_in_a_circle() -> None:
    document = copy.deepcopy(BASES[0])
    document["members"]["entry"]["attributes"]["default"] = "/"
    assert validate_tree(from_json(document)) == ()


def test_event_ids_that_are_one_number() -> None:
    document = copy.deepcopy(BASES[1])
    detector = document["members"]["entry"]["members"]["instrument"]["members"]["detector"]
    ids = detector["members"]["event_index"]["members"]["event_id"]
    ids |= {"shape": [], "value": 1000}
    assert [finding.rule for finding in validate_tree(from_json(document))] == ["NXMX-EVT-002"]


def test_indices_that_are_no_number() -> None:
    document = copy.deepcopy(BASES[0])
    attributes = document["members"]["entry"]["members"]["data"]["attributes"]
    for value in ("NaN", "Infinity"):
        attributes["omega_indices"] = [{"number": value}]
        assert validate_tree(from_json(document)) == ()


def test_what_writers_do_is_no_fault() -> None:
    document = copy.deepcopy(BASES[0])
    detector = document["members"]["entry"]["members"]["instrument"]["members"]["detector"]
    # Texts as lists of one text, names with a number, groups of their own.
    phi = document["members"]["entry"]["members"]["sample"]["members"]["transformations"]
    for node in (*phi["members"].values(), detector["members"]["distance"]):
        for name, value in node.get("attributes", {}).items():
            if isinstance(value, str):
                node["attributes"][name] = [value]
    energy = {"kind": "field", "dtype": "float64", "shape": [], "value": 6000.0}
    detector["members"]["threshold_2_energy"] = energy
    detector["members"]["vendor"] = {"kind": "group", "members": {"distanse": energy}}
    document["members"]["entry"]["members"]["dials"] = {"kind": "group"}
    definition = document["members"]["entry"]["members"]["definition"]
    definition |= {"shape": [1], "value": ["NXmx"]}
    assert validate_tree(from_json(document)) == ()


def test_a_source_that_is_a_broken_link_is_told_once() -> None:
    document = copy.deepcopy(BASES[0])
    data = document["members"]["entry"]["members"]["data"]["members"]
    target = {"kind": "external", "file": "scan_000001.h5", "target": "/not/there"}
    data["data_000001"] = {"kind": "broken", "reason": "missing", "link": target}
    source = {"file": ".", "path": "/entry/data/data_000001", "problem": "no", "kind": "missing"}
    data["data"] |= {"sources": [source]}
    told = [(finding.rule, finding.path) for finding in validate_tree(from_json(document))]
    assert told == [("NXMX-LNK-001", "/entry/data/data_000001")]


def test_axes_are_those_of_data_without_a_signal() -> None:
    document = copy.deepcopy(BASES[0])
    attributes = document["members"]["entry"]["members"]["data"]["attributes"]
    del attributes["signal"]
    attributes["axes"] = ["kappa", ".", "."]
    assert [finding.rule for finding in validate_tree(from_json(document))] == ["NXMX-DAT-002"]
