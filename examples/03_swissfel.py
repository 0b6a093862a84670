"""From a file of SwissFEL to a calibrated, assembled picture, with one command each.

Run as `python examples/03_swissfel.py FOLDER`.
"""

import sys
from pathlib import Path

import h5py
import numpy as np

import nxformula
from nxformula.cli import main as command
from nxformula.masters.demonstration_runs import write_swissfel


def main(folder: Path) -> None:
    """Make a run, its master and a picture; compare an image with numpy."""
    # A file with the frames of two modules, a geometry file with the gaps between chips, constants,
    # and what NXmx asks for as TOML. The last frame is flagged as damaged.
    run = write_swissfel(folder)

    # nxformula master run_000087.JF02T02V02.h5 --geometry jungfrau.geom --preset jungfrau ...
    master = folder / "run.nxs"
    assert command([*run.command(master), "--force"]) == 0

    # nxformula plot run.nxs --assembled --frame 1 --output 03_swissfel.png
    picture = folder / "03_swissfel.png"
    options = ["--assembled", "--frame", "1", "--output", str(picture), "--force"]
    assert command(["plot", str(master), *options]) == 0

    with nxformula.open(master) as file:
        images = file["/entry/instrument/detector/data"]
        image, frames = images[1], len(images)

    # The same with numpy.
    with h5py.File(run.sources[0]) as file:
        raw = file["data/JF02T02V02/data"][1]
    with h5py.File(folder / "jungfrau_constants.h5") as file:
        pedestal, gain = (file[name][:2] for name in ("pedestal", "gain"))
    stage = (raw >> 14)[np.newaxis].astype(int)
    pedestal, gain = (np.take_along_axis(each, stage, 0)[0] for each in (pedestal, gain))
    expected = ((raw & 0x3FFF).astype(np.float32) - pedestal) / gain
    same = np.array_equal(image, expected)
    print(f"{frames} good frames; as numpy, bit for bit: {same}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "swissfel"))
