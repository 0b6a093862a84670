"""A raw Jungfrau run, calibrated by the formula inside it.

Run as `python examples/01_jungfrau.py FOLDER`.
"""

import sys
from pathlib import Path

import h5py
import numpy as np

import nxformula
from nxformula.interop.picture import draw_frame
from nxformula.masters.demonstration import write_demonstration

FORMULA = """
let stage  = data >> 14;                    # the two gain bits
let counts = data & 0x3FFF;                 # 14 bits of signal
let plane  = choose(stage, 0, 1, -1, 2);    # code 2 is invalid: outside the table, so NaN
(counts - pedestal[plane]) / gain[plane]
"""


def main(folder: Path) -> None:
    """Make the run, attach the formula, read, and compare with numpy."""
    # What a beamline has: a compressed raw stack, constants, and an NXmx master that links to it.
    folder.mkdir(parents=True, exist_ok=True)
    run = write_demonstration(folder)

    # The formula goes into a new master. Raw stack and constants are only linked.
    master = folder / "run_formula.nxs"
    nxformula.attach(
        run.master,
        run.field,
        FORMULA,
        [
            f"pedestal={run.pedestal}:/pedestal[stage,slow,fast]{{count}}",
            f"gain={run.gain}:/gain[stage,slow,fast]{{count/keV}}",
        ],
        units="keV",
        results=("stage",),
        output=master,
        force=True,
    )

    # Any program that reads with nxformula.open in place of h5py.File sees energies.
    with nxformula.open(master) as file:
        images = file[run.field]
        frame = images[0]
        rows = images[:, 100:110]
        stage = images.result("stage")[0]
        draw_frame(images, 0, folder / "01_jungfrau.png", force=True)
    shares = np.bincount(stage.ravel(), minlength=4) / stage.size
    print(f"frame {frame.shape} in {images.units}, strongest pixel {np.nanmax(frame):.0f}")
    print(f"ten rows of all frames {rows.shape}")
    print("gain codes 0, 1, 2, 3:", ", ".join(f"{share:.2%}" for share in shares))

    # The same by hand, from the files as stored.
    with (
        h5py.File(run.stack) as stack,
        h5py.File(run.pedestal) as pedestals,
        h5py.File(run.gain) as gains,
    ):
        raw, pedestal, gain = stack["data"][0], pedestals["pedestal"][...], gains["gain"][...]
    code = raw >> 14
    plane = np.array([0, 1, 0, 2])[code]
    y, x = np.indices(raw.shape)
    counts = (raw & 0x3FFF).astype(np.float32)
    by_hand = (counts - pedestal[plane, y, x]) / gain[plane, y, x]
    by_hand[code == 2] = np.nan
    print("equal to numpy, bit for bit:", np.array_equal(frame, by_hand, equal_nan=True))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "jungfrau"))
