"""Samples with a known effect: a simulated history whose closes gain planted returns."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from backtests.thesis.sample import Sample
from signals.catalog import HYPERSCALERS, ttm_id
from signals.universe import members


def with_one_filer(sample: Sample, firm: str = "MSFT") -> Sample:
    """Return the sample with the filings of only one firm, so that their windows do not overlap."""
    others = [ttm_id("CAPEX", other) for other in HYPERSCALERS if other != firm]
    panel, known = sample.history.panel.copy(), sample.history.known.copy()
    panel[others], known[others] = np.nan, pd.NaT
    return replace(sample, history=replace(sample.history, panel=panel, known=known))


def with_planted(sample: Sample, at: np.ndarray, sizes: np.ndarray, names: Iterable[str]) -> Sample:
    """Return the sample with extra returns of classes at some sessions.

    ``at`` contains positions of sessions, and ``sizes`` contains returns as fractions. The reading
    does not change, because the estimators read only flags of quantities.
    """
    extra = np.zeros(len(sample.sessions))
    np.add.at(extra, at, sizes)
    closes = sample.history.closes.copy()
    for name in names:
        for ticker in (ticker for ticker in members(name) if ticker in closes):
            closes[ticker] *= np.cumprod(1 + extra)
    return replace(sample, history=replace(sample.history, closes=closes))


def as_real(sample: Sample) -> Sample:
    """Return the sample with a history marked as real, so that dated events apply."""
    return replace(sample, history=replace(sample.history, source="store"))
