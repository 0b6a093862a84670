"""Check the description of a formula group against its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from nxformula._resources import resource

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator


def check_group(description: Mapping[str, Any]) -> list[str]:
    """Compare a formula group with `schemas/formula/formula-1.json`.

    Parameters
    ----------
    description : mapping
        From `nxformula.nexus.group.describe`.

    Returns
    -------
    list of str
        One line for each fault: where, and what; empty if there is none.

    Examples
    --------
    >>> check_group({"name": "data_formula"})[0]
    "data_formula: 'nx_class' is a required property"
    """
    name = description.get("name", "the group")
    errors = sorted(_schema().iter_errors(description), key=lambda error: error.json_path)
    return [f"{'/'.join([name, *map(str, e.absolute_path)])}: {e.message}" for e in errors]


@cache
def _schema() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    text = resource("schemas", "formula", "formula-1.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))
