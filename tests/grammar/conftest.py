"""Make the package `topics` importable: pytest in importlib mode does not put this folder on the
path."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def _import_package(name: str) -> None:
    spec = importlib.util.spec_from_file_location(
        name, Path(__file__).parent / name / "__init__.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


_import_package("topics")
