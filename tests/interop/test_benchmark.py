"""`nxformula bench`: every contender is compared with the naive calculation."""

from __future__ import annotations

import pytest

from nxformula.cli import main
from nxformula.interop.benchmark.report import QUICK, tables


def test_every_result_is_the_same_bits() -> None:
    found = {table.title: table for table in tables(QUICK, {})}
    assert len(found) == 10
    checked = [
        (title, row)
        for title, table in found.items()
        for row in table.rows
        if {"result", "against the first"} & set(table.header)
        or table.header[-1].startswith("against")
    ]
    wrong = [each for each in checked if not {"same bits", "-"} & set(each[1])]
    assert len(checked) > 30
    assert wrong == []


def test_the_command_prints_tables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nxformula.cli.bench.tables", lambda extent, peers: [*tables_of(extent)])
    assert main(["bench", "--quick"]) == 0
    printed = capsys.readouterr().out
    assert "cores, Python 3." in printed.splitlines()[0]
    assert "### Growth with the length of the formula" in printed


def tables_of(extent: object) -> object:
    from nxformula.interop.benchmark import kernels

    assert extent is QUICK
    return [kernels.length_table(1, (1,), 64)]
