"""Compute chunks in this process, or in the processes of a Dask cluster."""

import io
import os
import pickle
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any

from backtests.plugins.load import load_again, loaded
from backtests.plugins.source import source_of
from backtests.sweep.case import Case
from backtests.sweep.chunk import Span, computed
from backtests.sweep.stages import Stages
from signals.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

Done = tuple[Span, "pa.Table", dict[str, float]]
#: The :class:`Stages` of each thread. A key contains the key of the command and the number of the
#: thread. All entries belong to the same command. Threads cannot share a :class:`Stages`, because
#: each computation changes its caches.
_held: dict[tuple[str, int], Stages] = {}
_preparing = Lock()


def on_this_machine(case: Case, spans: Sequence[Span]) -> Iterator[Done]:
    """Yield the rows of each chunk, computed in this process with all of its cores."""
    stages = Stages(case)
    for span in spans:
        yield (span, *computed(stages, span, cores()))


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def on_cluster(client: Any, case: Case, spans: Sequence[Span]) -> Iterator[Done]:
    """Yield the rows of each chunk, computed by the workers of a Dask cluster."""
    from backtests.sweep.cluster import spread

    # Each command has a new random key, which tells a worker to load the user's code again.
    material = (secrets.token_hex(8), loaded(), pickle.dumps(case), _code(case))
    for span, (data, spent) in spread(client, _work, material, spans):
        yield span, _read(data), spent


def _work(
    material: tuple[str, dict[str, Path], bytes, dict[str, str]], span: Span
) -> tuple[bytes, dict[str, float]]:
    """Compute a chunk on a worker, with one thread."""
    table, spent = computed(_stages(*material), span, 1)
    return _written(table), spent


def _stages(command: str, plugins: dict[str, Path], case: bytes, code: dict[str, str]) -> Stages:
    """Return the :class:`Stages` of this thread; a worker may have several threads.

    If the worker has different code for a user's class, ConfigError is raised.
    """
    key = command, get_ident()
    with _preparing:
        if not any(other == command for other, _ in _held):
            load_again(plugins)
            _held.clear()
        if key not in _held:
            made: Case = pickle.loads(case)
            _check_code(_code(made), code)
            _held[key] = Stages(made)
        return _held[key]


def _code(case: Case) -> dict[str, str]:
    """Return the source code of the user's modules that each class needs, by class name."""
    parts = (case.base.strategy, *case.base.signals.values())
    return {type(part).__qualname__: source_of(type(part)) for part in parts}


def _check_code(found: dict[str, str], expected: dict[str, str]) -> None:
    for name, code in expected.items():
        if found[name] != code:
            raise ConfigError(
                f"expected the same code of {name} on each worker and in this process, found "
                "different code; copy your files to the worker"
            )


def _written(table: "pa.Table") -> bytes:
    import pyarrow as pa

    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _read(data: bytes) -> "pa.Table":
    import pyarrow as pa

    return pa.ipc.open_stream(data).read_all()
