"""Raw detector data stay raw: the calibration is a formula in the NeXus file."""

from nxformula._version import __version__
from nxformula.engine.kernel import Kernel, compile, evaluate  # noqa: A004 - as in re and regex
from nxformula.language.parser import parse
from nxformula.language.symbols import Symbol

__all__ = ["Kernel", "Symbol", "__version__", "compile", "evaluate", "parse"]
