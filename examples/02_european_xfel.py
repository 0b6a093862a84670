"""From a run folder of European XFEL to a calibrated, assembled picture, with one command each.

Run as `python examples/02_european_xfel.py FOLDER`.
"""

import sys
from pathlib import Path

import h5py
import numpy as np

import nxformula
from nxformula.cli import main as command
from nxformula.masters.demonstration_runs import write_european_xfel


def main(folder: Path) -> None:
    """Make a run, its master and a picture; compare an image with numpy."""
    # A run folder with a file for each of 16 modules, a geometry file, constants, and what NXmx
    # asks for as TOML. Module 3 lost a train, and module 9 the last frame.
    run = write_european_xfel(folder)

    # nxformula master raw --geometry agipd.geom --metadata agipd.toml --preset agipd --symbol ...
    master = folder / "run.nxs"
    assert command([*run.command(master), "--force"]) == 0

    # nxformula plot run.nxs --assembled --frame 2 --output 02_european_xfel.png
    picture = folder / "02_european_xfel.png"
    options = ["--assembled", "--frame", "2", "--output", str(picture), "--force"]
    assert command(["plot", str(master), *options]) == 0

    with nxformula.open(master) as file:
        image = file["/entry/instrument/detector/data"][2]
        index = file["/entry/instrument/detector/event_index/frame_index"][2]

    # The same with numpy, module by module.
    with h5py.File(folder / "agipd_constants.h5") as constants:
        cell, stage = 0, 0
        offset, gain, bad = (constants[n][cell, stage] for n in ("offset", "relative_gain", "bad"))
    raw = np.zeros(offset.shape, np.float32)
    for number, row in enumerate(index):
        with h5py.File(folder / f"raw/RAW-R0238-AGIPD{number:02}-S00000.h5") as file:
            frames = file[f"INSTRUMENT/SPB_DET_AGIPD1M-1/DET/{number}CH0:xtdf/image/data"]
            raw[512 * number : 512 * (number + 1)] = frames[row, 0]
    expected = np.where(bad == 0, (raw - offset) * gain, np.float32(np.nan))
    print(f"as numpy, bit for bit: {np.array_equal(image, expected, equal_nan=True)}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "european-xfel"))
