"""Compute on a running Dask cluster, or on a new cluster of processes on this machine.

Only this module of the package imports Dask's library ``distributed``.
"""

import gc
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from backtests.version import __version__
from signals.errors import ConfigError, DrypowderError

#: Seconds that a connection to a scheduler may take.
PATIENCE = 10
#: Largest number of times that data and unfinished work are sent again after the loss of a worker,
#: or of a worker's data.
RETRIES = 5
_CURE = 'install it with: pip install "drypowder[cluster]"'


@contextmanager
def connected(address: str | None, workers: int) -> Iterator[Any]:
    """Yield a client of the scheduler at ``address``, or of a new local cluster.

    ConfigError is raised if ``distributed`` is not installed, or if the cluster cannot be reached.
    ConfigError is also raised if the cluster has no workers, or if a worker has another version of
    drypowder.
    """
    try:
        import distributed
    except ImportError:
        raise ConfigError(
            "expected the Python package 'distributed', which several workers need, but it is "
            f"not installed; {_CURE}"
        ) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)
    with _client(distributed, address, workers) as client:
        _check_version(client, address)
        yield client


@contextmanager
def _client(distributed: Any, address: str | None, workers: int) -> Iterator[Any]:
    if address is None:
        local = distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=51
        )
        with local, distributed.Client(local) as client:
            yield client
        return
    with _client_at(distributed, address) as client:
        yield client


def _client_at(distributed: Any, address: str) -> Any:
    """Return a client of the scheduler at ``address``, or raise ConfigError."""
    try:
        return distributed.Client(address, timeout=PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        said = str(error).partition("\n")[0] or type(error).__name__
    # Delete the failed client now, so that Dask closes the client. Dask needs a lock to close a
    # client. If Dask closed the client later, another client could hold this lock while it starts.
    gc.collect()
    raise ConfigError(
        f"expected a Dask scheduler at {address}, but it cannot be reached: {said}; start it "
        "with 'dask scheduler', or use --workers N"
    )


def _check_version(client: Any, address: str | None) -> None:
    place = f"at {address}" if address else "on this machine"
    try:
        found = client.run(_version, on_error="return")
    except OSError as error:
        cure = "restart the workers" if address else "run the same command again"
        raise ConfigError(
            f"expected an answer from the workers {place}, but: {error}; {cure}"
        ) from None
    if not found:
        cure = f"start one with 'dask worker {address}'" if address else "use fewer workers"
        raise ConfigError(f"expected at least one worker {place}, found none; {cure}")
    for worker, said in found.items():
        if said != __version__:
            was = f"version {said}" if isinstance(said, str) else f"an error: {said}"
            raise ConfigError(
                f"expected drypowder {__version__} on the worker {worker}, found {was}; install "
                "the same version there"
            )


def _version() -> str:
    from backtests.version import __version__ as version

    return version


def spread(
    client: Any, work: Callable[[Any, Any], Any], material: Any, items: Sequence[Any]
) -> Iterator[tuple[Any, Any]]:
    """Yield each item with the result of ``work(material, item)``, in the order of completion.

    ``material`` is the data that every item needs. Each worker receives ``material`` once. If a
    worker dies, ``material`` and the unfinished items are sent again, at most :data:`RETRIES`
    times.
    """
    left = list(items)
    for attempt in range(RETRIES + 1):
        try:
            for item, result in _once(client, work, material, left):
                left.remove(item)
                yield item, result
            return
        except DrypowderError:
            raise
        except Exception as error:
            if not _is_loss(error) or attempt == RETRIES:
                raise _failed(error) from error
            time.sleep(min(2.0**attempt / 4, 5.0))
            client.wait_for_workers(1, timeout=60)


def _once(
    client: Any, work: Callable[[Any, Any], Any], material: Any, items: Sequence[Any]
) -> Iterator[tuple[Any, Any]]:
    from distributed import as_completed

    sent = client.scatter(material, broadcast=True, hash=False)
    futures = {client.submit(work, sent, item, pure=False, retries=RETRIES): item for item in items}
    try:
        for future, result in as_completed(list(futures), with_results=True):  # type: ignore[no-untyped-call]
            yield futures.pop(future), result
            future.release()
    finally:
        client.cancel(list(futures))


def _is_loss(error: Exception) -> bool:
    """Return whether an error says that a worker or its data were lost."""
    from concurrent.futures import CancelledError

    from distributed.client import FutureCancelledError
    from distributed.scheduler import KilledWorker

    lost = (FutureCancelledError, CancelledError, KilledWorker, OSError, TimeoutError)
    return isinstance(error, lost)


def _failed(error: Exception) -> ConfigError:
    said = str(error).partition("\n")[0] or type(error).__name__
    return ConfigError(
        f"expected the workers to finish, but: {type(error).__name__}: {said}; run the same "
        "command again to resume"
    )
