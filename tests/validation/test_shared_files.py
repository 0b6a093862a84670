"""Files that other people's software wrote: what is told of each, reviewed one by one.

A person who reads the file and the definition agrees with every line; the comments say why.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import nxformula

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "nxmx"

EXPECTED = {
    # Offsets of all modules without units; 16 bits cannot hold the saturation value 1000000.
    # HYPERION: written by a simulation, without its raw files, with 'test_timeZ' for times.
    # THERM: raw file not at hand; data_size is (fast, slow); local times; layout of 2018.
    # INS: layout of 2018; the flat field is 0 everywhere.
    # CSPAD: depends_on names AXIS_RAIL, which the writer leaves out; no sensor is described.
    # NEXGEN: 'u' for 'units'; DECTRIS meta files have no units.
    # Raw and meta files are no NXmx files, which is one finding.
    "cctbx_jf16m/jf16m_modules_master.h5": [
        "warning NXMX-CHN-008 /entry/instrument/ELE_D0/ARRAY_D0Q0M0/fast_pixel_direction@offset",
        "warning NXMX-CHN-008 /entry/instrument/ELE_D0/ARRAY_D0Q0M0/slow_pixel_direction@offset",
        "warning NXMX-DET-006 /entry/instrument/ELE_D0/bit_depth_readout",
    ],
    "dectris_small/test_master.h5": [
        "error NXMX-ENT-001 /entry",
    ],
    "dls_hyperion_rotation_scan_0.nxs": [
        "error NXMX-LNK-001 /entry/data/data_000001",
        "error NXMX-LNK-001 /entry/data/data_000002",
        "error NXMX-LNK-001 /entry/data/data_000003",
        "error NXMX-LNK-001 /entry/data/data_000004",
        "error NXMX-TIM-001 /entry/end_time_estimated",
        "error NXMX-LNK-001 /entry/instrument/detector/bit_depth_image",
        "error NXMX-STR-001 /entry/sample",
        "error NXMX-TIM-001 /entry/start_time",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_end@units",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_increment_set@units",
    ],
    "dls_i03_Therm_6_2.nxs": [
        "error NXMX-STR-001 /entry",
        "error NXMX-LNK-001 /entry/data/data_000001",
        "error NXMX-STR-001 /entry/instrument",
        "error NXMX-MOD-004 /entry/instrument/detector/module/data_size",
        "error NXMX-BEA-008 /entry/instrument/source",
        "error NXMX-STR-001 /entry/sample",
        "warning NXMX-DAT-006 /entry/data/data",
        "warning NXMX-TIM-002 /entry/end_time",
        "warning NXMX-STR-004 /entry/instrument/detector/count_time@units",
        "warning NXMX-CHN-008 /entry/instrument/detector/module/module_offset@offset",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_end@units",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_increment_set@units",
        "warning NXMX-TIM-002 /entry/start_time",
    ],
    "dls_i03_ins_8_5/rotation/ins_8_5.nxs": [
        "error NXMX-STR-001 /entry",
        "error NXMX-BEA-008 /entry/instrument/source",
        "error NXMX-STR-001 /entry/sample",
        "warning NXMX-STR-004 /entry/instrument/detector/count_time@units",
        "warning NXMX-DET-003 /entry/instrument/detector/flatfield",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_end@units",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_increment_set@units",
    ],
    "dls_nexgen_xrc_209_master.h5": [
        "error NXMX-LNK-001 /entry/data/data_000001",
        "error NXMX-LNK-001 /entry/instrument/detector/bit_depth_image",
        "error NXMX-STR-001 /entry/sample",
        "warning NXMX-BEA-005 /entry/instrument/beam/total_flux@u",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_end@units",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_increment_set@units",
    ],
    "dxtbx_writer/dxtbx_cspad.h5": [
        "error NXMX-CHN-001 /entry/instrument/detector/depends_on",
        "warning NXMX-DAT-006 /entry/data/data",
        "warning NXMX-MOD-010 /entry/instrument/detector/sensor_material",
        "warning NXMX-MOD-010 /entry/instrument/detector/sensor_thickness",
        "info NXMX-SRC-001 /entry/source/name",
    ],
    "nexgen_eiger_rotation/rot_1.nxs": [
        "warning NXMX-BEA-005 /entry/instrument/beam/total_flux@u",
        "warning NXMX-STR-004 /entry/instrument/detector/detector_readout_time@units",
        "warning NXMX-STR-004 /entry/instrument/detector/threshold_energy@units",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_end@units",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_increment_set@units",
    ],
    "nexgen_jungfrau/jf_1.nxs": [
        "error NXMX-STR-001 /entry/sample",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_end@units",
        "warning NXMX-CHN-010 /entry/sample/transformations/omega_increment_set@units",
    ],
    "cctbx_jf16m/beam.h5": [
        "error NXMX-ENT-001 /",
    ],
    "cctbx_jf16m/run_0087.JF07T32V01.h5": [
        "error NXMX-ENT-001 /",
    ],
    "dectris_small/test_data_000001.h5": [
        "error NXMX-ENT-001 /entry",
    ],
    "dls_i03_ins_8_5/rotation/ins_8_5_meta.h5": [
        "error NXMX-ENT-001 /",
    ],
}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the shared files are not here")


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_told(name: str) -> None:
    report = nxformula.validate(FOLDER / name)
    found = [
        f"{finding.severity} {finding.rule} {finding.path}"
        + (f"@{finding.attribute}" if finding.attribute else "")
        for finding in report
    ]
    assert found == EXPECTED[name]


def test_turned_sizes_are_explained() -> None:
    report = nxformula.validate(FOLDER / "dls_i03_Therm_6_2.nxs", select=["NXMX-MOD-004"])
    assert [finding.message for finding in report] == [
        "data_size [4148, 4362] does not fit images of [4362, 4148], and [4362, 4148] does; "
        "it is stored fast to slow"
    ]


def test_what_all_modules_have_is_told_once() -> None:
    path = FOLDER / "cctbx_jf16m" / "jf16m_modules_master.h5"
    first = nxformula.validate(path).findings[0]
    assert first.message.endswith("(and 31 more like it)")
    assert len(first.related) == 31
