"""Print all tables, with the peers that are installed beside them.

python benchmarks/run.py [--peers] [--quick]
"""

from __future__ import annotations

import argparse

from nxformula.interop.benchmark.report import FULL, QUICK, machine, markdown, tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", action="store_true", help="pip install '.[bench]' has them")
    parser.add_argument("--quick", action="store_true", help="small frames, one round")
    arguments = parser.parse_args()
    extent = QUICK if arguments.quick else FULL
    print(machine(), flush=True)
    contenders = {}
    if arguments.peers:
        import peers

        contenders = peers.contenders()
        print(f"\nPeers: {peers.versions()}.", flush=True)
    for table in tables(extent, contenders):
        print(f"\n{markdown(table)}", flush=True)
    if arguments.peers:
        print(f"\n{markdown(peers.flat_field_table(extent.sizes[0], extent.rounds))}")


if __name__ == "__main__":
    main()
