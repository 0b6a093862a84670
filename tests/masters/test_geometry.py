"""Geometry files in every spelling, against EXtra-geom and nxmx, and there and back again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nxformula
from nxformula.cli import main
from nxformula.errors import FileError
from nxformula.masters.geometry.chains import Chains, Placed, detectors_of
from nxformula.masters.geometry.crystfel import Geometry, Panel, parse_geometry, read_geometry
from nxformula.masters.geometry.crystfel_writer import geometry_text
from nxformula.masters.geometry.hierarchy import corner_of, hierarchy, steps_of
from nxformula.masters.geometry.writing import write_geometry

SHARED = Path(__file__).parents[3] / "shared"

PANEL = """
res = 5000
clen = 0.1
p/min_fs = 0
p/max_fs = 7
p/min_ss = 0
p/max_ss = 3
p/corner_x = 1
p/corner_y = 2
"""


def one(**changed: str) -> Geometry:
    """A geometry of one panel with other lines."""
    lines = [line for line in PANEL.splitlines() if line]
    kept = [line for line in lines if line.partition(" ")[0] not in changed]
    return parse_geometry("\n".join([*kept, *(f"{k} = {v}" for k, v in changed.items() if v)]))


# Spellings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", (1, 0, 0)),
        ("-y", (0, -1, 0)),
        ("- 1.0y", (0, -1, 0)),
        ("+1.0x -0.002y", (1, -0.002, 0)),
        ("+0.005x-1.0y", (0.005, -1, 0)),
        ("-1.0y +0.005x", (0.005, -1, 0)),
        ("+0.0x  +1.0 y + .5z", (0, 1, 0.5)),
        ("1.0x 0.0y", (1, 0, 0)),
        ("1e-3x + 1E0y", (0.001, 1, 0)),
    ],
)
def test_directions(text: str, expected: tuple[float, ...]) -> None:
    assert one(**{"p/fs": text}).panels["p"].fs == expected


@pytest.mark.parametrize(
    "text", ["1", "q", "1x2y", "x + x", "0x", "+", "1.0", "--x", "xy", "1.0x, 2.0y"]
)
def test_what_is_no_direction(text: str) -> None:
    with pytest.raises(FileError, match=r"geometry, line \d+: .* no direction"):
        one(**{"p/fs": text})


@pytest.mark.parametrize(
    ("text", "metres"), [("0.177", 0.177), ("177 mm", 0.177), ("0.177 m", 0.177), ("177mm", 0.177)]
)
def test_distances(text: str, metres: float) -> None:
    assert one(clen=text).clen == pytest.approx(metres)


def test_distance_in_a_file() -> None:
    assert one(clen="/LCLS/detector_1/EncoderValue mm").clen == "/LCLS/detector_1/EncoderValue"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("photon_energy", "9300"),
        ("photon_energy", "9.3 keV"),
        ("photon_energy", "9300 eV"),
        ("wavelength", "1.3331634 A"),
        ("wavelength", "1.3331634e-10 m"),
    ],
)
def test_wavelengths(key: str, text: str) -> None:
    assert one(**{key: text}).wavelength == pytest.approx(12398.42 / 9300, rel=1e-6)
    assert one(photon_energy="/LCLS/photon_energy eV").wavelength is None


def test_defaults_hold_for_panels_after_them() -> None:
    text = PANEL + "coffset = 0.5\nq/min_fs = 0\nq/max_fs = 1\nq/min_ss = 0\nq/max_ss = 1\n"
    text += "q/corner_x = 0\nq/corner_y = 0\nq/res = 10000 ; per panel\n"
    panels = parse_geometry(text).panels
    assert [panels[name].coffset for name in "pq"] == [0, 0.5]
    assert [panels[name].res for name in "pq"] == [5000, 10000]


def test_groups_with_spaces_and_regions() -> None:
    text = PANEL + "rigid_group_a = p , p\nrigid_group_collection_all = a\n"
    text += "bad_beam/min_x = -10.5\nbad_beam/max_x = 3\nbadp/panel = p\nbadp/min_fs = 1\n"
    text += "adu_per_eV = 1\nmask0_data = /mask\nbeam_bandwidth = 0.01\np/no_index = 1\n"
    found = parse_geometry(text)
    assert found.collections == {"all": {"a": ("p", "p")}}
    assert [(region.name, region.panel) for region in found.bad] == [
        ("bad_beam", None),
        ("badp", "p"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("p/corner_x", "line 9: 'p/corner_x' is not of the form key = value"),
        ("unknown = 3", "line 9: 'unknown' is not a key of CrystFEL that is known here"),
        ("p/min_fs = 0.5", "line 9: '0.5' is no whole number of pixels"),
        ("p/corner_x = a", "line 9: 'a' is no number"),
        ("clen = 3 inch", "line 9: '3 inch' is no number, or not in m, mm"),
        ("dim0 = x", "line 9: 'x' is no dimension; expected %, ss, fs or a place"),
        ("p/clen = 0.3", "line 9: panels at different clen"),
        ("bad1/min_q = 3", "line 9: 'min_q' is no key of a bad region"),
        ("q/min_fs = 0", "line 9: panel q has no max_fs, min_ss, max_ss, corner_x, corner_y"),
        ("p/max_fs = -3", "line 2: panel p has"),
        ("p/res = 0", "panel p has res 0"),
        ("rigid_group_collection_a = g", "names the group g, and has none"),
        ("rigid_group_g = q\nrigid_group_collection_a = g", "group g has q, which is no panel"),
        ("bad1/panel = q", "bad region bad1 is of q, which is no panel"),
    ],
)
def test_lines_that_are_not_understood(line: str, message: str) -> None:
    text = PANEL.lstrip() + line + "\n"
    with pytest.raises(FileError, match=message.split(":")[-1].strip().replace("(", r"\(")[:40]):
        parse_geometry(text)
    if message.startswith("line 9"):
        with pytest.raises(FileError, match="geometry, line 9: "):
            parse_geometry(text)


def test_no_panels() -> None:
    with pytest.raises(FileError, match="has no panels"):
        parse_geometry("; nothing\n")
    with pytest.raises(FileError, match="No such file"):
        read_geometry("/no/such.geom")


# In a file


def write(path: Path, geometry: Geometry, distance: float = 0.1) -> list[Placed]:
    with h5py.File(path, "w") as file:
        detector = file.create_group("entry/instrument/detector")
        detector.attrs["NX_class"] = "NXdetector"
        origins = {n: (p.min_ss, p.min_fs) for n, p in geometry.panels.items()}
        write_geometry(detector, hierarchy(geometry), distance, origins)
        return Chains(file).modules(detector)


NUMBERS = st.floats(-1000, 1000).map(lambda x: round(x, 4))
SIZES = st.integers(1, 40)


def direction(vector: np.ndarray) -> str:
    return " ".join(f"{value:+.12f}{axis}" for value, axis in zip(vector, "xyz", strict=True))


def at_distance(panel: Panel, distance: float) -> np.ndarray:
    return corner_of(panel) + np.array([0, 0, distance])


@st.composite
def geometries(draw: Any) -> Geometry:
    """Any panels, in two levels of groups."""
    lines = ["clen = 0.2"]
    names: list[str] = []
    for q in range(draw(st.integers(1, 3))):
        modules = []
        for m in range(draw(st.integers(1, 3))):
            chips = [f"q{q}m{m}a{a}" for a in range(draw(st.integers(1, 3)))]
            for name in chips:
                angle, tilt = draw(st.floats(-3.2, 3.2)), draw(st.floats(-0.1, 0.1))
                fast = np.array([np.cos(angle), np.sin(angle), tilt]) * draw(st.floats(0.9, 1.1))
                slow = np.array([-np.sin(angle), np.cos(angle), 0])
                size = draw(SIZES), draw(SIZES)
                lines += [
                    f"{name}/res = {draw(st.sampled_from([5000, 13333.3]))}",
                    f"{name}/fs = {direction(fast)}",
                    f"{name}/ss = {direction(slow)}",
                    f"{name}/corner_x = {draw(NUMBERS)}",
                    f"{name}/corner_y = {draw(NUMBERS)}",
                    f"{name}/coffset = {draw(st.floats(-0.01, 0.01))}",
                    *(f"{name}/min_{a} = 0" for a in ("fs", "ss")),
                    f"{name}/max_ss = {size[0] - 1}",
                    f"{name}/max_fs = {size[1] - 1}",
                ]
            names += chips
            modules += chips
            lines.append(f"rigid_group_q{q}m{m} = {','.join(chips)}")
        lines.append(f"rigid_group_q{q} = {','.join(modules)}")
    groups = sorted({name.rpartition("a")[0] for name in names})
    lines.append(f"rigid_group_collection_modules = {','.join(groups)}")
    quads = sorted({name.partition("m")[0] for name in names})
    lines.append(f"rigid_group_collection_quads = {','.join(quads)}")
    return parse_geometry("\n".join(lines))


@given(geometries())
@settings(max_examples=40, deadline=None)
def test_there_and_back(tmp_path_factory: pytest.TempPathFactory, geometry: Geometry) -> None:
    placed = write(tmp_path_factory.mktemp("geometry") / "x.h5", geometry, 0.2)
    by_name = {module.name: module for module in placed}
    again = parse_geometry(geometry_text(placed, "/entry/data/data", 1.5))
    assert again.wavelength == pytest.approx(1.5)
    for name, panel in geometry.panels.items():
        wanted = at_distance(panel, 0.2)
        other = again.panels[name]
        assert isinstance(again.clen, float)
        for corner, steps in (
            (by_name[name].origin, (by_name[name].fast, by_name[name].slow)),
            (at_distance(other, again.clen), steps_of(other)),
        ):
            # To 1e-3 of a pixel at the far corner.
            far = [
                c + s[0] * panel.size[1] + s[1] * panel.size[0]
                for c, s in ((wanted, steps_of(panel)), (corner, steps))
            ]
            assert np.abs(wanted - corner).max() * panel.res < 1e-3
            assert np.abs(far[0] - far[1]).max() * panel.res < 1e-3
        assert (other.min_fs, other.max_ss) == (panel.min_fs, panel.max_ss)


def test_groups_that_overlap() -> None:
    panels = "".join(PANEL.replace("p/", f"{name}/") for name in ("a", "b", "c", "d"))
    one_collection = "rigid_group_x = a,b\nrigid_group_y = b,c\nrigid_group_collection_k = x,y\n"
    with pytest.raises(FileError, match="panel b is in the groups x and y"):
        hierarchy(parse_geometry(panels + one_collection))
    two = "rigid_group_x = a,b\nrigid_group_y = c,d\nrigid_group_collection_k = x,y\n"
    two += "rigid_group_u = a\nrigid_group_v = b,c\nrigid_group_w = d\n"
    two += "rigid_group_collection_l = u,v,w\n"
    with pytest.raises(FileError, match="group v is not within one group of the level above"):
        hierarchy(parse_geometry(panels + two))


# Other people's software


def test_positions_of_extra_geom(tmp_path: Path) -> None:
    extra_geom = pytest.importorskip("extra_geom", reason="computes positions of pixels")
    quads = [(-525, 625), (-550, -10), (520, -160), (542.5, 475)]
    agipd = extra_geom.AGIPD_1MGeometry.from_quad_positions(quads).rotate((1, 0.5, 3))
    path = tmp_path / "agipd.geom"
    agipd.write_crystfel_geom(str(path), dims=("frame", "modno", "ss", "fs"), clen=0.2)
    expected = agipd.get_pixel_positions(centre=True)
    modules = write(tmp_path / "agipd.h5", read_geometry(str(path)), 0.2)
    assert len(modules) == 128
    for module in modules:
        number, chip = (int(n) for n in module.name[1:].split("a"))
        own = expected[number, 64 * chip : 64 * (chip + 1)] + [0, 0, 0.2]
        assert np.abs(module.positions() - own).max() / 2e-4 < 1e-3

    positions = [(0, 0), (100, 50)]
    jungfrau = extra_geom.JUNGFRAUGeometry.from_module_positions(positions)
    path = tmp_path / "jungfrau.geom"
    jungfrau.write_crystfel_geom(str(path), dims=("frame", "modno", "ss", "fs"), clen=0.1)
    expected = jungfrau.get_pixel_positions(centre=True)
    geometry = read_geometry(str(path))
    for module in write(tmp_path / "jungfrau.h5", geometry, 0.1):
        panel = geometry.panels[module.name]
        own = expected[panel.plane or 0][
            panel.min_ss : panel.max_ss + 1, panel.min_fs : panel.max_fs + 1
        ]
        assert np.abs(module.positions() - own - [0, 0, 0.1]).max() / 75e-6 < 1e-3


def test_chains_of_nxmx(tmp_path: Path) -> None:
    nxmx = pytest.importorskip("nxmx", reason="resolves chains on its own")
    text = "".join(PANEL.replace("p/", f"{n}/") for n in ("a", "b", "c"))
    text += "a/fs = +0.8x +0.6y\na/ss = -0.6x +0.8y\nb/corner_x = 40.5\nc/coffset = 0.002\n"
    text += "rigid_group_g = a,b\nrigid_group_h = c\nrigid_group_collection_k = g,h\n"
    path = tmp_path / "x.h5"
    modules = write(path, parse_geometry(text))
    with h5py.File(path) as file:
        for module in modules:
            group = nxmx.NXdetector_module(file[f"/entry/instrument/detector/{module.name}"])
            axis = group.fast_pixel_direction
            chain = nxmx.get_dependency_chain(axis)
            found = nxmx.get_cumulative_transformation(chain)[0][:3, 3] / 1000
            # The chain ends with the step itself.
            np.testing.assert_allclose(found, module.origin + module.fast, atol=1e-9)


@pytest.mark.skipif(not SHARED.exists(), reason="files of others are not beside the checkout")
def test_jungfrau_16m_of_cctbx() -> None:
    geometry = read_geometry(str(SHARED / "data/nxmx/cctbx_jf16m/jf16m.geom"))
    assert len(geometry.panels) in (32, 256)
    root = hierarchy(geometry)
    assert len(list(root.leaves())) == len(geometry.panels)


#: Of a file: how many modules its detector has, and the first module's corner in mm.
OTHERS = {
    "nexgen_eiger_rotation/rot_1.nxs": 1,
    "nexgen_jungfrau/jf_1.nxs": 1,
    "dls_i03_Therm_6_2.nxs": 1,
    "dls_hyperion_rotation_scan_0.nxs": 1,
    "dls_nexgen_xrc_209_master.h5": 1,
    "dls_i03_ins_8_5/rotation/ins_8_5.nxs": 1,
    "dxtbx_writer/dxtbx_cspad.h5": 64,
    "cctbx_jf16m/jf16m_modules_master.h5": 32,
}


@pytest.mark.skipif(not SHARED.exists(), reason="files of others are not beside the checkout")
@pytest.mark.parametrize("name", OTHERS)
def test_files_of_others_are_where_nxmx_says(name: str) -> None:
    nxmx = pytest.importorskip("nxmx", reason="resolves chains on its own")
    path = SHARED / "data/nxmx" / name
    with nxformula.open(path) as file:
        (detector,) = detectors_of(file)
        modules = Chains(file).modules(file[detector])
    assert len(modules) == OTHERS[name]
    with h5py.File(path) as file:
        for module in modules:
            group = nxmx.NXdetector_module(file[f"{detector}/{module.name}"])
            for axis, step in (("fast", module.fast), ("slow", module.slow)):
                chain = nxmx.get_dependency_chain(getattr(group, f"{axis}_pixel_direction"))
                found = nxmx.get_cumulative_transformation(chain)[0][:3, 3] / 1000
                np.testing.assert_allclose(found, module.origin + step, atol=1e-7)


# The command


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, output = tmp_path / "x.h5", tmp_path / "x.geom"
    write(path, one(**{"p/fs": "-y", "p/ss": "x"}))
    assert main(["geometry", str(path)]) == 0
    said = capsys.readouterr().out
    assert said == "p: 4 x 8 pixels from [0, 0], corner at (0.2000, 0.4000, 100.0000) mm\n"
    assert main(["geometry", str(path), "--output", str(output)]) == 0
    assert read_geometry(str(output)).panels["p"].fs == (0, -1, 0)
    arrays = tmp_path / "x.npz"
    assert main(["geometry", str(path), "--positions", str(arrays)]) == 0
    with np.load(arrays) as found:
        assert found["p"].shape == (4, 8, 3)
        np.testing.assert_allclose(found["p"][0, 0], [0.0003, 0.0003, 0.1], atol=1e-12)
    assert main(["geometry", str(path), "--detector", "/entry/none"]) == 2
    assert "has no /entry/none" in capsys.readouterr().err
    with h5py.File(path, "r+") as file:
        del file["/entry/instrument/detector/p/fast_pixel_direction"].attrs["units"]
    assert main(["geometry", str(path)]) == 2
    assert "p/fast_pixel_direction in " in capsys.readouterr().err


def test_axes_of_other_files_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    path = folder / "x.h5"
    write(path, one())
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["axis"] = 1.0
    axis = "/entry/instrument/detector/p/fast_pixel_direction"
    for target in ("../secret.h5", "none.h5"):
        with h5py.File(path, "r+") as file:
            del file[axis]
            file[axis] = h5py.ExternalLink(target, "/axis")
        with (
            nxformula.open(path) as file,
            pytest.raises(FileError, match="none.h5" if target == "none.h5" else "secret"),
        ):
            Chains(file).modules(file["/entry/instrument/detector"])


def test_values_of_other_files_are_not_read(tmp_path: Path) -> None:
    """Virtual sources and raw storage lead out of a file as links do."""
    folder = tmp_path / "inside"
    folder.mkdir()
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["axis"] = [0.5]
    (tmp_path / "secret.raw").write_bytes(np.array([0.5]).tobytes())
    layout = h5py.VirtualLayout((1,), "f8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "axis", (1,))
    axis = "/entry/instrument/detector/p/fast_pixel_direction"
    for number in range(2):
        path = folder / f"{number}.h5"
        write(path, one())
        with h5py.File(path, "r+") as file:
            attributes = dict(file[axis].attrs)
            del file[axis]
            if number:
                file.create_virtual_dataset(axis, layout)
            else:
                raw = [(str(tmp_path / "secret.raw"), 0, 8)]
                file.create_dataset(axis, (1,), "f8", external=raw)
            file[axis].attrs.update(attributes)
        with (
            nxformula.open(path) as file,
            pytest.raises(FileError, match=r"secret.*outside"),
        ):
            Chains(file).modules(file["/entry/instrument/detector"])


def _text_as_value(module: h5py.Group) -> None:
    _replace(module, "fast_pixel_direction", "0.0002")


def _compound_as_value(module: h5py.Group) -> None:
    _replace(module, "fast_pixel_direction", np.zeros(1, [("a", "f8")]))


def _nothing_as_value(module: h5py.Group) -> None:
    _replace(module, "fast_pixel_direction", h5py.Empty("f8"))


def _no_values(module: h5py.Group) -> None:
    _replace(module, "fast_pixel_direction", np.zeros(0))


def _no_size(module: h5py.Group) -> None:
    del module["data_size"]


def _group_as_size(module: h5py.Group) -> None:
    del module["data_size"]
    module.create_group("data_size")


def _text_as_vector(module: h5py.Group) -> None:
    module["fast_pixel_direction"].attrs["vector"] = "x"


def _vector_of_two(module: h5py.Group) -> None:
    module["fast_pixel_direction"].attrs["vector"] = [1.0, 0.0]


def _number_as_units(module: h5py.Group) -> None:
    module["fast_pixel_direction"].attrs["units"] = 3


def _far_too_many(module: h5py.Group) -> None:
    attributes = dict(module["fast_pixel_direction"].attrs)
    del module["fast_pixel_direction"]
    axis = module.create_dataset("fast_pixel_direction", (1 << 40,), "f8", chunks=(1 << 20,))
    axis.attrs.update(attributes)


def _replace(module: h5py.Group, name: str, value: Any) -> None:
    attributes = dict(module[name].attrs)
    del module[name]
    module[name] = value
    module[name].attrs.update(attributes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_text_as_value, "fast_pixel_direction in .* holds no numbers"),
        (_compound_as_value, "fast_pixel_direction in .* holds no numbers"),
        (_nothing_as_value, "fast_pixel_direction in .* holds no numbers"),
        (_no_values, "fast_pixel_direction in .* holds no numbers"),
        (_no_size, "/p/data_size is no field of"),
        (_group_as_size, "/p/data_size is no field of"),
        (_text_as_vector, "fast_pixel_direction in .* has no vector of 3 numbers"),
        (_vector_of_two, "fast_pixel_direction in .* has no vector of 3 numbers"),
        (_number_as_units, "fast_pixel_direction in .* units"),
        (_far_too_many, "has 1,099,511,627,776 values; expected at most 1,048,576"),
    ],
)
def test_fields_that_are_no_geometry(tmp_path: Path, change: Any, message: str) -> None:
    path = tmp_path / "x.h5"
    write(path, one())
    with h5py.File(path, "r+") as file:
        change(file["/entry/instrument/detector/p"])
    with nxformula.open(path) as file, pytest.raises(FileError, match=message):
        Chains(file).modules(file["/entry/instrument/detector"])


@pytest.mark.parametrize("stored", ["i4", ">f4", "u8", "f2"])
def test_numbers_of_any_type(tmp_path: Path, stored: str) -> None:
    path = tmp_path / "x.h5"
    wanted = write(path, one())[0]
    with h5py.File(path, "r+") as file:
        axis = file["/entry/instrument/detector/p/fast_pixel_direction"]
        axis.attrs.create("vector", [1, 0, 0], dtype=stored)
        axis.attrs["units"] = np.bytes_("mm")
    with nxformula.open(path) as file:
        (found,) = Chains(file).modules(file["/entry/instrument/detector"])
    np.testing.assert_array_equal(found.fast, wanted.fast)


@pytest.mark.skipif(not SHARED.exists(), reason="files of others are not beside the checkout")
@pytest.mark.parametrize("name", OTHERS)
def test_files_of_others_there_and_back(name: str, tmp_path: Path) -> None:
    """CSPAD of 64 chips, JUNGFRAU of 32 modules, single panels: as CrystFEL, and in NeXus again."""
    with nxformula.open(SHARED / "data/nxmx" / name) as file:
        (detector,) = detectors_of(file)
        modules = {m.name: m for m in Chains(file).modules(file[detector])}
    geometry = parse_geometry(geometry_text(list(modules.values()), "/entry/data/data", None))
    assert isinstance(geometry.clen, float)
    for again in write(tmp_path / "again.h5", geometry, geometry.clen):
        own = modules[again.name]
        pitch = np.linalg.norm(own.fast)
        assert np.abs(again.positions() - own.positions()).max() / pitch < 1e-3
