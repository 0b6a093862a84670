"""`calibrate` and dask arrays on a dask cluster, and with a scheduler that was started by hand."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import h5py
import numpy as np
import pytest
from distributed import Client, LocalCluster

import nxformula
from nxformula.cli import main
from nxformula.interop import cluster as cluster_module
from nxformula.masters.demonstration import FORMULA, Demonstration, write_demonstration

FIELD = "/entry/instrument/detector/data"
FRAMES = 24

# What dask leaves open when a worker of it is killed is its own affair.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    folder = tmp_path_factory.mktemp("run")
    made = write_demonstration(folder, (FRAMES, 16, 32))
    nxformula.attach(
        made.master,
        field=made.field,
        formula=FORMULA,
        symbols=made.symbols,
        in_place=True,
        results=["stage"],
    )
    return made


@pytest.fixture(scope="module")
def expected(run: Demonstration) -> Any:
    """All values, by NumPy in float32 as the formula says."""
    with (
        h5py.File(run.stack) as stack,
        h5py.File(run.pedestal) as pedestal,
        h5py.File(run.gain) as gain,
    ):
        raw, pedestals, gains = stack["data"][...], pedestal["pedestal"][...], gain["gain"][...]
    plane = np.array([0, 1, 0, 2])[raw >> 14]
    slow, fast = np.indices(raw.shape[1:])
    counts = (raw & 0x3FFF).astype(np.float32)
    values = (counts - pedestals[plane, slow, fast]) / gains[plane, slow, fast]
    return np.where(raw >> 14 == 2, np.float32(np.nan), values)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 3}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as made,
    ):
        yield made


def values_in(path: Path) -> Any:
    with h5py.File(path) as file:
        return file[FIELD][...]


def test_a_cluster_calibrates(
    run: Demonstration, cluster: LocalCluster, expected: Any, tmp_path: Path
) -> None:
    output = tmp_path / "out.nxs"
    command = ["calibrate", str(run.master), "--output", str(output)]
    assert main([*command, "--scheduler", cluster.scheduler_address]) == 0
    np.testing.assert_array_equal(values_in(output), expected)
    assert list(tmp_path.iterdir()) == [output]


def test_the_share_of_a_lost_worker_is_calibrated_again(
    run: Demonstration, cluster: LocalCluster, expected: Any, tmp_path: Path
) -> None:
    output = tmp_path / "out.nxs"
    killed: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if not killed:
            killed.append(cluster.workers[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    with cluster_module.connect(cluster.scheduler_address) as (executor, workers):
        assert workers == 2
        nxformula.calibrate(
            run.master, output, executor=executor, workers=workers, progress=kill_one
        )
    assert killed
    np.testing.assert_array_equal(values_in(output), expected)


def test_a_fault_in_the_data_comes_from_the_worker(
    run: Demonstration, cluster: LocalCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    master = tmp_path / "run.nxs"
    master.write_bytes(run.master.read_bytes())
    for path in (run.stack, run.pedestal, run.gain):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with h5py.File(tmp_path / run.stack.name, "r+") as file:
        place = file["data"].id.get_chunk_info(20).byte_offset
    with (tmp_path / run.stack.name).open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 64)
    output = tmp_path / "out.nxs"
    command = ["calibrate", str(master), "--output", str(output)]
    assert main([*command, "--scheduler", cluster.scheduler_address]) == 2
    complaint = capsys.readouterr().err
    assert "run_data.h5 cannot be read: chunk (20, 0, 0)" in complaint
    assert not output.exists()


def test_a_dask_array_on_a_cluster(
    run: Demonstration, cluster: LocalCluster, expected: Any
) -> None:
    with (
        nxformula.open(run.master) as file,
        Client(cluster.scheduler_address, set_as_default=False) as client,
        dask.config.set({"array.chunk-size": "10 kB"}),
    ):
        images = file[FIELD].to_dask()
        assert images.npartitions == 6
        found = client.compute(images[3:20, ::2]).result(timeout=60)
    np.testing.assert_array_equal(found, expected[3:20, ::2])


# Started by hand


@pytest.fixture
def by_hand(tmp_path: Path) -> Iterator[str]:
    """A scheduler and a worker, each a process of its own; the address of the first."""
    file = tmp_path / "scheduler.json"
    start = [sys.executable, "-m"]
    options = ["--scheduler-file", str(file), "--no-dashboard"]
    commands = [
        ["distributed.cli.dask_scheduler", "--port", "0", "--host", "127.0.0.1"],
        ["distributed.cli.dask_worker", "--nthreads", "1", "--local-directory", str(tmp_path)],
    ]
    processes = [
        subprocess.Popen([*start, *command, *options], stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        for _ in range(600):
            if file.exists() and (text := file.read_text()).strip():
                break
            time.sleep(0.1)
        yield str(json.loads(text)["address"])
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(30)


def test_a_scheduler_and_a_worker(
    by_hand: str, run: Demonstration, expected: Any, tmp_path: Path
) -> None:
    output = tmp_path / "out.nxs"
    command = [sys.executable, "-m", "nxformula", "calibrate", run.master, "--output", output]
    done = subprocess.run(
        [*command, "--scheduler", by_hand], check=False, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    np.testing.assert_array_equal(values_in(output), expected)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("tcp://127.0.0.1:9", "no dask scheduler at tcp://127.0.0.1:9: "),
        ("nonsense", "'nonsense' is not the address of a scheduler; expected tcp://HOST:PORT"),
        ("http://127.0.0.1:80/x", "expected tcp://HOST:PORT"),
    ],
)
def test_no_scheduler(
    address: str,
    reason: str,
    run: Demonstration,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster_module, "_PATIENCE", 1)
    output = tmp_path / "out.nxs"
    command = ["calibrate", str(run.master), "--output", str(output), "--scheduler", address]
    assert main(command) == 2
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_scheduler_without_workers(
    run: Demonstration, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "_PATIENCE", 1)
    with LocalCluster(n_workers=0, dashboard_address=":0") as empty:
        address = empty.scheduler_address
        assert main(["calibrate", str(run.master), "--output", "x", "--scheduler", address]) == 2
    assert "has had no worker for 1 s" in capsys.readouterr().err


def test_dask_arrays_travel_by_path(run: Demonstration, expected: Any) -> None:
    with nxformula.open(run.master) as file:
        images = pickle.dumps(file[FIELD].to_dask())
        stage = pickle.dumps(file[FIELD].result("stage").to_dask())
    assert len(images) < 10_000
    np.testing.assert_array_equal(pickle.loads(images).compute(), expected)
    assert pickle.loads(stage).max().compute() == 3


def test_without_the_extra(run: Demonstration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setitem(sys.modules, "dask.array", None)
    connection = cluster_module.connect("tcp://127.0.0.1:1")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'nxformula\[dask\]'"):
        connection.__enter__()
    with nxformula.open(run.master) as file:
        images = file[FIELD]
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'nxformula\[dask\]'"):
            images.to_dask()
