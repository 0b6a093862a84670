"""Raw detector data stay raw: the calibration is a formula in the NeXus file."""

from nxformula._version import __version__
from nxformula.language.parser import parse
from nxformula.language.symbols import Symbol

__all__ = ["Symbol", "__version__", "parse"]
