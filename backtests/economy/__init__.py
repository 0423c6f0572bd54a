"""The simulated economy: the thesis as a small stochastic model, to be run without any data.

The bathtub as stocks and flows (:mod:`.quantities`), a cost of capital that is convex in the
absorption share and returns by class (:mod:`.prices`), and the same series ids and assets as real
history, published with the same lags (:mod:`.publish`). Everything downstream runs unchanged.

With ``thesis=False`` prices are driven by the quantities of a second, independent economy: every
series behaves on its own as before, but idle capital and capital spending say nothing about
returns. What a method finds there is chance.

The numbers are round figures chosen to look like US markets since 2003, not estimates. Nothing
here is evidence for or against the thesis.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.calendar import OPEN, session_after, sessions
from backtests.economy.prices import Prices, make_prices
from backtests.economy.publish import publish
from backtests.economy.quantities import Quantities, make_quantities
from backtests.store.batch import dated
from signals.errors import ConfigError
from signals.regimes import Regime

LAST_DAY = pd.Timestamp("2024-12-31")
YEARS = 20
_WARM_UP = 252  # sessions before the first one emitted, for trailing years


@dataclass(frozen=True, kw_only=True)
class Economy:
    """One simulated economy.

    Attributes
    ----------
    series
        Values by id, in the catalog's units, dated as the publisher dates them.
    filed
        For the SEC series among them, the filing date of each value.
    truth
        The true regime of each session, a name of :class:`signals.Regime`.
    """

    series: dict[str, pd.Series]
    filed: dict[str, pd.Series]
    truth: pd.Series

    def rows(self) -> dict[str, pd.DataFrame]:
        """Return the rows a store would hold of it, by id, known by the catalog's rules."""
        never = LAST_DAY + pd.DateOffset(years=100)  # what only counts from when it was recorded
        return {id: self._rows(id, values.dropna(), never) for id, values in self.series.items()}

    def _rows(self, id: str, values: pd.Series, recorded_at: pd.Timestamp) -> pd.DataFrame:
        rows = dated(id, values, "SIMULATED", recorded_at).rows
        if id in self.filed:
            filed = pd.DatetimeIndex(self.filed[id].reindex(values.index))
            rows["available_at"] = (session_after(filed) + OPEN).as_unit("us")
        return rows.sort_values(["available_at", "observed_on"], kind="stable")


def make_economy(seed: int = 0, years: int = YEARS, *, thesis: bool = True) -> Economy:
    """Simulate an economy.

    Parameters
    ----------
    seed
        Equal seeds give equal economies.
    years
        Length; it ends on 2024-12-31. 2 to 33.
    thesis
        Whether quantities drive returns.

    Raises
    ------
    ConfigError
        When the years or the seed are out of range.
    """
    if not 2 <= years <= 33:
        raise ConfigError(f"years must lie in 2 to 33, was {years}")
    if seed < 0:
        raise ConfigError(f"seed must be 0 or above, was {seed}")
    index = _index(years)
    streams = np.random.SeedSequence(seed).spawn(4)
    quantities = make_quantities(index, np.random.default_rng(streams[0]))
    other = make_quantities(index, np.random.default_rng(streams[1]))
    driver = quantities if thesis else other
    prices = make_prices(driver, np.random.default_rng(streams[2]))
    emitted = index[_WARM_UP:]
    series, filed = publish(quantities, prices, emitted, np.random.default_rng(streams[3]))
    truth = _truth(quantities, driver, prices).reindex(emitted)
    return Economy(series=series, filed=filed, truth=truth)


def _index(years: int) -> pd.DatetimeIndex:
    first = LAST_DAY - pd.DateOffset(years=years)
    index = sessions(pd.Timestamp("1990-01-01"), LAST_DAY)
    start = max(int(index.searchsorted(first, side="right")) - _WARM_UP, 0)
    return index[start:]


def _truth(quantities: Quantities, driver: Quantities, prices: Prices) -> pd.Series:
    """Return the true regime: crisis and recovery as prices live them, else what quantities say."""
    lived = driver.phase.isin([Regime.FORCED_SELLING, Regime.OPPORTUNITY])
    return driver.phase.where(lived, quantities.state).rename("truth")
