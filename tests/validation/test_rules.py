"""The catalogue: every rule passes and fails its examples, without any file."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from nxformula._resources import resource
from nxformula.cli import main
from nxformula.nexus.metadata.json_tree import from_json, to_json
from nxformula.validation import checks as _checks  # noqa: F401 - registers the checks
from nxformula.validation.catalogue import Rule, rules
from nxformula.validation.scope import CHECKS, FILE_CHECKS
from nxformula.validation.validate import validate_tree

RULES = list(rules().values())
FAMILIES = sorted(
    Path(str(resource("schemas", "rules"))).glob("NXMX-*.json"), key=lambda path: path.name
)
BASES = {
    name: json.loads(resource("schemas", "rules", "examples", f"{name}.json").read_text())
    for name in ("scan", "stills")
}
#: Told where a file cannot be read, which no tree can show.
WITHOUT_EXAMPLE = {"NXMX-IO-001"}


def parent_of(document: Any, path: str) -> tuple[Any, str]:
    *way, name = path.strip("/").split("/")
    for step in way:
        document = document["members"][step]
        # An object that is shown twice is edited where it is.
        if "same_as" in document:
            raise AssertionError(f"{path} is in an object that is shown twice")
    return document["members"], name


def edited(base: str, edits: list[Any]) -> Any:
    document = copy.deepcopy(BASES[base])
    for edit in edits:
        members, name = parent_of(document, edit["at"])
        if edit.get("remove"):
            del members[name]
        elif "node" in edit:
            members[name] = edit["node"]
        elif "attribute" in edit:
            attributes = members[name].setdefault("attributes", {})
            attributes.pop(edit["attribute"], None)
            if "value" in edit:
                attributes[edit["attribute"]] = edit["value"]
        else:
            value = edit["value"]
            shape = [] if isinstance(value, str) else list(np.shape(value))
            members[name] |= {"value": value, "shape": edit.get("shape", shape)}
            members[name].pop("statistics", None)
    return document


def found(example: Any) -> list[Any]:
    return list(validate_tree(from_json(edited(example["base"], example["edits"]))))


@pytest.mark.parametrize("name", BASES)
def test_bases_have_no_findings(name: str) -> None:
    assert validate_tree(from_json(BASES[name])) == ()


@pytest.mark.parametrize("name", BASES)
def test_trees_read_back(name: str) -> None:
    assert to_json(from_json(BASES[name])) == BASES[name]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_passing_examples(rule: Rule) -> None:
    for example in rule.examples["passing"]:
        assert [finding for finding in found(example) if finding.rule == rule.id] == []


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.id not in WITHOUT_EXAMPLE], ids=lambda rule: rule.id
)
def test_failing_examples(rule: Rule) -> None:
    assert rule.examples["failing"]
    for example in rule.examples["failing"]:
        told = [(finding.rule, finding.path) for finding in found(example)]
        assert (rule.id, example["path"]) in told


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.id not in WITHOUT_EXAMPLE], ids=lambda rule: rule.id
)
def test_a_failing_example_is_one_finding(rule: Rule) -> None:
    for example in rule.examples["failing"]:
        assert len(found(example)) == 1, found(example)


@pytest.mark.parametrize("path", FAMILIES, ids=lambda path: path.stem)
def test_families_follow_the_schema(path: Path) -> None:
    text = resource("schemas", "rules", "rules-1.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert all(rule["id"].startswith(path.stem) for rule in document["rules"])


def test_every_function_has_a_rule_that_says_so() -> None:
    named = {rule.id for rule in RULES if rule.check.get("function")}
    assert named - {"NXMX-IO-001"} == set(CHECKS) | set(FILE_CHECKS)


def test_the_catalogue_is_there() -> None:
    counts: dict[str, int] = {}
    for rule in RULES:
        family = rule.id.split("-")[1]
        counts[family] = counts.get(family, 0) + 1
    least = {"CHN": 14, "MOD": 10, "DET": 12, "BEA": 8, "DAT": 6, "LNK": 4, "FRM": 10, "EVT": 3}
    assert all(counts[family] >= number for family, number in least.items())
    assert len(RULES) >= 90


def test_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == len(RULES)
    assert main(["rules", "NXMX-CHN", "--json"]) == 0
    assert all(r["id"].startswith("NXMX-CHN") for r in json.loads(capsys.readouterr().out))
    assert main(["rules", "NXMX-XYZ"]) == 2
    assert "no rule begins with 'NXMX-XYZ'" in capsys.readouterr().err


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_pages_say_everything(rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", rule.id.lower()]) == 0
    page = capsys.readouterr().out
    for part in (rule.id, rule.title, rule.what, rule.why, rule.fix, rule.reference, "Passes: "):
        assert part in page
    for check in rule.check.get("formulas", ()):
        assert check["formula"] in page


def test_a_rule_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "NXMX-CHN-02"]) == 2
    assert "did you mean NXMX-CHN-0" in capsys.readouterr().err
