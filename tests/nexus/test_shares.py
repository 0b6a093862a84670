"""`calibrate` by several workers: the same file as by one, whatever is lost or interrupted."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nxformula
from nxformula.cli import main
from nxformula.errors import CorruptFileError, FileError
from nxformula.masters.demonstration import FORMULA, Demonstration, write_demonstration
from nxformula.nexus import shares as shares_module
from nxformula.nexus.shares import Task

FIELD = "/entry/instrument/detector/data"
FRAMES = 24


@pytest.fixture
def run(tmp_path: Path) -> Demonstration:
    """A run of many small frames, in a folder of its own."""
    folder = tmp_path / "run"
    folder.mkdir()
    made = write_demonstration(folder, (FRAMES, 16, 32))
    nxformula.attach(
        made.master, field=made.field, formula=FORMULA, symbols=made.symbols, in_place=True
    )
    return made


@pytest.fixture
def single(run: Demonstration, tmp_path: Path) -> Path:
    """What one process makes of the run."""
    nxformula.calibrate(run.master, tmp_path / "single.nxs")
    return tmp_path / "single.nxs"


def stored(path: Path) -> tuple[Any, ...]:
    """A field as it lies in its file: each chunk's place, filter mask and bytes."""
    with h5py.File(path) as file:
        field = file[FIELD]
        chunks = [
            (info.chunk_offset, *field.id.read_direct_chunk(info.chunk_offset))
            for info in map(field.id.get_chunk_info, range(field.id.get_num_chunks()))
        ]
        return field.shape, field.dtype, field.chunks, dict(field.attrs), sorted(chunks)


def told(path: Path) -> dict[str, Any]:
    """What the formula group says, without the times."""
    with h5py.File(path) as file:
        group = file[f"{FIELD}_formula"]
        history = group["history"].asstr()[()].split(" ", 1)[1]
        return {**dict(group.attrs.items()), "applied": group["applied"][()], "history": history}


def assert_same(output: Path, single: Path) -> None:
    assert stored(output) == stored(single)
    np.testing.assert_equal(told(output), told(single))
    assert [p.name for p in output.parent.iterdir() if p.name.startswith((output.name, "."))] == [
        output.name
    ]


def test_processes_write_what_one_does(run: Demonstration, single: Path) -> None:
    output = run.folder / "out.nxs"
    seen: list[tuple[int, int]] = []
    path = nxformula.calibrate(run.master, output, workers=2, progress=lambda *at: seen.append(at))
    assert path == FIELD
    assert_same(output, single)
    assert seen == [(3 * k, FRAMES) for k in range(1, 9)]


class Here(ThreadPoolExecutor):
    """An executor of this process, for what does not depend on whose it is."""

    def __init__(self) -> None:
        super().__init__(1)


@pytest.mark.parametrize(
    "chunks", [(1, 16, 32), (4, 8, 32), (7, 16, 16), (FRAMES, 16, 32)], ids=str
)
@pytest.mark.parametrize("compression", ["bitshuffle-lz4", "gzip", "none"])
@pytest.mark.parametrize("frames", [slice(None), slice(1, 20, 3), slice(5, 6)], ids=str)
def test_all_chunks_and_compressions(
    run: Demonstration, chunks: tuple[int, ...], compression: str, frames: slice
) -> None:
    with h5py.File(run.stack, "r+") as file:
        raw = file["data"][...]
        del file["data"]
        file.create_dataset("data", data=raw, chunks=chunks)
    chosen: dict[str, Any] = {"frames": frames, "compression": compression}
    single, output = run.folder / "single.nxs", run.folder / "out.nxs"
    nxformula.calibrate(run.master, single, **chosen)
    with Here() as executor:
        nxformula.calibrate(run.master, output, executor=executor, workers=3, **chosen)
    assert_same(output, single)


@given(
    count=st.integers(0, 200),
    length=st.integers(1, 40),
    chunk=st.integers(1, 60),
    start=st.integers(0, 9),
    step=st.integers(1, 3),
)
def test_shares_are_all_frames_once(
    count: int, length: int, chunk: int, start: int, step: int
) -> None:
    chunk = min(chunk, max(1, count))
    length = max(chunk, length // chunk * chunk)
    frames = range(start, start + count * step, step)
    task = Task(
        "m", "f", (), (frames.start, frames.stop, frames.step), length, (chunk, 4), "none", {}
    )
    assert [place for share in task.shares for place in share] == list(range(count))
    assert [f for share in task.shares for f in task.frames_of(share)] == list(frames)
    assert all(share.start % chunk == 0 and len(share) >= chunk for share in task.shares)


def test_a_run_without_frames(run: Demonstration) -> None:
    with h5py.File(run.stack, "r+") as file:
        del file["data"]
        file.create_dataset("data", (0, 16, 32), np.uint16)
    output = run.folder / "out.nxs"
    nxformula.calibrate(run.master, output, workers=2)
    with h5py.File(output) as file:
        assert file[FIELD].shape == (0, 16, 32)


def test_large_frames_make_shares_of_one_chunk(
    run: Demonstration, single: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares_module, "_SHARE_BYTES", 1)
    output = run.folder / "out.nxs"
    seen = []
    with Here() as executor:
        nxformula.calibrate(
            run.master, output, executor=executor, progress=lambda *at: seen.append(at)
        )
    assert len(seen) == FRAMES
    assert_same(output, single)


# Losses


def test_the_share_of_a_lost_worker_is_calibrated_again(run: Demonstration, single: Path) -> None:
    output = run.folder / "out.nxs"
    killed = []

    def kill_one(done: int, total: int) -> None:
        if not killed:
            (worker, *_) = multiprocessing.active_children()
            killed.append(worker.pid)
            os.kill(worker.pid or 0, signal.SIGKILL)

    nxformula.calibrate(run.master, output, workers=2, progress=kill_one)
    assert killed
    assert_same(output, single)


class Lost(Executor):
    """An executor whose workers are gone."""

    def submit(self, *task: Any, **options: Any) -> Future[Any]:  # type: ignore[override]
        future: Future[Any] = Future()
        future.set_exception(BrokenExecutor("no worker"))
        return future


class Failing(Executor):
    """An executor that fails in a way of its own."""

    def submit(self, *task: Any, **options: Any) -> Future[Any]:  # type: ignore[override]
        future: Future[Any] = Future()
        future.set_exception(RuntimeError("attempted 4 times"))
        return future


@pytest.mark.parametrize(
    ("executor", "reason"),
    [(Lost(), "BrokenExecutor: no worker"), (Failing(), "RuntimeError: attempted 4 times")],
    ids=["lost", "failing"],
)
def test_workers_that_are_lost_for_good(
    run: Demonstration, executor: Executor, reason: str
) -> None:
    before = sorted(run.folder.iterdir())
    with pytest.raises(FileError) as caught:
        nxformula.calibrate(run.master, run.folder / "out.nxs", executor=executor)
    assert re.match(rf"frames \d+ to \d+ of {run.master} are not calibrated", str(caught.value))
    assert reason in str(caught.value)
    assert sorted(run.folder.iterdir()) == before


# Interrupts


def interrupt(run: Demonstration, output: Path) -> KeyboardInterrupt:
    """Ctrl-C after the first share."""

    def stop(done: int, total: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

    # What is started in the background of a shell ignores Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            nxformula.calibrate(run.master, output, workers=2, progress=stop)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not output.exists()
    return caught.value


def test_an_interrupted_run_is_continued(run: Demonstration, single: Path) -> None:
    output = run.folder / "out.nxs"
    error = interrupt(run, output)
    folder = run.folder / "out.nxs.shares"
    finished = len(list(folder.glob("share_??????.h5")))
    assert error.__notes__ == [
        f"{finished} of 8 shares are finished and kept in {folder}; "
        "continue with --resume (resume=True)"
    ]
    seen: list[tuple[int, int]] = []
    nxformula.calibrate(run.master, output, resume=True, progress=lambda *at: seen.append(at))
    # One process works in order: what comes first is the first share that was missing.
    assert seen[0] == (3 * finished + 3, FRAMES)
    assert_same(output, single)


def test_what_was_begun_is_not_overwritten(run: Demonstration, single: Path) -> None:
    output = run.folder / "out.nxs"
    interrupt(run, output)
    before = sorted(output.with_name("out.nxs.shares").iterdir())
    with pytest.raises(FileError, match="a run that did not finish; continue it with --resume"):
        nxformula.calibrate(run.master, output, workers=2)
    assert sorted(output.with_name("out.nxs.shares").iterdir()) == before
    nxformula.calibrate(run.master, output, workers=2, force=True)
    assert_same(output, single)


def test_a_changed_constant_is_not_mixed_in(run: Demonstration) -> None:
    output = run.folder / "out.nxs"
    interrupt(run, output)
    with h5py.File(run.gain, "r+") as file:
        file["gain"][0, 0, 0] = 1
    with pytest.raises(FileError, match=r"was begun with other contents of .*gain\.h5; remove it"):
        nxformula.calibrate(run.master, output, resume=True)


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"frames": slice(2, None)}, r"frames \[0, 24, 1\], not \[2, 24, 1\]"),
        ({"compression": "gzip"}, "compression 'bitshuffle-lz4', not 'gzip'"),
    ],
    ids=["frames", "compression"],
)
def test_another_task_is_not_continued(
    run: Demonstration, options: dict[str, Any], difference: str
) -> None:
    output = run.folder / "out.nxs"
    interrupt(run, output)
    with pytest.raises(FileError, match=f"was begun with {difference}"):
        nxformula.calibrate(run.master, output, resume=True, **options)


def test_a_file_that_changes_meanwhile(run: Demonstration) -> None:
    output = run.folder / "out.nxs"

    def touch(done: int, total: int) -> None:
        os.utime(run.pedestal, ns=(1, done))

    with pytest.raises(FileError, match=r"pedestal\.h5 changed while it was calibrated"):
        nxformula.calibrate(run.master, output, resume=True, progress=touch)
    assert not output.exists()


@pytest.mark.parametrize("content", [None, "[]", '{"length": "3"}', "nonsense"], ids=str)
@pytest.mark.parametrize("option", ["resume", "force"])
def test_a_folder_of_someone_else(run: Demonstration, content: str | None, option: str) -> None:
    folder = run.folder / "out.nxs.shares"
    folder.mkdir()
    (folder / "mine").write_text("precious")
    if content is not None:
        (folder / "task.json").write_text(content)
    with pytest.raises(FileError, match="exists, and is no folder with shares of nxformula"):
        nxformula.calibrate(run.master, run.folder / "out.nxs", workers=2, **{option: True})
    assert (folder / "mine").read_text() == "precious"


def test_a_share_that_is_none(run: Demonstration) -> None:
    output = run.folder / "out.nxs"
    interrupt(run, output)
    (share, *_) = sorted(output.with_name("out.nxs.shares").glob("share_*.h5"))
    with h5py.File(share, "r+") as file:
        del file["data"]
        file.create_dataset("data", (3, 16, 32), np.float32, chunks=(1, 16, 32))
    with pytest.raises(CorruptFileError, match=rf"{share.name} is not the share that it should be"):
        nxformula.calibrate(run.master, output, resume=True)
    assert not output.exists()


def test_another_version_of_the_package(
    run: Demonstration, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = run.folder / "out.nxs"
    interrupt(run, output)
    path = run.folder / "out.nxs.shares" / "task.json"
    task = json.loads(path.read_text())
    path.write_text(json.dumps({**task, "version": "0.0"}))
    with pytest.raises(FileError, match=r"was begun with version '0\.0', not"):
        nxformula.calibrate(run.master, output, resume=True)


@pytest.fixture
def killed(run: Demonstration) -> Iterator[Path]:
    """The output of a run whose driver was killed after its first share."""
    script = run.folder.parent / "driver.py"
    script.write_text(
        "import os, signal, sys, nxformula\n"
        "if __name__ == '__main__':\n"
        "    nxformula.calibrate(sys.argv[1], sys.argv[2], workers=2,\n"
        "        progress=lambda *at: os.kill(os.getpid(), signal.SIGKILL))\n"
    )
    output = run.folder / "out.nxs"
    marked = {**os.environ, "NXFORMULA_TEST_DRIVER": str(script)}
    command = [sys.executable, script, run.master, output]
    done = subprocess.run(command, check=False, timeout=120, env=marked)
    assert done.returncode == -signal.SIGKILL
    yield output
    assert processes_with(f"NXFORMULA_TEST_DRIVER={script}") == []


def processes_with(variable: str) -> list[int]:
    """Processes with a variable in their environment, after they had time to end."""
    found: list[int] = []
    for _ in range(100):
        found = [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdecimal() and variable.encode() in environment_of(entry)
        ]
        if not found:
            break
        time.sleep(0.1)
    return found


def environment_of(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


def test_a_killed_run_is_continued(killed: Path, run: Demonstration, single: Path) -> None:
    assert not killed.exists()
    assert list(killed.with_name("out.nxs.shares").glob("share_??????.h5"))
    assert main(["calibrate", str(run.master), "--output", str(killed), "--resume"]) == 0
    assert_same(killed, single)


# Refusals


def test_files_are_checked_before_workers_start(run: Demonstration) -> None:
    output = run.folder / "out.nxs"
    output.write_text("older")
    with pytest.raises(FileError, match="exists; add --force"):
        nxformula.calibrate(run.master, output, executor=Failing())
    with pytest.raises(ValueError, match="workers is 0; expected 1 or more"):
        nxformula.calibrate(run.master, run.folder / "new.nxs", workers=0)
    assert output.read_text() == "older"


def test_a_fault_in_the_data_comes_from_the_worker(run: Demonstration) -> None:
    with h5py.File(run.stack, "r+") as file:
        place = file["data"].id.get_chunk_info(20).byte_offset
    with run.stack.open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 64)
    output = run.folder / "out.nxs"
    with pytest.raises(CorruptFileError, match=r"run_data\.h5 cannot be read: chunk \(20, 0, 0\)"):
        nxformula.calibrate(run.master, output, workers=2)
    assert not output.exists()


def test_a_full_disk(run: Demonstration, single: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No file may grow beyond a size: the joined output does not fit, the shares do."""
    output = run.folder / "out.nxs"
    script = (
        "import resource, signal, sys\n"
        "from nxformula.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({single.stat().st_size // 2},) * 2)\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = ["calibrate", str(run.master), "--output", str(output), "--resume"]
    failed = subprocess.run(
        [sys.executable, "-c", script, *command],
        check=False,
        timeout=120,
        capture_output=True,
        text=True,
    )
    assert failed.returncode == 2, failed.stderr
    assert f"nxformula: {output} cannot be written: " in failed.stderr
    assert "4 of 4 shares are finished and kept" in failed.stderr
    assert not output.exists()
    assert main(command) == 0
    assert_same(output, single)


@pytest.mark.parametrize("workers", ["0", "-1", "two", "1025"])
def test_a_wrong_number_of_workers(
    run: Demonstration, workers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["calibrate", str(run.master), "--output", "x.nxs", "--workers", workers])
    assert "is not a number of processes, from 1 to 1024" in capsys.readouterr().err
