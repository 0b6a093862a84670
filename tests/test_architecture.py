"""The house: imports go down only, optional packages load late, modules stay small."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nxformula"
MODULES = sorted(PACKAGE.rglob("*.py"))

#: From the ground up; what stands on one floor does not import each other.
FLOORS = (
    {"errors", "_cache", "_resources", "_version"},
    {"language"},
    {"engine"},
    {"nexus"},
    {"validation", "masters"},
    {"interop"},
    {"cli"},
)
FLOOR = {part: number for number, parts in enumerate(FLOORS) for part in parts}
TOP = {"__init__", "__main__"}

OPTIONAL = {"matplotlib", "sympy", "pint", "dask", "distributed", "xarray", "llvmlite"}
LAZY = OPTIONAL - {"xarray"} | {"jsonschema", "rich"}


def name_of(path: Path, package: Path = PACKAGE) -> tuple[str, ...]:
    """The dotted name of a module, in parts, from the package's name on."""
    parts = path.relative_to(package).with_suffix("").parts
    return (package.name, *(parts[:-1] if parts[-1] == "__init__" else parts))


def imported(
    tree: ast.AST, module: tuple[str, ...], is_package: bool
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line and full name of everything that a module imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base: tuple[str, ...] = tuple(node.module.split(".")) if node.module else ()
            if node.level:
                here = module if is_package else module[:-1]
                base = (*here[: len(here) - node.level + 1], *base)
            for alias in node.names:
                yield node.lineno, (*base, alias.name)


def upward(source: str, module: tuple[str, ...], is_package: bool) -> list[str]:
    """The imports of a module that do not go down."""
    own = module[1] if len(module) > 1 else "__init__"
    if own in TOP:
        return []
    found = []
    for line, target in imported(ast.parse(source), module, is_package):
        if target[0] != module[0]:
            continue
        part = target[1] if len(target) > 1 else "__init__"
        if part != own and FLOOR.get(part, len(FLOORS)) >= FLOOR[own]:
            found.append(f"line {line}: {'.'.join(target)}")
    return found


def at_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending += node.orelse
            continue
        if isinstance(node, ast.stmt):
            yield node
        pending += ast.iter_child_nodes(node)


def eager(source: str) -> set[str]:
    """Top-level packages that load when a module of this source is imported."""
    found: set[str] = set()
    for node in at_import(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def ids(path: Path) -> str:
    return ".".join(name_of(path))


def test_the_package_is_found() -> None:
    assert PACKAGE / "language" / "parser.py" in MODULES


def test_every_part_of_the_package_has_a_floor() -> None:
    parts = {name_of(path)[1] for path in MODULES if len(name_of(path)) > 1}
    assert parts <= set(FLOOR) | TOP


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_imports_go_down(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert upward(source, name_of(path), path.name == "__init__.py") == []


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_optional_packages_load_late(path: Path) -> None:
    if name_of(path)[1:2] != ("interop",):
        assert eager(path.read_text(encoding="utf-8")) & OPTIONAL == set()


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_modules_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def statement_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
    before = node.body[0].lineno - node.lineno
    return before + (node.end_lineno or node.lineno) - first.lineno + 1


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_functions_are_short(path: Path) -> None:
    long = [
        f"{node.name}: {length} lines"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := statement_lines(node)) > 50
    ]
    assert long == []


def test_import_is_light() -> None:
    code = "import json, sys, nxformula; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent,
    )
    loaded = {name.split(".")[0] for name in json.loads(run.stdout)}
    assert "nxformula" in loaded
    assert loaded & LAZY == set()


# The checks themselves


@pytest.mark.parametrize(
    ("source", "module", "refused"),
    [
        ("from nxformula.engine import plan", "language.parser", 1),
        ("import nxformula.engine.plan", "language.parser", 1),
        ("import nxformula", "language.parser", 1),
        ("from nxformula import parse", "language.parser", 1),
        ("from nxformula import engine", "language.parser", 1),
        ("from .. import engine", "language.parser", 1),
        ("from ..engine import plan", "language.parser", 1),
        ("def f():\n    from nxformula.cli import main", "nexus.file", 1),
        ("if TYPE_CHECKING:\n    from nxformula.nexus import names", "engine.plan", 1),
        ("from nxformula.masters import make", "validation.rules", 1),
        ("from nxformula.language import tree", "errors", 1),
        ("from nxformula.unheard import tree", "cli.main", 1),
        ("import os, nxformula.interop, nxformula.cli.show", "nexus.file", 2),
        ("from nxformula.errors import FormulaError", "language.parser", 0),
        ("from nxformula.language import tree", "language.parser", 0),
        ("from . import tree", "language.parser", 0),
        ("from ..errors import FormulaError", "language.parser", 0),
        ("from nxformula.language import tree", "cli.main", 0),
        ("import numpy.typing, lark", "language.parser", 0),
    ],
)
def test_upward_imports_are_seen(source: str, module: str, refused: int) -> None:
    assert len(upward(source, ("nxformula", *module.split(".")), False)) == refused


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import sympy", {"sympy"}),
        ("import sympy.core as s", {"sympy"}),
        ("from dask.array import Array", {"dask"}),
        ("try:\n    import pint\nexcept ImportError:\n    pint = None", {"pint"}),
        ("class A:\n    import xarray", {"xarray"}),
        ("if sys.argv:\n    import llvmlite", {"llvmlite"}),
        ("def f():\n    import sympy", set()),
        ("class A:\n    def f(self):\n        import sympy", set()),
        ("if TYPE_CHECKING:\n    import sympy", set()),
        ("if typing.TYPE_CHECKING:\n    import sympy", set()),
        ("from .sympy import f", set()),
    ],
)
def test_eager_imports_are_seen(source: str, expected: set[str]) -> None:
    assert eager(source) == expected
