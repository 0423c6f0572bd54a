"""A sweep that is killed, or whose worker is killed, gives the same results bit for bit."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from backtests.sweep.cluster import connected
from backtests.sweep.results import FILE, parts_of
from backtests.sweep.sweep import Means, sweep
from signals.errors import ConfigError
from tests.sweep.world import BASE, SETS, request, swept

#: Memory in bytes, so small that a chunk holds few configurations.
SMALL = 9_500_000
_LONGEST = 120  # seconds


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return swept(tmp_path_factory.mktemp("whole") / "out").path.read_bytes()


@contextmanager
def started(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the command in a new process."""
    sets = [part for text in SETS for part in ("--set", text)]
    (folder.parent / "base.toml").write_text(
        "".join(f"{key} = {value!r}\n" for key, value in BASE.items())
    )
    options = ["--config", str(folder.parent / "base.toml"), "--memory", f"{SMALL / 1000:g}kB"]
    line = [sys.executable, "-m", "backtests", "sweep", *options, *sets, "--out", str(folder)]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield process
        process.kill()


def test_a_killed_sweep_resumes_to_the_same_file(expected: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with started(folder) as process:
        deadline = time.monotonic() + _LONGEST
        while not parts_of(folder) and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert 0 < len(parts_of(folder)) < 32
    assert not (folder / FILE).exists()
    again = swept(folder)
    assert 0 < again.resumed < 32
    assert again.path.read_bytes() == expected


def test_a_killed_worker_is_replaced_and_the_file_is_the_same(
    expected: bytes, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill_once(step: str, done: int | None = None, total: int | None = None) -> None:
        if not killed and done:  # the first chunk is done
            worker = next(
                child
                for child in psutil.Process().children(recursive=True)
                if "spawn_main" in " ".join(child.cmdline())
            )
            os.kill(worker.pid, signal.SIGKILL)
            killed.append(worker.pid)

    done = sweep(request(), tmp_path / "out", Means(workers=2, memory=2 * SMALL), kill_once)
    assert killed
    assert done.path.read_bytes() == expected


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "tcp://nowhere.invalid:1"])
def test_a_cluster_that_cannot_be_reached_gets_one_line(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backtests.sweep.cluster.PATIENCE", 0.5)
    with (
        pytest.raises(ConfigError, match=f"expected a Dask scheduler at {address}") as caught,
        connected(address, 0),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_without_dask_there_is_one_line_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(ConfigError, match=r'pip install "drypowder\[cluster\]"'),
        connected(None, 2),
    ):
        pass


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (None, "one worker on this machine, found none; use fewer workers"),
        ("tcp://here:1", "one worker at tcp://here:1, found none; start one with 'dask worker tcp"),
    ],
)
def test_a_cluster_without_workers_is_named(
    address: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = SimpleNamespace(run=lambda *_, **__: {})
    monkeypatch.setattr("backtests.sweep.cluster._client", lambda *_: nullcontext(client))
    with pytest.raises(ConfigError, match=said), connected(address, 2):
        pass


def test_a_client_that_cannot_connect_is_gone_before_the_next_one_starts() -> None:
    """If Python deleted the client later, while Dask starts another, both would wait forever."""
    before = clients()
    with pytest.raises(ConfigError), connected("tcp://127.0.0.1:1", 2):
        pass
    assert clients() <= before


def clients() -> int:
    import distributed

    return sum(type(each) is distributed.Client for each in gc.get_objects())


@pytest.mark.parametrize(
    ("address", "cure"),
    [(None, "run the same command again"), ("tcp://here:1", "restart the workers")],
)
def test_workers_that_do_not_answer_are_named(
    address: str | None, cure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise OSError("closed")

    client = SimpleNamespace(run=breaks)
    monkeypatch.setattr("backtests.sweep.cluster._client", lambda *_: nullcontext(client))
    place = f"at {address}" if address else "on this machine"
    with pytest.raises(ConfigError, match=f"from the workers {place}, but: closed; {cure}"):
        connected(address, 2).__enter__()


def test_an_error_on_a_worker_is_reported_as_it_is(tmp_path: Path) -> None:
    """An error in a user's class does not count as a lost worker, so the work is not sent again."""
    from backtests.sweep.cluster import spread

    with connected(None, 1) as client:
        with pytest.raises(ConfigError, match="wrong input"):
            list(spread(client, _refuses, b"material", [1, 2]))
        assert dict(spread(client, _adds, 10, [1, 2])) == {1: 11, 2: 12}


def _refuses(material: bytes, item: int) -> None:
    raise ConfigError("wrong input")


def _adds(material: int, item: int) -> int:
    return material + item
