"""Rules of beam, source, sample and attenuator: NXMX-BEA, SRC, SAM, ATT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from nxformula.nexus.metadata.nodes import Broken, Field, Group
from nxformula.validation.chains import scale_to
from nxformula.validation.scope import Fault, Scope, check

#: Which fields the attribute `flux` may name, and their usual units.
FLUXES: Final = ("flux", "total_flux", "flux_integrated", "total_flux_integrated")
_STOKES: Final = ("incident_polarization_stokes", "incident_polarisation_stokes")
_WEIGHTS: Final = ("incident_wavelength_weights", "incident_wavelength_weight")


def weights_of(beam: Group) -> Field | None:
    """The weights of wavelengths, by the new name or the old one."""
    return next((f for f in map(beam.field, _WEIGHTS) if f is not None), None)


@check("NXMX-BEA-001")
def wavelength(scope: Scope) -> Iterator[Fault]:
    """A wavelength is no energy."""
    for beam in scope.beams:
        field = beam.field("incident_wavelength")
        if field is not None and scale_to(field.units, "eV") is not None:
            message = f"units are {field.units!r}: this is an energy; expected a wavelength"
            yield Fault(field.path, message, "units")


@check("NXMX-BEA-002")
def spectrum(scope: Scope) -> Iterator[Fault]:
    """Wavelengths and weights have one of the five forms."""
    for beam in scope.beams:
        field, weights = beam.field("incident_wavelength"), weights_of(beam)
        if field is None or field.shape is None or not field.is_numeric:
            continue
        shape = field.shape
        if weights is None or weights.shape is None or not weights.is_numeric:
            if len(shape) > 1 and field.size > 1:
                message = f"the shape is {list(shape)}, and there are no weights"
                yield Fault(field.path, message)
            continue
        allowed = _weight_shapes(shape, scope.frames)
        is_open = scope.frames is None and weights.shape[1:] == shape
        if weights.shape not in allowed and not is_open:
            message = (
                f"the shape is {list(weights.shape)}; with wavelengths of {list(shape)} expected "
                f"{' or '.join(str(list(form)) for form in allowed)}"
            )
            yield Fault(weights.path, message, None, (field.path,))


def _weight_shapes(shape: tuple[int, ...], frames: int | None) -> list[tuple[int, ...]]:
    if len(shape) < 2:
        count = shape[0] if shape else 1
        per_shot = [(frames, count)] if frames else []
        return [shape, *per_shot] if shape else [(), (1,), *per_shot]
    return [shape]


@check("NXMX-BEA-003")
def weight_values(scope: Scope) -> Iterator[Fault]:
    """Weights are finite, not negative, not all zero."""
    for beam in scope.beams:
        weights = weights_of(beam)
        known = weights.statistics if weights is not None else None
        if weights is not None and known is not None:
            if known.finite < weights.size:
                yield Fault(weights.path, "some weights are no finite numbers")
            elif known.least < 0:
                yield Fault(weights.path, f"a weight of {known.least:g}; expected 0 or more")
            elif known.nonzero == 0:
                yield Fault(weights.path, "all weights are 0")


@check("NXMX-BEA-004")
def variants(scope: Scope) -> Iterator[Fault]:
    """The attribute `variant` leads to another field of the group, and ends."""
    for group in scope.all_groups():
        for field in group.fields():
            if "variant" in field.attributes:
                yield from _variant(group, field)


def _variant(group: Group, field: Field) -> Iterator[Fault]:
    here, seen = field, {field.name}
    while "variant" in here.attributes:
        name = here.text("variant")
        node = group.members.get(name) if name else None
        if isinstance(node, Broken):
            return
        if not isinstance(node, Field):
            if here is field:
                message = f"variant is {name!r}, and {group.path} has no such field"
                yield Fault(field.path, message, "variant")
            return
        if node.name in seen:
            if node.name == field.name and field.name == min(seen):
                message = f"variants lead in a circle: {', '.join(sorted(seen))}"
                yield Fault(field.path, message, "variant")
            return
        seen.add(node.name)
        here = node


@check("NXMX-BEA-005")
def flux(scope: Scope) -> Iterator[Fault]:
    """A flux is named, and has units."""
    for beam in scope.beams:
        name = beam.attributes.get("flux")
        if name is not None and (not isinstance(name, str) or name not in FLUXES):
            message = f"flux is {str(name)[:60]!r}; expected one of {', '.join(FLUXES)}"
            yield Fault(beam.path, message, "flux")
        elif isinstance(name, str) and name not in beam.members:
            yield Fault(beam.path, f"flux is {name!r}, and there is no such field", "flux")
        for each in FLUXES:
            field = beam.field(each)
            if field is not None and field.units is None and "u" in field.attributes:
                message = f"the attribute 'u' should be 'units': {field.attributes['u']!r}"
                yield Fault(field.path, message, "u")


@check("NXMX-BEA-006")
def stokes(scope: Scope) -> Iterator[Fault]:
    """Stokes parameters describe a beam that can be."""
    for beam in scope.beams:
        for name in _STOKES:
            field = beam.field(name)
            if field is None or field.shape is None or not field.is_numeric:
                continue
            if not field.shape or field.shape[-1] != 4 or len(field.shape) > 2:
                message = f"the shape is {list(field.shape)}; expected [frames, 4] or [1, 4]"
                yield Fault(field.path, message)
                continue
            if len(field.shape) == 1:
                message = "the shape is [4]; expected [frames, 4] or [1, 4]"
                yield Fault(field.path, message, severity="info")
            yield from _stokes_values(field)


def _stokes_values(field: Field) -> Iterator[Fault]:
    flat = field.flat
    if flat is None or not flat.size:
        return
    values = flat.reshape(-1, 4)
    intensity, polarized = values[:, 0], np.linalg.norm(values[:, 1:], axis=1)
    wrong = ~np.isfinite(values).all(axis=1) | ~(intensity > 0)
    wrong |= polarized > intensity * (1 + 1e-3)
    if np.any(wrong):
        k = int(np.argmax(wrong))
        message = (
            f"I, Q, U, V are {', '.join(f'{v:g}' for v in values[k])}; expected I > 0 and "
            "sqrt(Q^2 + U^2 + V^2) <= I"
        )
        yield Fault(field.path, message)


@check("NXMX-BEA-007")
def beam_size(scope: Scope) -> Iterator[Fault]:
    """The size of the beam is two lengths."""
    for beam in scope.beams:
        field = beam.field("incident_beam_size")
        values = field.flat if field is not None else None
        if field is None or values is None:
            continue
        if values.size != 2:
            yield Fault(field.path, f"{values.size} values; expected two, for x and y")


@check("NXMX-BEA-008")
def moved(scope: Scope) -> Iterator[Fault]:
    """Beam and source stand where they do since 2020."""
    for group in misplaced(scope):
        nx_class = scope.tree.class_of(group)
        right = "NXinstrument" if nx_class == "NXbeam" else "NXentry"
        parent = scope.tree.parent(group)
        message = f"the {nx_class} is in {parent.path}; since 2020 it belongs to {right}"
        yield Fault(group.path, message)


def misplaced(scope: Scope) -> list[Group]:
    """A beam in the sample, a source in the instrument, where the right place has none."""
    found = []
    tree = scope.tree
    if not any(tree.members(i, "NXbeam") for i in scope.instruments):
        found += [b for sample in scope.samples for b in tree.members(sample, "NXbeam")]
    if not tree.members(scope.entry, "NXsource"):
        found += [s for i in scope.instruments for s in tree.members(i, "NXsource")]
    return found


#: Beginnings of names in the lists of the wwPDB, in small letters.
SITES: Final = (
    *("als", "aps", "australian synchrotron", "bessy", "camd", "cls", "chess", "clsi", "diamond"),
    *("embl/desy", "esrf", "european xfel", "elettra", "lcls", "liquid anode", "lnls", "lnls"),
    *("max iv", "maxiv", "nsls", "nsrrc", "pal", "petra", "pohang", "photon factory", "rotating"),
    *("rrcat", "sacla", "sagalight", "sls", "soleil", "solaris", "spring-8", "srs", "ssrf", "ssrl"),
    *("swissfel", "swiss light source", "sesame", "siam", "slri", "isis", "free electron laser"),
    *("advanced photon source", "advanced light source", "european synchrotron"),
    *("national synchrotron light source", "stanford", "canadian light source", "alba", "desy"),
    *("shanghai", "taiwan", "sealed tube", "synchrotron", "seed"),
)


@check("NXMX-SRC-001")
def source_name(scope: Scope) -> Iterator[Fault]:
    """The name of the source is one that the wwPDB knows."""
    for source in scope.tree.members(scope.entry, "NXsource"):
        field = source.field("name")
        text = field.words if field is not None else None
        if field is not None and text and not text.strip().lower().startswith(SITES):
            message = f"{text[:60]!r} is not in the list of the wwPDB as far as known here"
            yield Fault(field.path, message)
