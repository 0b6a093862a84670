"""Names that are almost those of a definition."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=65536)
def distance(a: str, b: str, most: int = 2) -> int:
    """How many letters must be changed, added, removed or swapped; `most` + 1 if more.

    Examples
    --------
    >>> distance("senzor", "sensor"), distance("lenght", "length"), distance("a", "abcdef")
    (1, 1, 3)
    """
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        earlier, before, row = before, row, [i] + [0] * len(b)
        for j, y in enumerate(b, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], earlier[j - 2] + 1)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is almost this one: two letters apart, one below six letters.

    Examples
    --------
    >>> nearest("incident_wavelenght", ["incident_wavelength", "incident_energy"])
    'incident_wavelength'
    >>> nearest("u", ["units"]) is None
    True
    """
    best: tuple[int, str] | None = None
    for other in sorted(known):
        if other.lower() == name.lower():
            return other
        most = 1 if min(len(name), len(other)) < 6 else 2
        found = distance(name, other)
        if found <= most and (best is None or found < best[0]):
            best = found, other
    return best[1] if best else None
