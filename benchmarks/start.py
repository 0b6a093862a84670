"""What it costs to start: import in a fresh process, and from text to kernel.

python benchmarks/start.py [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable

#: Packages that `import nxformula` must not load.
HEAVY = (
    *("sympy", "pint", "dask", "distributed", "xarray", "llvmlite", "numba", "matplotlib"),
    *("pandas", "scipy", "hdf5plugin", "jsonschema", "rich"),
)

_IMPORT = """
import json, sys, time
start = time.process_time(), time.perf_counter()
import {module}
spent = time.process_time() - start[0], time.perf_counter() - start[1]
print(json.dumps([*spent, sorted({{name.split(".")[0] for name in sys.modules}})]))
"""


def import_in_fresh_process(module: str) -> tuple[float, float, list[str]]:
    """CPU time and wall time of an import, and the packages that are loaded after it."""
    command = [sys.executable, "-c", _IMPORT.format(module=module)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    cpu, wall, loaded = json.loads(run.stdout)
    return cpu, wall, loaded


def fastest(action: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    print("| import, fresh process | CPU ms | wall ms |\n|---|---|---|")
    loaded: list[str] = []
    for module in ("numpy", "h5py", "nxformula"):
        runs = [import_in_fresh_process(module) for _ in range(rounds)]
        cpu, wall = min(run[0] for run in runs), min(run[1] for run in runs)
        loaded = runs[-1][2]
        print(f"| {module} | {1e3 * cpu:.0f} | {1e3 * wall:.0f} |")
    heavy = sorted(set(HEAVY) & set(loaded))
    print(f"\nMust not be loaded: {', '.join(HEAVY)}. Loaded: {', '.join(heavy) or 'none'}.\n")

    import nxformula
    from nxformula.interop.benchmark.frames import JUNGFRAU, JUNGFRAU_SYMBOLS, PIXELS

    def compiled() -> object:
        return nxformula.compile(JUNGFRAU, JUNGFRAU_SYMBOLS, axes=PIXELS)

    print("| Jungfrau formula | ms |\n|---|---|")
    first = 1e3 * fastest(compiled, 1)
    print(f"| first compile of a process | {first:.1f} |")
    parse = fastest(lambda: nxformula.parse(JUNGFRAU), rounds)
    print(f"| parse | {1e3 * parse:.2f} |")
    print(f"| parse, check, compile | {1e3 * fastest(compiled, rounds):.2f} |")
    if heavy:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
