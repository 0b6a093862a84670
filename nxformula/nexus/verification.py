"""Whether constants are still those that a formula was attached with."""

from __future__ import annotations

from dataclasses import dataclass

import h5py

from nxformula.nexus import names
from nxformula.nexus.checksum import checksum
from nxformula.nexus.group import FormulaGroup
from nxformula.nexus.links import Resolver
from nxformula.nexus.text import as_text, attribute_of


@dataclass(frozen=True, slots=True)
class Verified:
    """The checksum of a symbol, as stated and as found.

    Attributes
    ----------
    name : str
        The symbol.
    stated, found : str
        `sha256:` and the digest.
    """

    name: str
    stated: str
    found: str

    @property
    def is_same(self) -> bool:
        """Whether the values are those of the checksum."""
        return self.stated == self.found


def verify(definition: FormulaGroup, resolver: Resolver) -> list[Verified]:
    """Compute the checksums of all symbols that state one.

    Raises
    ------
    FileError
        A symbol cannot be found or read.
    """
    results: list[Verified] = []
    if definition.declared is not None:
        return results
    for attribute in definition.group.attrs:
        stated = as_text(attribute_of(definition.group, attribute))
        name = attribute.removesuffix(names.CHECKSUM_SUFFIX)
        if name == attribute or stated is None:
            continue
        dataset = resolver.dataset(resolver.find(definition.group, name))
        if isinstance(dataset, h5py.Dataset):
            results.append(Verified(name, stated, checksum(dataset)))
    return results
