"""Processes for the calibrations: on this machine, or on a Dask cluster.

The workers of a cluster import the scripts by name. So start the workers in the folder of the
repository, for example with ``PYTHONPATH=. dask worker ADDRESS``.
"""

import argparse
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from backtests.sweep.cluster import RETRIES, connected


def add_options(parser: argparse.ArgumentParser, workers: int) -> None:
    """Add the options ``--workers`` and ``--dask`` to a script."""
    parser.add_argument("--workers", type=int, default=workers)
    parser.add_argument("--dask", metavar="ADDRESS", help="address of a running Dask scheduler")


@contextmanager
def pool_of(workers: int, address: str | None = None) -> Iterator[Executor]:
    """Yield an executor: the Dask cluster at an address, or processes of this machine."""
    if address is not None:
        with connected(address, 0) as client:
            yield client.get_executor(retries=RETRIES)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield pool
