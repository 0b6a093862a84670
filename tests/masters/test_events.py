"""Rows are matched by equality of ids: against plain dictionaries, whatever is lost or mixed up."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxformula.cli import main
from nxformula.errors import FileError, ForbiddenPathError, NXFormulaError
from nxformula.masters.events.matching import ABSENT, BAD, DUPLICATE, GOOD, match
from nxformula.masters.events.runs import read_run
from nxformula.masters.events.stacks import Stack, columns
from nxformula.nexus.event_index import EventFrames, event_fields
from nxformula.nexus.reader import open as open_reader

from .runs import SHAPE, stack, write_pairs


def by_dictionary(stacks: list[Stack]) -> dict[tuple[int, ...], list[tuple[int, int]]]:
    """Row and status of each module at each event."""
    events = {tuple(int(n) for n in ids) for each in stacks for ids in each.ids}
    found = {}
    for event in sorted(events):
        cells = []
        for each in stacks:
            rows = [k for k, ids in enumerate(each.ids) if tuple(int(n) for n in ids) == event]
            good = [k for k in rows if not each.bad[k]]
            status = BAD if rows else ABSENT
            if good:
                status = DUPLICATE if len(good) > 1 else GOOD
            cells.append((good[0] if good else -1, status))
        if any(row >= 0 for row, _ in cells):
            found[event] = cells
    return found


def assert_as_by_dictionary(stacks: list[Stack]) -> None:
    table, expected = match(stacks), by_dictionary(stacks)
    assert [tuple(int(n) for n in ids) for ids in table.ids] == list(expected)
    rows = [[row for row, _ in cells] for cells in expected.values()]
    status = [[state for _, state in cells] for cells in expected.values()]
    np.testing.assert_array_equal(table.frame_index, np.array(rows).reshape(table.status.shape))
    np.testing.assert_array_equal(table.status, np.array(status).reshape(table.status.shape))
    np.testing.assert_array_equal(table.present, (table.frame_index >= 0).sum(axis=1))
    assert table.frame_index.dtype == np.int32


IDS = st.lists(st.integers(0, 12), max_size=15)


@given(st.lists(st.tuples(IDS, st.randoms()), min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_any_ids(drawn: list[tuple[list[int], object]]) -> None:
    stacks = [
        stack(f"m{k}", ids, [random.random() < 0.2 for _ in ids])  # type: ignore[attr-defined]
        for k, (ids, random) in enumerate(drawn)
    ]
    assert_as_by_dictionary(stacks)


@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), max_size=10),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([0, 1 << 19, 1 << 40]),
    st.sampled_from([0, 1 << 30, 1 << 60]),
)
@settings(max_examples=100, deadline=None)
def test_trains_and_pulses(drawn: list[list[tuple[int, int]]], pulse: int, train: int) -> None:
    stacks = []
    for k, ids in enumerate(drawn):
        pairs = np.array([(a + train, b + pulse) for a, b in ids], "u8").reshape(-1, 2)
        own = columns(pairs[:, 0], pairs[:, 1])
        stacks.append(Stack(f"m{k}", (), SHAPE, "uint16", own, np.zeros(len(own), bool)))
    assert_as_by_dictionary(stacks)


@pytest.mark.parametrize("events", [2000])
def test_many_events_with_losses_and_disorder(events: int) -> None:
    random = np.random.default_rng(5)
    ids = np.cumsum(random.integers(1, 4, events)) + 10**9
    stacks = []
    for k in range(16):
        own = ids[random.random(events) > 0.02]
        own[10:40] = own[10:40][::-1]
        own = np.concatenate([own, own[:3]])
        stacks.append(stack(f"m{k:02}", own.tolist(), random.random(len(own)) < 0.01))
    table = match(stacks)
    for event in random.integers(0, len(table.ids), 200):
        for module in range(16):
            row = table.frame_index[event, module]
            own = stacks[module]
            places = np.flatnonzero((own.ids[:, 0] == table.ids[event, 0]) & ~own.bad)
            assert row == (places[0] if places.size else -1)


def test_the_fault_of_nearest_ids() -> None:
    # cctbx's search without a test for equality gives 1000, 1003, 1003 for the second module.
    table = match([stack("a", [1000, 1002, 1003]), stack("b", [1000, 1001, 1003])])
    both = table.frame_index[(table.frame_index >= 0).all(axis=1)]
    assert both.tolist() == [[0, 0], [2, 2]]
    assert table.frame_index[table.ids[:, 0] == 1002].tolist() == [[1, -1]]


def test_clock_offsets() -> None:
    stacks = [stack("a", [10, 11, 12]), stack("b", [9, 10, 12])]
    table = match(stacks, {"b": 1})
    assert table.ids[:, 0].tolist() == [10, 11, 12, 13]
    assert table.frame_index.tolist() == [[0, 0], [1, 1], [2, -1], [-1, 2]]
    assert match(stacks, {"b": -9}).ids[0, 0] == 0
    with pytest.raises(ValueError, match="there is no module 'c'; there are a, b"):
        match(stacks, {"c": 1})


def test_least_modules() -> None:
    stacks = [stack("a", [1, 2, 3]), stack("b", [2, 3]), stack("c", [3])]
    assert match(stacks, least=2).ids[:, 0].tolist() == [2, 3]
    assert match(stacks, least=3).left_out == 2


def test_memory_cells_of_events() -> None:
    table = match([stack("a", [5, 6], None, [0, 4]), stack("b", [6, 7], None, [4, 9])])
    assert table.cell_id is not None
    assert table.cell_id.tolist() == [0, 4, 9]
    with pytest.raises(FileError, match="module b has memory cell 3 at event 0, and another has 4"):
        match([stack("a", [6], None, [4]), stack("b", [6], None, [3])])


# Files


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts, truth = write_pairs(tmp_path, {"a": [4, 7, 5, 7], "b": [5, 4, 9], "c": [7, 4, 5]})
    output = tmp_path / "index.h5"
    assert main(["events", *texts, "--output", str(output)]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "detector: 4 events of 3 modules, 2 complete (50.0 %)"
    assert "a          4     2       1    0          1       1  out of order" in said
    with open_reader(output) as file:
        frames = EventFrames(file["event_index"], file.context.resolver)
        assert frames.shape == (4, 3 * SHAPE[0], SHAPE[1])
        ids = file["event_index/event_id"][...].tolist()
        assert ids == [4, 5, 7, 9]
        values = frames[...]
        for k, event in enumerate(ids):
            for m, module in enumerate("abc"):
                expected = truth.value(event, module)
                part = values[k, m * SHAPE[0] : (m + 1) * SHAPE[0]]
                assert (part == (0 if expected is None else expected)).all()
    assert main(["events", *texts, "--json", "--least", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["events"], found["left_out"]) == (2, 2)
    assert main(["validate", str(output), "--select", "NXMX-EVT"]) == 0


ROWS = st.lists(st.integers(0, 9), max_size=8)


@given(
    st.dictionaries(st.sampled_from("abc"), ROWS, min_size=1),
    st.tuples(st.integers(-3, 12), st.integers(-3, 12), st.integers(1, 3)),
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
)
@settings(max_examples=60, deadline=None)
def test_any_slice_of_any_stacks(
    tmp_path_factory: pytest.TempPathFactory,
    rows: dict[str, list[int]],
    events: tuple[int, int, int],
    slow: tuple[int, int],
) -> None:
    folder = tmp_path_factory.mktemp("stacks")
    rows = {name: ids or [3] for name, ids in sorted(rows.items())}
    texts, truth = write_pairs(folder, rows)
    output = folder / "index.h5"
    assert main(["events", *texts, "--output", str(output)]) == 0
    with open_reader(output) as file:
        frames = EventFrames(file["event_index"], file.context.resolver)
        ids = file["event_index/event_id"][...].tolist()
        whole = np.zeros(frames.shape, "u2")
        for k, event in enumerate(ids):
            for m, module in enumerate(rows):
                value = truth.value(event, module)
                whole[k, m * SHAPE[0] : (m + 1) * SHAPE[0]] = value or 0
        place = (slice(*events), slice(*slow))
        np.testing.assert_array_equal(frames[place], whole[place])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "nothing: no such file or folder"),
        (["."], "has no files such as RAW-R0001-AGIPD00-S00000.h5"),
        (["a=a.h5:/data,/none"], "a.h5:/none is no dataset"),
        (["a=a.h5:/data,/data"], "expected 2 integers, one for each frame of /data"),
        (["a=a.h5:/data,/ids", "b=b.h5:/data,/ids"], "module b has other frames than others"),
        (["a.h5"], "a.h5 is no file of SwissFEL"),
        (["a=a.h5:/data,/ids", "--offset", "b=1"], "there is no module 'b'; there are a"),
    ],
)
def test_runs_that_cannot_be_read(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, shape in (("a", (2, 3, 4)), ("b", (2, 3, 5))):
        with h5py.File(f"{name}.h5", "w") as file:
            file["data"], file["ids"] = np.zeros(shape, "u2"), np.arange(2)
    assert main(["events", *arguments, "--output", "out.h5"]) == 2
    assert message in capsys.readouterr().err
    assert not Path("out.h5").exists()


def test_a_source_that_changed(tmp_path: Path) -> None:
    texts, _ = write_pairs(tmp_path, {"a": [1, 2], "b": [1, 2]})
    output = tmp_path / "index.h5"
    assert main(["events", *texts, "--output", str(output)]) == 0
    with h5py.File(tmp_path / "b.h5", "r+") as file:
        del file["data"]
        file["data"] = np.zeros((1, *SHAPE), "u2")
    with open_reader(output) as file:
        frames = EventFrames(file["event_index"], file.context.resolver)
        with pytest.raises(FileError, match=r"the index was made for 2 rows of uint16\(3, 4\)"):
            frames[0]
    (tmp_path / "b.h5").unlink()
    with open_reader(output) as file:
        frames = EventFrames(file["event_index"], file.context.resolver)
        frames[0, : SHAPE[0]]
        with pytest.raises(FileError, match=r"b\.h5"):
            frames[0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("frame_index", None),
        ("frame_index", np.zeros((2, 2))),
        ("frame_index", np.zeros(3, "i4")),
        ("frame_index", np.zeros((2, 3), "i4")),
        ("frame_index", np.full((2, 2), 99, "i4")),
        ("frame_index", b"x"),
        ("a/source_rows", None),
        ("a/source_rows", np.array([-5])),
        ("a/source_rows", np.array([1 << 62])),
        ("a/source_rows", np.array([2.0])),
        ("a/source_000000", None),
        ("a/source_000000", np.zeros((2, 9, 9), "u2")),
        ("a@frame_shape", [3]),
        ("a@frame_shape", [-3, 4]),
        ("a@frame_shape", "x"),
        ("a@frame_shape", [1 << 40, 1 << 40]),
        ("a@frame_dtype", "object"),
        ("a@frame_dtype", 5),
        ("a@slow_origin", -1),
        ("a@slow_origin", [1, 2]),
        ("a@frames_in_row", 0),
        ("@events_language", "nxevents-9"),
        ("@invalid_value", "x"),
        ("@invalid_value", 1 << 40),
    ],
)
def test_an_index_that_is_damaged(path: str, value: object, tmp_path: Path) -> None:
    texts, _ = write_pairs(tmp_path, {"a": [1, 2], "b": [1, 2]})
    output = tmp_path / "index.h5"
    assert main(["events", *texts, "--output", str(output)]) == 0
    with h5py.File(output, "r+") as file:
        holder, at, name = f"event_index/{path}".rpartition("@")
        if at:
            file[holder.rstrip("/")].attrs[name] = value
        else:
            del file[f"event_index/{path}"]
            if value is not None:
                file[f"event_index/{path}"] = value
    with open_reader(output) as file, pytest.raises(NXFormulaError) as caught:
        EventFrames(file["event_index"], file.context.resolver)[...]
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["frame_index", "a/source_rows", "a/source_000000"])
def test_an_index_reads_no_files_of_other_folders(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    texts, _ = write_pairs(folder, {"a": [1, 2], "b": [1, 2]})
    output = folder / "index.h5"
    assert main(["events", *texts, "--output", str(output)]) == 0
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.zeros((2, 2), "i4")
    with h5py.File(output, "r+") as file:
        del file[f"event_index/{name}"]
        file[f"event_index/{name}"] = h5py.ExternalLink("../secret.h5", "/x")
    with open_reader(output) as file, pytest.raises(ForbiddenPathError, match=r"secret\.h5"):
        EventFrames(file["event_index"], file.context.resolver)[...]


# Facilities


def test_european_xfel(tmp_path: Path) -> None:
    pytest.importorskip("extra_data", reason="makes files as European XFEL writes them")
    from extra_data.tests.mockdata import write_file
    from extra_data.tests.mockdata.detectors import AGIPDModule

    firsts = {0: 10000, 1: 10002, 2: 10000}
    for number, first in firsts.items():
        path = tmp_path / f"RAW-R0238-AGIPD{number:02}-S00000.h5"
        device = AGIPDModule(f"SPB_DET_AGIPD1M-1/DET/{number}CH0", frames_per_train=4)
        write_file(str(path), [device], ntrains=5, firsttrain=first, format_version="1.0")
    # A partial train: EXtra-data refuses runs with one.
    with h5py.File(tmp_path / "RAW-R0238-AGIPD02-S00000.h5", "r+") as file:
        image = file["INSTRUMENT/SPB_DET_AGIPD1M-1/DET/2CH0:xtdf/image"]
        train = image["trainId"][...]
        train[6:8] = 0
        image["trainId"][...] = train
    run = read_run([str(tmp_path)])
    assert run.detector == "SPB_DET_AGIPD1M-1"
    assert [each.name for each in run.stacks] == ["AGIPD00", "AGIPD01", "AGIPD02"]
    assert run.stacks[0].shape == (2, 512, 128)
    table = match(run.stacks)
    assert len(table.ids) == 7 * 4
    trains = table.ids[:, 0].astype(int)
    assert set(trains.tolist()) == set(range(10000, 10007))
    present = table.frame_index >= 0
    np.testing.assert_array_equal(present[:, 0], trains < 10005)
    np.testing.assert_array_equal(present[:, 1], trains >= 10002)
    assert present[:, 2].sum() == 5 * 4 - 2


def test_jungfrau_of_european_xfel(tmp_path: Path) -> None:
    pytest.importorskip("extra_data", reason="makes files as European XFEL writes them")
    from extra_data.tests.mockdata import write_file
    from extra_data.tests.mockdata.jungfrau import JUNGFRAUModule

    for number, first in ((1, 10000), (2, 10001)):
        path = tmp_path / f"RAW-R0012-JNGFR{number:02}-S00000.h5"
        device = JUNGFRAUModule(f"SPB_IRDA_JF4M/DET/JNGFR{number:02}")
        write_file(str(path), [device], ntrains=3, firsttrain=first, format_version="1.0")
        with h5py.File(path, "r+") as file:
            group = file[f"INSTRUMENT/SPB_IRDA_JF4M/DET/JNGFR{number:02}:daqOutput/data"]
            frames = np.arange(3 * 16).reshape(3, 16, 1, 1) + 100 * number
            group["adc"][:3, :, :2, :3] = frames
    output = tmp_path / "index.h5"
    assert main(["events", str(tmp_path), "--output", str(output)]) == 0
    with open_reader(output) as file:
        frames = EventFrames(file["event_index"], file.context.resolver)
        assert frames.shape == (4 * 16, 1024, 1024)
        index = file["event_index/frame_index"][...]
        assert index[16:48].min() >= 0
        # Train 10001 is row 1 of the first module, and row 0 of the second.
        found = frames[16 + 5, ::512, 1]
        assert found.tolist() == [100 + 16 + 5, 200 + 5]


def swissfel(path: Path, ids: np.ndarray, good: np.ndarray, modules: int = 2) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("data/JF07T32V01")
        rows = len(ids)
        values = np.arange(rows)[:, None] * 10 + np.arange(modules)
        images = np.repeat(values, 512, axis=1)[:, :, None]
        shape = (rows, modules * 512, 1024)
        group["data"] = np.broadcast_to(images, shape).astype("u2")
        group["pulse_id"], group["is_good_frame"] = ids, good


def test_swissfel(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    ids = np.array([[100], [102], [0], [104]], "u8")
    swissfel(path, ids, np.array([[1], [0], [1], [1]], "u1"))
    run = read_run([str(path)])
    assert [each.name for each in run.stacks] == ["JF07T32V01"]
    table = match(run.stacks)
    assert table.ids[:, 0].tolist() == [100, 104]
    assert table.left_out == 2

    # Newer files have an id for each module.
    ids = np.array([[100, 100], [102, 101], [104, 104]], "u8")
    swissfel(path, ids, np.ones((3, 2), "u1"))
    output = tmp_path / "index.h5"
    assert main(["events", str(path), "--output", str(output)]) == 0
    with open_reader(output) as file:
        frames = EventFrames(file["event_index"], file.context.resolver)
        assert file["event_index/event_id"][...].tolist() == [100, 101, 102, 104]
        assert frames[:, ::512, 0].tolist() == [[0, 1], [0, 11], [10, 0], [20, 21]]


def test_lpd(tmp_path: Path) -> None:
    pytest.importorskip("extra_data", reason="makes files as European XFEL writes them")
    from extra_data.tests.mockdata import write_file
    from extra_data.tests.mockdata.detectors import LPDModule

    for number in range(2):
        path = tmp_path / f"RAW-R0450-LPD{number:02}-S00000.h5"
        device = LPDModule(f"FXE_DET_LPD1M-1/DET/{number}CH0", frames_per_train=3)
        write_file(str(path), [device], ntrains=4 - number, format_version="1.0")
    run = read_run([str(tmp_path)])
    # The one channel of its frames is no dimension of the images.
    assert run.fields == {"data": 0}
    output = tmp_path / "index.h5"
    assert main(["events", str(tmp_path), "--output", str(output)]) == 0
    with open_reader(output) as file:
        fields = event_fields(file["event_index"])
        frames = EventFrames(file["event_index"], file.context.resolver, fields["data"])
        assert frames.shape == (12, 512, 256)
        assert frames[3:5, 250:260].shape == (2, 10, 256)
        present = file["event_index/present"][...].tolist()
        assert sorted(present) == [1] * 3 + [2] * 9
