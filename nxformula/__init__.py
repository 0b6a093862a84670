"""Raw detector data stay raw: the calibration is a formula in the NeXus file.

`open` reads a file and evaluates the formulas in it, `attach` writes a formula into a master,
`calibrate` writes calibrated values into a new file, `validate` says what is wrong with a file.
`parse`, `compile` and `evaluate` are the formula language on its own, without files.
"""

from typing import TYPE_CHECKING, Any

from nxformula._version import __version__
from nxformula.engine.kernel import Kernel, compile, evaluate  # noqa: A004 - as in re and regex
from nxformula.errors import (
    ArityError,
    CorruptFileError,
    DimensionError,
    FileError,
    ForbiddenPathError,
    FormulaError,
    FormulaSyntaxError,
    FormulaTypeError,
    LimitError,
    MissingSourceError,
    NoFormulaError,
    NXFormulaError,
    UnitError,
    UnknownNameError,
    VersionError,
)
from nxformula.language.parser import parse
from nxformula.language.symbols import Symbol
from nxformula.nexus.attach import Attached, attach
from nxformula.nexus.calibrate import calibrate
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.presets import Preset, preset
from nxformula.nexus.reader import File, open  # noqa: A004 - as h5netcdf and tifffile name theirs
from nxformula.nexus.sources import SymbolSource
from nxformula.validation.findings import Finding, Report

if TYPE_CHECKING:
    from nxformula.validation.validate import validate

__all__ = [
    "ArityError",
    "Attached",
    "CalibratedDataset",
    "CorruptFileError",
    "DimensionError",
    "File",
    "FileError",
    "Finding",
    "ForbiddenPathError",
    "FormulaError",
    "FormulaSyntaxError",
    "FormulaTypeError",
    "Kernel",
    "LimitError",
    "MissingSourceError",
    "NXFormulaError",
    "NoFormulaError",
    "Preset",
    "Report",
    "Symbol",
    "SymbolSource",
    "UnitError",
    "UnknownNameError",
    "VersionError",
    "__version__",
    "attach",
    "calibrate",
    "compile",
    "evaluate",
    "open",
    "parse",
    "preset",
    "validate",
]


def __getattr__(name: str) -> Any:
    # The rules would take a third of the time of an import, and few programs need them.
    if name == "validate":
        from nxformula.validation.validate import validate

        return validate
    raise AttributeError(f"module 'nxformula' has no attribute {name!r}")
