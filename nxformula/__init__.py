"""Raw detector data stay raw: the calibration is a formula in the NeXus file.

`open` reads a file and evaluates the formulas in it, `attach` writes a formula into a master,
`calibrate` writes calibrated values into a new file. `parse`, `compile` and `evaluate` are the
formula language on its own, without files.
"""

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
from nxformula.nexus.reader import File, open  # noqa: A004 - as h5netcdf and tifffile name theirs
from nxformula.nexus.sources import SymbolSource

__all__ = [
    "ArityError",
    "Attached",
    "CalibratedDataset",
    "CorruptFileError",
    "DimensionError",
    "File",
    "FileError",
    "ForbiddenPathError",
    "FormulaError",
    "FormulaSyntaxError",
    "FormulaTypeError",
    "Kernel",
    "LimitError",
    "MissingSourceError",
    "NXFormulaError",
    "NoFormulaError",
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
]
