"""What `nxformula.toml`, or `[tool.nxformula]` of `pyproject.toml`, says in place of options."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one command.

    Attributes
    ----------
    file : str
        Where they come from.
    values : mapping
        By name, with `_` for `-`.
    """

    file: str
    values: Mapping[str, Any]

    def names(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self.values.get(name, [])
        found = [found] if isinstance(found, str) else found
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise ValueError(f"{self.file}: {name} is {found!r}; expected a list of texts")
        return tuple(found)

    def table(self, name: str) -> dict[str, str]:
        """Texts by name."""
        found = self.values.get(name, {})
        if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
            raise ValueError(f"{self.file}: {name} is {found!r}; expected a table of texts")
        return found

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        found = self.values.get(name, default)
        if not isinstance(found, bool):
            raise ValueError(f"{self.file}: {name} is {found!r}; expected true or false")
        return found

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """One of some texts."""
        found = self.values.get(name, default)
        if found not in choices:
            raise ValueError(f"{self.file}: {name} is {found!r}; expected one of {choices}")
        return str(found)


def configured(command: str, known: tuple[str, ...]) -> Settings:
    """The settings of a command: of the nearest folder upwards that has some.

    Raises
    ------
    ValueError
        The file is no TOML, or has a setting that is not known.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        for file, way in (("nxformula.toml", ()), ("pyproject.toml", ("tool", "nxformula"))):
            found = _read(folder / file, (*way, command))
            if found is not None:
                _check(folder / file, command, found, known)
                values = {key.replace("-", "_"): value for key, value in found.items()}
                return Settings(str(folder / file), values)
    return Settings("", {})


def _read(path: Path, way: tuple[str, ...]) -> dict[str, Any] | None:
    try:
        found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML: {error}") from None
    for step in way:
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def _check(path: Path, command: str, found: dict[str, Any], known: tuple[str, ...]) -> None:
    unknown = {key for key in found if key.replace("-", "_") not in known}
    if unknown:
        listed = ", ".join(name.replace("_", "-") for name in known)
        raise ValueError(f"{path}: [{command}] has {sorted(unknown)[0]!r}; known are {listed}")
