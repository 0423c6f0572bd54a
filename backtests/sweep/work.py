"""Compute chunks in this process, or in the processes of a Dask cluster."""

import io
import os
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtests.plugins.load import load_again, loaded
from backtests.sweep.case import Case
from backtests.sweep.chunk import Span, computed
from backtests.sweep.stages import Stages

if TYPE_CHECKING:
    import pyarrow as pa

Done = tuple[Span, "pa.Table", dict[str, float]]
#: The :class:`Stages` of the sweep that this worker computes. The key is the id of the sweep.
_held: dict[str, Stages] = {}


def here(case: Case, spans: Sequence[Span]) -> Iterator[Done]:
    """Yield the rows of each chunk, computed in this process with all of its cores."""
    stages = Stages(case)
    for span in spans:
        yield (span, *computed(stages, span, cores()))


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def there(client: Any, case: Case, sweep_id: str, spans: Sequence[Span]) -> Iterator[Done]:
    """Yield the rows of each chunk, computed by the workers of a Dask cluster."""
    from backtests.sweep.cluster import spread

    material = (sweep_id, loaded(), pickle.dumps(case))
    for span, (data, spent) in spread(client, _work, material, spans):
        yield span, _read(data), spent


def _work(
    material: tuple[str, dict[str, Path], bytes], span: Span
) -> tuple[bytes, dict[str, float]]:
    """Compute a chunk on a worker, with one thread."""
    sweep_id, plugins, case = material
    if sweep_id not in _held:
        load_again(plugins)
        _held.clear()
        _held[sweep_id] = Stages(pickle.loads(case))
    table, spent = computed(_held[sweep_id], span, 1)
    return _written(table), spent


def _written(table: "pa.Table") -> bytes:
    import pyarrow as pa

    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _read(data: bytes) -> "pa.Table":
    import pyarrow as pa

    return pa.ipc.open_stream(data).read_all()
