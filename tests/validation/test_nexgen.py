"""What nexgen writes today: told as a person would who reads the file and the definition."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import nxformula

nxs_utils = pytest.importorskip("nexgen.nxs_utils")
nxmx_writer = pytest.importorskip("nexgen.nxs_write.nxmx_writer")

FRAMES, SHAPE = 10, (64, 48)


def rotation(folder: Path, sample: bool) -> Path:
    """A scan with a JUNGFRAU, which has no file of metadata."""
    axis, turn, shift = (
        nxs_utils.Axis,
        nxs_utils.TransformationType.ROTATION,
        nxs_utils.TransformationType.TRANSLATION,
    )
    omega = axis("omega", ".", turn, (-1, 0, 0), start_pos=0.0, increment=0.1, num_steps=FRAMES)
    goniometer = nxs_utils.Goniometer(
        [omega, axis("sam_x", "omega", shift, (1, 0, 0))], {"omega": np.arange(FRAMES) * 0.1}
    )
    params = nxs_utils.JungfrauDetector("Jungfrau", SHAPE)
    detector = nxs_utils.Detector(
        params,
        [axis("det_z", ".", shift, (0, 0, 1), 200.0)],
        [24.0, 32.0],
        0.1,
        [(-1, 0, 0), (0, -1, 0)],
    )
    path = folder / "run.nxs"
    with h5py.File(folder / "run_000001.h5", "w") as file:
        file["data"] = np.zeros((FRAMES, *SHAPE), np.uint16)
    writer = nxmx_writer.NXmxFileWriter(
        path,
        goniometer,
        detector,
        nxs_utils.Source("I24"),
        nxs_utils.Beam(0.9763, flux=1e12),
        nxs_utils.Attenuator(0.5),
        FRAMES,
        **({"sample": nxs_utils.Sample(name="insulin")} if sample else {}),
    )
    writer.write(
        start_time="2024-05-01T10:11:12Z",
        est_end_time="2024-05-01T10:11:13Z",
        image_datafiles=[folder / "run_000001.h5"],
    )
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("sample", [True, False])
def test_a_rotation_scan(sample: bool, tmp_path: Path) -> None:
    told = {
        (finding.rule, finding.path, finding.attribute)
        for finding in nxformula.validate(rotation(tmp_path, sample))
    }
    expected = {
        # The signal is the virtual dataset, which has not been written yet.
        ("NXMX-DAT-002", "/entry/data", "signal"),
        # The units are in an attribute 'u'.
        ("NXMX-BEA-005", "/entry/instrument/beam/total_flux", "u"),
        # Neither has units, though omega has.
        ("NXMX-CHN-010", "/entry/sample/transformations/omega_end", "units"),
        ("NXMX-CHN-010", "/entry/sample/transformations/omega_increment_set", "units"),
    }
    if not sample:
        # NXmx requires a name of the sample.
        expected.add(("NXMX-STR-001", "/entry/sample", None))
    assert told == expected
