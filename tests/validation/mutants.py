"""Single faults for any valid NXmx file, found by class: what is changed, and what must be told.

A mutant takes an open master and gives the path at which a fault must be told, with the rules that
may tell it; None where the file has nothing to which it could be done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

Expected = tuple[str, str] | None
Mutant = Callable[[Any], Expected]
MUTANTS: dict[str, Mutant] = {}


def mutant(function: Mutant) -> Mutant:
    MUTANTS[function.__name__] = function
    return function


def text(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    return value.decode() if isinstance(value, bytes) else str(value)


def of_class(file: Any, nx_class: str) -> list[Any]:
    """Groups of a class that are simply there, the first place of each."""
    found = []

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Group) and text(node.attrs.get("NX_class", "")) == nx_class:
            found.append(node)

    file.visititems(visit)
    return found


def first(file: Any, nx_class: str, member: str = "") -> Any:
    for group in of_class(file, nx_class):
        if not member or member in group:
            return group
    return None


def replace(group: Any, name: str, value: Any, **attributes: Any) -> Any:
    """Other values in place of a field, whose attributes stay."""
    old = dict(group[name].attrs) if name in group else {}
    if name in group:
        del group[name]
    field = group.create_dataset(name, data=value)
    for key, attribute in {**old, **attributes}.items():
        field.attrs[key] = attribute
    return field


def axes_of_chain(file: Any) -> list[Any]:
    """The axes of the sample's chain, from the nearest on."""
    sample = first(file, "NXsample", "depends_on")
    path = text(sample["depends_on"][()])
    if path == ".":
        return []
    found, here = [], file[path] if path.startswith("/") else sample[path]
    while True:
        found.append(here)
        path = text(here.attrs.get("depends_on", "."))
        if path == ".":
            return found
        here = here.parent[path] if not path.startswith("/") else file[path]


def scan_axis(file: Any) -> Any:
    return next((axis for axis in axes_of_chain(file) if axis.size > 1), None)


def module_axis(file: Any, name: str = "fast_pixel_direction") -> Any:
    group = first(file, "NXdetector_module", name)
    return None if group is None else group[name]


def set_attribute(node: Any, name: str, value: Any, rules: str) -> Expected:
    if node is None:
        return None
    if name in node.attrs:
        del node.attrs[name]
    if value is not None:
        node.attrs[name] = value
    return node.name, rules


def set_value(file: Any, nx_class: str, name: str, value: Any, rules: str) -> Expected:
    group = first(file, nx_class, name)
    if group is None:
        return None
    replace(group, name, value)
    return f"{group.name}/{name}", rules


def without(file: Any, nx_class: str, name: str, rules: str = "STR-001") -> Expected:
    group = first(file, nx_class, name)
    if group is None:
        return None
    del group[name]
    return group.name, rules


def rename(file: Any, nx_class: str, old: str, new: str, rules: str = "NAM-001") -> Expected:
    group = first(file, nx_class, old)
    if group is None:
        return None
    group.move(old, new)
    return f"{group.name}/{new}", rules


# Structure


@mutant
def definition_missing(file: Any) -> Expected:
    return without(file, "NXentry", "definition", "ENT-001")


@mutant
def definition_of_another(file: Any) -> Expected:
    group = first(file, "NXentry", "definition")
    replace(group, "definition", "NXsas")
    return group.name, "ENT-001"


@mutant
def definition_in_small_letters(file: Any) -> Expected:
    group = first(file, "NXentry", "definition")
    replace(group, "definition", "nxmx")
    return group.name, "ENT-002"


@mutant
def definition_with_two_m(file: Any) -> Expected:
    group = first(file, "NXentry", "definition")
    replace(group, "definition", "NXmmx")
    return group.name, "ENT-002"


def _class_mutant(nx_class: str, value: Any, name: str) -> None:
    def change(file: Any) -> Expected:
        return set_attribute(first(file, nx_class), "NX_class", value, "ENT-003")

    change.__name__ = name
    mutant(change)


for _nx_class, _value, _name in (
    ("NXdetector", None, "detector_without_class"),
    ("NXdetector_module", None, "module_without_class"),
    ("NXbeam", None, "beam_without_class"),
    ("NXinstrument", None, "instrument_without_class"),
    ("NXsample", None, "sample_without_class"),
    ("NXtransformations", "NXtramsformations", "transformations_misspelt"),
    ("NXbeam", "NXbeem", "beam_class_misspelt"),
    ("NXsource", "NXsauce", "class_far_from_any"),
    ("NXdetector", ["NXdetector"], "class_as_array"),
    ("NXdetector", "NXdetector ", "class_padded"),
):
    _class_mutant(_nx_class, _value, _name)


def _missing_mutant(nx_class: str, name: str) -> None:
    def change(file: Any) -> Expected:
        return without(file, nx_class, name)

    change.__name__ = f"{nx_class}_without_{name}"
    mutant(change)


for _nx_class, _name in (
    ("NXentry", "start_time"),
    ("NXentry", "end_time_estimated"),
    ("NXsample", "name"),
    ("NXsample", "depends_on"),
    ("NXinstrument", "name"),
    ("NXdetector", "sensor_material"),
    ("NXdetector", "sensor_thickness"),
    ("NXdetector_module", "data_origin"),
    ("NXdetector_module", "data_size"),
    ("NXdetector_module", "slow_pixel_direction"),
    ("NXbeam", "incident_wavelength"),
    ("NXsource", "name"),
    ("NXdetector_group", "group_index"),
):
    _missing_mutant(_nx_class, _name)


def _missing_group(nx_class: str, parent_class: str, rules: str = "STR-001") -> None:
    def change(file: Any) -> Expected:
        parent = first(file, parent_class)
        own = [g for g in of_class(file, nx_class) if g.parent.name == parent.name]
        if not own:
            return None
        for group in own:
            del parent[group.name.rsplit("/", 1)[-1]]
        return parent.name, rules

    change.__name__ = f"no_{nx_class}"
    mutant(change)


_missing_group("NXsample", "NXentry")
_missing_group("NXinstrument", "NXentry")
_missing_group("NXsource", "NXentry")
_missing_group("NXbeam", "NXinstrument", "STR-001 BEA-008")
_missing_group("NXdetector_module", "NXdetector")


@mutant
def wavelength_is_text(file: Any) -> Expected:
    return set_value(file, "NXbeam", "incident_wavelength", "0.9763", "STR-002")


@mutant
def origin_is_float(file: Any) -> Expected:
    return set_value(file, "NXdetector_module", "data_origin", [0.0, 0.0], "STR-002")


@mutant
def material_is_a_number(file: Any) -> Expected:
    return set_value(file, "NXdetector", "sensor_material", 14, "STR-002")


@mutant
def wavelength_without_units(file: Any) -> Expected:
    group = first(file, "NXbeam", "incident_wavelength")
    return set_attribute(group["incident_wavelength"], "units", None, "STR-004")


@mutant
def thickness_in_seconds(file: Any) -> Expected:
    group = first(file, "NXdetector", "sensor_thickness")
    return set_attribute(group["sensor_thickness"], "units", "s", "STR-004")


@mutant
def units_that_are_none(file: Any) -> Expected:
    group = first(file, "NXdetector", "sensor_thickness")
    return set_attribute(group["sensor_thickness"], "units", "furlong", "STR-004")


@mutant
def units_misspelt_as_unit(file: Any) -> Expected:
    field = first(file, "NXdetector", "sensor_thickness")["sensor_thickness"]
    field.attrs["unit"] = field.attrs["units"]
    del field.attrs["units"]
    return field.name, "NAM-001 STR-004"


@mutant
def wavelength_misspelt(file: Any) -> Expected:
    return rename(file, "NXbeam", "incident_wavelength", "incident_wavelenght")


@mutant
def thickness_misspelt(file: Any) -> Expected:
    return rename(file, "NXdetector", "sensor_thickness", "senzor_thickness")


@mutant
def saturation_misspelt(file: Any) -> Expected:
    return rename(file, "NXdetector", "saturation_value", "saturation_vallue")


@mutant
def count_time_misspelt(file: Any) -> Expected:
    return rename(file, "NXdetector", "count_time", "count_tiem")


@mutant
def attenuator_misspelt(file: Any) -> Expected:
    name = "attenuator_transmission"
    return rename(file, "NXattenuator", name, "attenuator_transmision")


@mutant
def profile_unknown(file: Any) -> Expected:
    return set_value(file, "NXbeam", "profile", "gauss", "BEA-007")


@mutant
def old_name_of_weights(file: Any) -> Expected:
    return rename(
        file, "NXbeam", "incident_wavelength_weights", "incident_wavelength_weight", "DET-004"
    )


@mutant
def old_name_of_stokes(file: Any) -> Expected:
    old, new = "incident_polarization_stokes", "incident_polarisation_stokes"
    return rename(file, "NXbeam", old, new, "DET-004")


# Times


@mutant
def start_as_epoch(file: Any) -> Expected:
    return set_value(file, "NXentry", "start_time", "1714558272", "TIM-001")


@mutant
def start_in_local_order(file: Any) -> Expected:
    return set_value(file, "NXentry", "start_time", "01/05/2024 10:11:12", "TIM-001")


@mutant
def start_without_zone(file: Any) -> Expected:
    return set_value(file, "NXentry", "start_time", "2024-05-01T10:11:12", "TIM-002")


@mutant
def end_with_offset(file: Any) -> Expected:
    value = "2024-05-01T12:11:13+02:00"
    return set_value(file, "NXentry", "end_time_estimated", value, "TIM-002")


@mutant
def end_before_start(file: Any) -> Expected:
    return set_value(file, "NXentry", "end_time_estimated", "2001-05-01T10:11:12Z", "TIM-003")


@mutant
def start_with_a_dot(file: Any) -> Expected:
    return set_value(file, "NXentry", "start_time", "2024-05-01T10:11:12Z.", "TIM-006")


@mutant
def start_with_a_blank(file: Any) -> Expected:
    return set_value(file, "NXentry", "start_time", "2024-05-01 10:11:12Z", "TIM-006")


@mutant
def start_in_month_13(file: Any) -> Expected:
    return set_value(file, "NXentry", "start_time", "2024-13-01T10:11:12Z", "TIM-001")


# Chains


@mutant
def sample_depends_on_nothing(file: Any) -> Expected:
    return set_value(file, "NXsample", "depends_on", "/entry/nowhere/phi", "CHN-001")


@mutant
def sample_depends_on_a_group(file: Any) -> Expected:
    group = first(file, "NXsample", "depends_on")
    replace(group, "depends_on", group.name)
    return f"{group.name}/depends_on", "CHN-001"


@mutant
def detector_depends_on_nothing(file: Any) -> Expected:
    return set_value(file, "NXdetector", "depends_on", "transformations/gone", "CHN-001")


@mutant
def axis_depends_on_nothing(file: Any) -> Expected:
    axes = axes_of_chain(file)
    return set_attribute(axes[0], "depends_on", "nowhere", "CHN-001") if axes else None


@mutant
def module_depends_on_nothing(file: Any) -> Expected:
    return set_attribute(module_axis(file), "depends_on", "/entry/nowhere", "CHN-001")


@mutant
def sample_chain_in_a_circle(file: Any) -> Expected:
    axes = axes_of_chain(file)
    return set_attribute(axes[-1], "depends_on", axes[0].name, "CHN-002") if axes else None


@mutant
def axis_depends_on_itself(file: Any) -> Expected:
    axes = axes_of_chain(file)
    return set_attribute(axes[-1], "depends_on", axes[-1].name, "CHN-002") if axes else None


@mutant
def detector_chain_in_a_circle(file: Any) -> Expected:
    detector = first(file, "NXdetector", "depends_on")
    path = text(detector["depends_on"][()])
    here = file[path] if path.startswith("/") else detector[path]
    start = here.name
    while text(here.attrs["depends_on"]) != ".":
        path = text(here.attrs["depends_on"])
        here = file[path] if path.startswith("/") else here.parent[path]
    return set_attribute(here, "depends_on", start, "CHN-002")


def _axis_attribute(name: str, value: Any, rules: str, label: str, of_module: bool = False) -> None:
    def change(file: Any) -> Expected:
        if of_module:
            return set_attribute(module_axis(file), name, value, rules)
        axes = axes_of_chain(file)
        return set_attribute(axes[0], name, value, rules) if axes else None

    change.__name__ = label
    mutant(change)


for _arguments in (
    ("transformation_type", None, "CHN-003", "axis_without_type", False),
    ("vector", None, "CHN-003", "axis_without_vector", False),
    ("transformation_type", "rotasion", "CHN-004", "type_misspelt", False),
    ("transformation_type", "Rotation", "CHN-004", "type_with_capital", False),
    ("transformation_type", "rotation", "CHN-004 CHN-007", "module_rotates", True),
    ("vector", [0.0, 0.0, 0.0], "CHN-005", "vector_of_zeros", False),
    ("vector", [1.0, np.nan, 0.0], "CHN-005", "vector_with_nan", False),
    ("vector", [1.0, 0.0], "CHN-005", "vector_of_two", False),
    ("vector", [0.5, 0.0, 0.0], "CHN-006", "vector_too_short", False),
    ("vector", [-2.0, 0.0, 0.0], "CHN-006", "module_vector_too_long", True),
    ("vector", [0.0, 0.0, 0.0], "CHN-005", "module_vector_of_zeros", True),
    ("vector", None, "CHN-003", "module_axis_without_vector", True),
    ("depends_on", None, "CHN-003", "module_axis_without_depends_on", True),
    ("units", None, "CHN-007", "axis_without_units", False),
    ("units", "mm", "CHN-007", "rotation_in_mm", False),
    ("units", "deg", "CHN-007", "module_axis_in_degrees", True),
    ("offset", [1.0, 2.0], "CHN-008", "offset_of_two", True),
    ("offset", [np.nan, 0.0, 0.0], "CHN-008", "offset_with_nan", True),
    ("offset_units", "deg", "CHN-008", "offset_in_degrees", True),
):
    _axis_attribute(*_arguments)


@mutant
def offset_without_units(file: Any) -> Expected:
    axes = axes_of_chain(file)
    if not axes:
        return None
    axes[0].attrs["offset"] = [1.0, 0.0, 0.0]
    return axes[0].name, "CHN-008"


@mutant
def two_rotations_vary(file: Any) -> Expected:
    axes = [a for a in axes_of_chain(file) if text(a.attrs["transformation_type"]) == "rotation"]
    scan = scan_axis(file)
    others = [axis for axis in axes if axis.name != getattr(scan, "name", "")]
    if scan is None or not others:
        return None
    group, name = others[0].parent, others[0].name.rsplit("/", 1)[-1]
    replace(group, name, np.linspace(0, 5, scan.size))
    return f"{group.name}/{name}", "CHN-009"


@mutant
def one_angle_is_nan(file: Any) -> Expected:
    axis = scan_axis(file)
    if axis is None:
        return None
    axis[axis.size // 2] = np.nan
    return axis.name, "CHN-015"


@mutant
def one_angle_too_few(file: Any) -> Expected:
    axis = scan_axis(file)
    if axis is None:
        return None
    group, name = axis.parent, axis.name.rsplit("/", 1)[-1]
    for each in (name, f"{name}_end", f"{name}_increment_set"):
        if each in group and group[each].size > 1:
            replace(group, each, group[each][:-1])
    return f"{group.name}/{name}", "DAT-004 CHN-009"


@mutant
def one_step_is_twice_as_wide(file: Any) -> Expected:
    axis = scan_axis(file)
    if axis is None:
        return None
    values = axis[()]
    half = axis.size // 2
    values[half:] += values[1] - values[0]
    axis[...] = values
    name = axis.name.rsplit("/", 1)[-1]
    for each in (f"{name}_end",):
        if each in axis.parent:
            ends = axis.parent[each][()]
            ends[half:] += values[1] - values[0]
            axis.parent[each][...] = ends
    return axis.name, "CHN-010"


@mutant
def ends_do_not_fit(file: Any) -> Expected:
    axis = scan_axis(file)
    name = f"{axis.name}_end" if axis is not None else ""
    if axis is None or name not in file:
        return None
    file[name][...] = file[name][()] + 3.0
    return name, "CHN-010"


@mutant
def ends_in_radians(file: Any) -> Expected:
    axis = scan_axis(file)
    name = f"{axis.name}_end" if axis is not None else ""
    return set_attribute(file[name], "units", "rad", "CHN-010") if name in file else None


@mutant
def scan_read_as_stills(file: Any) -> Expected:
    if scan_axis(file) is None:
        return None
    return set_value(file, "NXsample", "depends_on", ".", "CHN-011")


@mutant
def label_comes_again(file: Any) -> Expected:
    axis = module_axis(file)
    found = []
    while True:
        if "equipment_component" in axis.attrs:
            found.append(axis)
        path = text(axis.attrs["depends_on"])
        if path == ".":
            break
        axis = file[path] if path.startswith("/") else axis.parent[path]
    labels = [text(axis.attrs["equipment_component"]) for axis in found]
    if len(set(labels)) < 3:
        return None
    return set_attribute(found[0], "equipment_component", labels[-1], "CHN-013")


# Modules


@mutant
def sizes_turned(file: Any) -> Expected:
    group = first(file, "NXdetector_module", "data_size")
    size = group["data_size"][()]
    origin = group["data_origin"][()]
    if size[-1] == size[-2] or origin.any() or len(of_class(file, "NXdetector_module")) > 1:
        return None
    replace(group, "data_size", np.array(size[::-1]))
    return f"{group.name}/data_size", "MOD-004"


@mutant
def module_beyond_the_image(file: Any) -> Expected:
    group = of_class(file, "NXdetector_module")[-1]
    origin = group["data_origin"][()]
    origin[-2] += 100_000
    replace(group, "data_origin", origin)
    return f"{group.name}/data_origin", "MOD-002"


@mutant
def origin_below_zero(file: Any) -> Expected:
    group = first(file, "NXdetector_module", "data_origin")
    origin = group["data_origin"][()].astype("i8")
    origin[-1] = -1
    replace(group, "data_origin", origin)
    return f"{group.name}/data_origin", "MOD-002"


@mutant
def size_of_zero(file: Any) -> Expected:
    group = first(file, "NXdetector_module", "data_size")
    size = group["data_size"][()]
    size[-1] = 0
    replace(group, "data_size", size)
    return f"{group.name}/data_size", "MOD-002"


@mutant
def origin_of_three(file: Any) -> Expected:
    group = first(file, "NXdetector_module", "data_origin")
    origin = group["data_origin"][()]
    replace(group, "data_origin", np.append(origin, 0).astype("i4"))
    return f"{group.name}/data_origin", "MOD-001"


@mutant
def modules_share_pixels(file: Any) -> Expected:
    groups = of_class(file, "NXdetector_module")
    if len(groups) < 2:
        return None
    replace(groups[-1], "data_origin", groups[0]["data_origin"][()])
    return f"{groups[-1].name}/data_origin", "MOD-003"


@mutant
def modules_at_one_place(file: Any) -> Expected:
    groups = [g for g in of_class(file, "NXdetector_module") if "module_offset" in g]
    if len(groups) < 2:
        return None
    for name in ("offset", "depends_on"):
        groups[1]["module_offset"].attrs[name] = groups[0]["module_offset"].attrs[name]
    return f"{groups[1].name}/fast_pixel_direction", "MOD-009"


@mutant
def modules_overlap_in_space(file: Any) -> Expected:
    groups = [g for g in of_class(file, "NXdetector_module") if "module_offset" in g]
    if len(groups) < 2:
        return None
    offset = np.array(groups[0]["module_offset"].attrs["offset"])
    groups[1]["module_offset"].attrs["offset"] = np.add(offset, [-0.5, -0.5, 0])
    groups[1]["module_offset"].attrs["depends_on"] = groups[0]["module_offset"].attrs["depends_on"]
    return f"{groups[1].name}/fast_pixel_direction", "MOD-012"


@mutant
def pixel_of_negative_size(file: Any) -> Expected:
    axis = module_axis(file)
    return set_value(file, "NXdetector_module", axis.name.rsplit("/", 1)[-1], -0.075, "MOD-005")


@mutant
def pixel_of_75_mm(file: Any) -> Expected:
    group = first(file, "NXdetector_module", "slow_pixel_direction")
    field = group["slow_pixel_direction"]
    factor = 1000.0 if text(field.attrs["units"]) == "mm" else 1.0
    value = 0.075 * factor if factor == 1 else 75.0
    replace(group, "slow_pixel_direction", value)
    return f"{group.name}/slow_pixel_direction", "MOD-005"


@mutant
def slow_is_parallel_to_fast(file: Any) -> Expected:
    group = first(file, "NXdetector_module", "slow_pixel_direction")
    vector = group["fast_pixel_direction"].attrs["vector"]
    return set_attribute(group["slow_pixel_direction"], "vector", vector, "MOD-006")


@mutant
def slow_is_slanted(file: Any) -> Expected:
    group = first(file, "NXdetector_module", "slow_pixel_direction")
    vector = np.array([np.sin(0.2), np.cos(0.2), 0.0])
    return set_attribute(group["slow_pixel_direction"], "vector", vector, "MOD-006")


@mutant
def slow_hangs_elsewhere(file: Any) -> Expected:
    slow = module_axis(file, "slow_pixel_direction")
    return set_attribute(slow, "depends_on", ".", "MOD-007")


@mutant
def unknown_material(file: Any) -> Expected:
    return set_value(file, "NXdetector", "sensor_material", "Unobtainium", "MOD-010")


@mutant
def pixel_size_of_another_detector(file: Any) -> Expected:
    return set_value(file, "NXdetector", "x_pixel_size", 172e-6, "MOD-011")


# Detector


@mutant
def mask_turned(file: Any) -> Expected:
    group = first(file, "NXdetector", "pixel_mask")
    if group is None:
        return None
    mask = group["pixel_mask"][()]
    del group["pixel_mask"]
    group["pixel_mask"] = mask.T
    return f"{group.name}/pixel_mask", "DET-001"


@mutant
def mask_of_floats(file: Any) -> Expected:
    group = first(file, "NXdetector", "pixel_mask")
    if group is None:
        return None
    mask = group["pixel_mask"][()]
    del group["pixel_mask"]
    group["pixel_mask"] = mask.astype("f4")
    return f"{group.name}/pixel_mask", "DET-001"


@mutant
def mask_upside_down(file: Any) -> Expected:
    group = first(file, "NXdetector", "pixel_mask")
    if group is None:
        return None
    mask = group["pixel_mask"][()]
    del group["pixel_mask"]
    group["pixel_mask"] = (mask == 0).astype("u4")
    return f"{group.name}/pixel_mask", "DET-002"


@mutant
def mask_with_bit_9(file: Any) -> Expected:
    group = first(file, "NXdetector", "pixel_mask")
    if group is None:
        return None
    mask = group["pixel_mask"][()].astype("u4")
    mask[0, 0] |= 1 << 9
    del group["pixel_mask"]
    group["pixel_mask"] = mask
    return f"{group.name}/pixel_mask", "DET-002"


@mutant
def flatfield_cut(file: Any) -> Expected:
    group = first(file, "NXdetector", "flatfield")
    if group is None:
        return None
    values = group["flatfield"][()]
    del group["flatfield"]
    group["flatfield"] = values[1:]
    return f"{group.name}/flatfield", "DET-003"


@mutant
def flatfield_below_zero(file: Any) -> Expected:
    group = first(file, "NXdetector", "flatfield")
    if group is None:
        return None
    values = group["flatfield"][()].astype("f4")
    values[5, 5] = -1
    del group["flatfield"]
    group["flatfield"] = values
    return f"{group.name}/flatfield", "DET-003"


@mutant
def saturation_below_underload(file: Any) -> Expected:
    return set_value(file, "NXdetector", "saturation_value", np.int64(-100), "DET-005")


@mutant
def saturation_missing(file: Any) -> Expected:
    return without(file, "NXdetector", "saturation_value", "DET-005")


@mutant
def bit_depth_of_8(file: Any) -> Expected:
    return set_value(file, "NXdetector", "bit_depth_readout", np.int64(8), "DET-006")


@mutant
def bit_depth_of_200(file: Any) -> Expected:
    return set_value(file, "NXdetector", "bit_depth_readout", np.int64(200), "DET-006")


@mutant
def count_time_too_long(file: Any) -> Expected:
    group = first(file, "NXdetector", "frame_time")
    return set_value(file, "NXdetector", "count_time", 99.0, "DET-007") if group else None


@mutant
def count_time_of_zero(file: Any) -> Expected:
    return set_value(file, "NXdetector", "count_time", 0.0, "DET-007")


@mutant
def distance_twice(file: Any) -> Expected:
    group = first(file, "NXdetector", "distance")
    if group is None:
        return None
    return set_value(file, "NXdetector", "distance", 2 * group["distance"][()], "DET-008")


@mutant
def beam_centre_off(file: Any) -> Expected:
    group = first(file, "NXdetector", "beam_center_x")
    if group is None:
        return None
    value = group["beam_center_x"][()] + 10.0
    return set_value(file, "NXdetector", "beam_center_x", value, "DET-009")


@mutant
def detector_before_the_sample(file: Any) -> Expected:
    detector = first(file, "NXdetector", "depends_on")
    path = text(detector["depends_on"][()])
    axis = file[path] if path.startswith("/") else detector[path]
    while abs(axis.attrs["vector"][2]) < 0.5 or not np.any(axis[()]):
        path = text(axis.attrs["depends_on"])
        if path == ".":
            return None
        axis = file[path] if path.startswith("/") else axis.parent[path]
    axis[...] = -axis[()]
    return axis.name, "DET-010"


@mutant
def group_parent_lost(file: Any) -> Expected:
    group = first(file, "NXdetector_group", "group_parent")
    if group is None:
        return None
    parents = group["group_parent"][()]
    parents[-1] = 77
    group["group_parent"][...] = parents
    return f"{group.name}/group_parent", "DET-011"


@mutant
def group_lists_of_two_lengths(file: Any) -> Expected:
    group = first(file, "NXdetector_group", "group_index")
    if group is None:
        return None
    replace(group, "group_index", np.arange(1, len(group["group_index"]) + 2, dtype="i4"))
    return f"{group.name}/group_index", "DET-011"


@mutant
def threshold_above_the_energy(file: Any) -> Expected:
    group = first(file, "NXdetector", "threshold_energy")
    if group is None:
        return None
    del group["threshold_energy"]
    group["threshold_energy"] = 99_000.0
    group["threshold_energy"].attrs["units"] = "eV"
    return f"{group.name}/threshold_energy", "DET-013"


# Beam


@mutant
def wavelength_of_zero(file: Any) -> Expected:
    group = first(file, "NXbeam", "incident_wavelength")
    value = group["incident_wavelength"][()] * 0
    return set_value(file, "NXbeam", "incident_wavelength", value, "BEA-001")


@mutant
def wavelength_in_metres(file: Any) -> Expected:
    group = first(file, "NXbeam", "incident_wavelength")
    return set_attribute(group["incident_wavelength"], "units", "m", "BEA-001")


@mutant
def wavelength_is_an_energy(file: Any) -> Expected:
    group = first(file, "NXbeam", "incident_wavelength")
    return set_attribute(group["incident_wavelength"], "units", "eV", "BEA-001")


@mutant
def wavelengths_of_some_frames(file: Any) -> Expected:
    group = first(file, "NXbeam", "incident_wavelength")
    if group["incident_wavelength"].shape:
        return None
    value = np.full(3, group["incident_wavelength"][()])
    return set_value(file, "NXbeam", "incident_wavelength", value, "DAT-004")


@mutant
def weights_of_another_length(file: Any) -> Expected:
    group = first(file, "NXbeam", "incident_wavelength_weights")
    if group is None:
        return None
    values = group["incident_wavelength_weights"][..., :-1]
    return set_value(file, "NXbeam", "incident_wavelength_weights", values, "BEA-002")


@mutant
def a_weight_below_zero(file: Any) -> Expected:
    group = first(file, "NXbeam", "incident_wavelength_weights")
    if group is None:
        return None
    values = group["incident_wavelength_weights"][()]
    values[0, 0] = -1
    return set_value(file, "NXbeam", "incident_wavelength_weights", values, "BEA-003")


@mutant
def variant_of_itself(file: Any) -> Expected:
    field = first(file, "NXbeam", "incident_wavelength")["incident_wavelength"]
    return set_attribute(field, "variant", "incident_wavelength", "BEA-004")


@mutant
def variant_of_nothing(file: Any) -> Expected:
    field = first(file, "NXbeam", "incident_wavelength")["incident_wavelength"]
    return set_attribute(field, "variant", "nothing", "BEA-004")


@mutant
def flux_of_nothing(file: Any) -> Expected:
    group = first(file, "NXbeam", "total_flux")
    return set_attribute(group, "flux", "brightness", "BEA-005")


@mutant
def flux_below_zero(file: Any) -> Expected:
    return set_value(file, "NXbeam", "total_flux", -1e12, "BEA-005")


@mutant
def u_for_units(file: Any) -> Expected:
    group = first(file, "NXbeam", "total_flux")
    if group is None or "units" not in group["total_flux"].attrs:
        return None
    field = group["total_flux"]
    field.attrs["u"] = field.attrs["units"]
    del field.attrs["units"]
    return field.name, "BEA-005"


@mutant
def polarized_more_than_there_is(file: Any) -> Expected:
    value = np.array([[1.0, 3.0, 0, 0]])
    return set_value(file, "NXbeam", "incident_polarization_stokes", value, "BEA-006")


@mutant
def stokes_of_three(file: Any) -> Expected:
    value = np.array([[1.0, 0.9, 0]])
    return set_value(file, "NXbeam", "incident_polarization_stokes", value, "BEA-006")


@mutant
def beam_size_of_one(file: Any) -> Expected:
    return set_value(file, "NXbeam", "incident_beam_size", np.array([50.0]), "BEA-007")


@mutant
def beam_size_of_three(file: Any) -> Expected:
    value = np.array([50.0, 20.0, 1.0])
    return set_value(file, "NXbeam", "incident_beam_size", value, "BEA-007")


@mutant
def beam_in_the_sample(file: Any) -> Expected:
    beam, sample = first(file, "NXbeam"), first(file, "NXsample")
    if beam is None or beam.parent.name == sample.name or "beam" in sample:
        return None
    file.move(beam.name, f"{sample.name}/beam")
    return f"{sample.name}/beam", "BEA-008"


@mutant
def source_in_the_instrument(file: Any) -> Expected:
    source, instrument = first(file, "NXsource"), first(file, "NXinstrument")
    file.move(source.name, f"{instrument.name}/source")
    return f"{instrument.name}/source", "BEA-008"


@mutant
def transmission_in_per_cent(file: Any) -> Expected:
    return set_value(file, "NXattenuator", "attenuator_transmission", 25.0, "ATT-001")


@mutant
def sample_of_minus_20(file: Any) -> Expected:
    return set_value(file, "NXsample", "temperature", -20.0, "SAM-001")


# Data and links


@mutant
def no_images(file: Any) -> Expected:
    groups = [g for g in of_class(file, "NXdata") if g.parent.attrs.get("NX_class") is not None]
    group = groups[0]
    for name in [name for name in group if name.startswith("data")]:
        del group[name]
    del group.attrs["signal"]
    return group.name, "DAT-001"


@mutant
def signal_of_nothing(file: Any) -> Expected:
    return set_attribute(first(file, "NXdata"), "signal", "counts", "DAT-002")


@mutant
def axes_of_nothing(file: Any) -> Expected:
    return set_attribute(first(file, "NXdata"), "axes", ["kappa", ".", "."], "DAT-002")


def external_links(file: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    pending = [file["/"]]
    while pending:
        group = pending.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                found.append((f"{group.name.rstrip('/')}/{name}", link))
            elif isinstance(link, h5py.HardLink) and isinstance(group[name], h5py.Group):
                pending.append(group[name])
    return sorted(found, key=lambda each: each[0])


@mutant
def linked_file_missing(file: Any) -> Expected:
    links = external_links(file)
    path, link = links[0]
    del file[path]
    file[path] = h5py.ExternalLink("gone.h5", link.path)
    return path, "LNK-001"


@mutant
def linked_object_missing(file: Any) -> Expected:
    links = external_links(file)
    path, link = links[0]
    del file[path]
    file[path] = h5py.ExternalLink(link.filename, "/not/there")
    return path, "LNK-001"


@mutant
def soft_link_to_nothing(file: Any) -> Expected:
    entry = first(file, "NXentry")
    entry["shortcut"] = h5py.SoftLink("/entry/nowhere")
    return f"{entry.name}/shortcut", "LNK-002"


@mutant
def soft_links_in_a_circle(file: Any) -> Expected:
    entry = first(file, "NXentry")
    entry["shortcut"] = h5py.SoftLink(f"{entry.name}/shortcut")
    return f"{entry.name}/shortcut", "LNK-002"


def virtual(file: Any) -> Any:
    group = first(file, "NXdata", "data")
    link = group.get("data", getlink=True)
    data = group["data"]
    return data if isinstance(link, h5py.HardLink) and data.is_virtual else None


def virtual_again(data: Any, file_of: Callable[[str], str], path_of: Callable[[str], str]) -> None:
    group, layout = data.parent, h5py.VirtualLayout(data.shape, data.dtype)
    sources = data.virtual_sources()
    length = data.shape[0] // len(sources)
    for k, source in enumerate(sources):
        place = h5py.VirtualSource(
            file_of(source.file_name) if k == 0 else source.file_name,
            path_of(source.dset_name) if k == 0 else source.dset_name,
            (length, *data.shape[1:]),
        )
        layout[k * length : (k + 1) * length] = place
    del group["data"]
    group.create_virtual_dataset("data", layout)


@mutant
def virtual_source_missing(file: Any) -> Expected:
    data = virtual(file)
    if data is None or data.shape[0] % len(data.virtual_sources()):
        return None
    path = data.name
    virtual_again(data, lambda name: "gone.h5", lambda name: name)
    return path, "LNK-003"


@mutant
def virtual_source_without_dataset(file: Any) -> Expected:
    data = virtual(file)
    if data is None or data.shape[0] % len(data.virtual_sources()):
        return None
    path = data.name
    virtual_again(data, lambda name: name, lambda name: "/not/there")
    return path, "LNK-003"


@mutant
def virtual_frames_without_source(file: Any) -> Expected:
    data = virtual(file)
    if data is None or len(data.virtual_sources()) < 2:
        return None
    group, source = data.parent, data.virtual_sources()[0]
    path, length = data.name, data.shape[0] // len(data.virtual_sources())
    layout = h5py.VirtualLayout(data.shape, data.dtype)
    place = h5py.VirtualSource(source.file_name, source.dset_name, (length, *data.shape[1:]))
    layout[:length] = place
    del group["data"]
    group.create_virtual_dataset("data", layout)
    return path, "LNK-003"


@mutant
def module_missing(file: Any) -> Expected:
    groups = of_class(file, "NXdetector_module")
    if len(groups) < 2:
        return None
    detector = groups[-1].parent
    del detector[groups[-1].name.rsplit("/", 1)[-1]]
    return detector.name, "MOD-003"


@mutant
def entry_without_class(file: Any) -> Expected:
    entry = first(file, "NXentry")
    file.move(entry.name, "run_7")
    file.attrs["default"] = "run_7"
    for path in ("data/data", "data/omega"):
        link = entry.get(path, getlink=True)
        if isinstance(link, h5py.SoftLink):
            del entry[path]
            entry[path] = h5py.SoftLink(link.path.replace("/entry/", "/run_7/"))

    def rename_targets(name: str, node: Any) -> None:
        if "depends_on" in node.attrs:
            node.attrs["depends_on"] = text(node.attrs["depends_on"]).replace("/entry/", "/run_7/")

    entry.visititems(rename_targets)
    for group in (*of_class(file, "NXsample"), *of_class(file, "NXdetector")):
        path = text(group["depends_on"][()]).replace("/entry/", "/run_7/")
        replace(group, "depends_on", path)
    formula = formula_group(file)
    if formula is not None:
        del formula["data"]
        formula["data"] = h5py.SoftLink("/run_7/instrument/detector/data")
    del file["run_7"].attrs["NX_class"]
    return "/run_7", "ENT-003"


@mutant
def part_of_the_stack_missing(file: Any) -> Expected:
    group = first(file, "NXdata", "data_000002")
    if group is None:
        return None
    group.move("data_000001", "other")
    del group["other"]
    return group.name, "DAT-007"


# Formulas and events


def formula_group(file: Any) -> Any:
    found = []

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Group) and "formula_language" in node.attrs:
            found.append(node)

    file.visititems(visit)
    return found[0] if found else None


for _label, _attribute, _value, _rules in (
    ("formula_that_does_not_parse", "formula", "(data - pedestal", "FRM-001"),
    ("formula_missing", "formula", None, "FRM-001"),
    ("formula_of_another_language", "formula_language", "fortran-77", "FRM-002"),
    ("formula_with_unknown_result", "formula_results", ["stages"], "FRM-003"),
    ("formula_without_axes", "formula_axes", None, "FRM-004"),
    ("formula_of_unknown_dtype", "formula_dtype", "float128", "FRM-005"),
    ("formula_in_other_units", "formula_units", "mm", "FRM-006"),
    ("formula_of_two_dimensions", "formula_axes", ["slow", "fast"], "FRM-004 FRM-007"),
):

    def _change(
        file: Any, attribute: str = _attribute, value: Any = _value, rules: str = _rules
    ) -> Expected:
        return set_attribute(formula_group(file), attribute, value, rules)

    _change.__name__ = _label
    mutant(_change)


@mutant
def formula_with_unknown_symbol(file: Any) -> Expected:
    group = formula_group(file)
    if group is None:
        return None
    formula = text(group.attrs["formula"]).replace("gain[", "gian[")
    return set_attribute(group, "formula", formula, "FRM-003")


@mutant
def gain_plane_missing(file: Any) -> Expected:
    group = formula_group(file)
    if group is None or "gain" not in group:
        return None
    replace(group, "gain", group["gain"][:-1])
    del group.attrs["gain_checksum"]
    return f"{group.name}/gain", "FRM-004"


@mutant
def constant_axes_swapped(file: Any) -> Expected:
    group = formula_group(file)
    if group is None or "gain" not in group:
        return None
    group.attrs["gain_axes"] = ["stage", "fast", "slow"]
    return f"{group.name}/gain", "FRM-004"


@mutant
def constant_turned(file: Any) -> Expected:
    group = formula_group(file)
    if group is None or "pedestal" not in group:
        return None
    replace(group, "pedestal", group["pedestal"][()].swapaxes(1, 2))
    del group.attrs["pedestal_checksum"]
    return f"{group.name}/pedestal", "FRM-004"


@mutant
def constant_of_text(file: Any) -> Expected:
    group = formula_group(file)
    if group is None or "gain" not in group:
        return None
    del group["gain"]
    group["gain"] = "forty"
    return f"{group.name}/gain", "FRM-005"


@mutant
def constant_in_other_units(file: Any) -> Expected:
    group = formula_group(file)
    if group is None or "pedestal" not in group:
        return None
    set_attribute(group["pedestal"], "units", "keV", "")
    return group.name, "FRM-006"


@mutant
def constant_changed(file: Any) -> Expected:
    group = formula_group(file)
    if group is None or "gain_checksum" not in group.attrs:
        return None
    values = group["gain"][()]
    values[0, 0, 0] += 1
    group["gain"][...] = values
    return f"{group.name}/gain", "FRM-010"


@mutant
def formula_without_description(file: Any) -> Expected:
    group = formula_group(file)
    if group is None:
        return None
    del group["description"]
    return group.name, "FRM-008"


@mutant
def scaling_beside_the_formula(file: Any) -> Expected:
    group = formula_group(file)
    if group is None:
        return None
    name = group.name.removesuffix("_formula") + "_scaling_factor"
    file[name] = 0.5
    return name, "FRM-009"


def event_table(file: Any) -> Any:
    found = []

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Group) and "events_language" in node.attrs:
            found.append(node)

    file.visititems(visit)
    return found[0] if found else None


@mutant
def row_beyond_the_source(file: Any) -> Expected:
    table = event_table(file)
    if table is None:
        return None
    table["frame_index"][0, 0] = 1_000_000
    return f"{table.name}/frame_index", "EVT-001"


@mutant
def row_of_minus_two(file: Any) -> Expected:
    table = event_table(file)
    if table is None:
        return None
    table["frame_index"][0, 0] = -2
    return f"{table.name}/frame_index", "EVT-001"


@mutant
def event_id_twice(file: Any) -> Expected:
    table = event_table(file)
    if table is None:
        return None
    table["event_id"][1] = table["event_id"][0]
    return f"{table.name}/event_id", "EVT-002"


@mutant
def one_event_id_too_many(file: Any) -> Expected:
    table = event_table(file)
    if table is None:
        return None
    replace(table, "event_id", np.append(table["event_id"][()], 99_999).astype("u8"))
    return f"{table.name}/event_id", "EVT-002"


@mutant
def modules_miscounted(file: Any) -> Expected:
    table = event_table(file)
    if table is None:
        return None
    table["present"][0] = 1
    return f"{table.name}/present", "EVT-002"


@mutant
def source_rows_wrong(file: Any) -> Expected:
    table = event_table(file)
    if table is None:
        return None
    table["module_0/source_rows"][0] = 7
    return f"{table.name}/module_0/source_rows", "EVT-002"


@mutant
def first_id_of_another_run(file: Any) -> Expected:
    table = event_table(file)
    if table is None:
        return None
    table["module_1/first_id"][0] = 1004
    return f"{table.name}/module_1/first_id", "EVT-003"
