"""The simulated economy: a small stochastic model of the thesis that needs no data.

:mod:`.quantities` models idle capital as stocks and flows.

:mod:`.prices` models the cost of capital and the returns of each asset. The cost of capital is
convex in the absorption share u.

:mod:`.publish` turns the results into series with the ids, assets and publication lags of real
history. So signals, strategies and reports treat simulated and real history alike.

With ``thesis=False``, the prices come from a second, independent economy. The probability
distribution of a single series does not depend on ``thesis``. But with ``thesis=False``, idle
capital and capital spending do not predict returns. So if a method finds an effect of idle capital
or capital spending with ``thesis=False``, the effect is due to chance.

The parameters are round numbers, chosen to resemble US markets since 2003. No parameter is
estimated from data. The simulation is not evidence for or against the thesis.
"""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd

from backtests.calendar import OPEN, session_after, sessions
from backtests.economy.prices import make_prices
from backtests.economy.publish import publish
from backtests.economy.quantities import make_quantities
from backtests.simulated import SIMULATED
from backtests.store.batch import batch_of, dated
from signals.errors import ConfigError
from signals.regimes import Regime

LAST_DAY = pd.Timestamp("2024-12-31")
#: Number of sessions that are simulated before the first published session. Sums over the trailing
#: year need these sessions.
_WARM_UP = 252


@dataclass(frozen=True, kw_only=True)
class Economy:
    """One simulated economy.

    Attributes
    ----------
    series
        A mapping from id to series, in the units of the catalog. The index contains the observation
        dates, as the publisher of the real series states them.
    filed
        A mapping from the ids of SEC series to the filing dates of their values.
    truth
        The true regime of each session, a value of :class:`signals.Regime`.
    """

    series: dict[str, pd.Series]
    filed: dict[str, pd.Series]
    truth: pd.Series

    def rows(self) -> dict[str, pd.DataFrame]:
        """Return a mapping from id to store rows, with the time when each value became known."""
        # The date ``never`` is after all sessions, so no session sees a series with the publication
        # rule "recorded".
        never = LAST_DAY + pd.DateOffset(years=100)
        return {id: self._rows(id, values.dropna(), never) for id, values in self.series.items()}

    def _rows(self, id: str, values: pd.Series, recorded_at: pd.Timestamp) -> pd.DataFrame:
        if id in self.filed:
            filed = pd.DatetimeIndex(self.filed[id].reindex(values.index))
            known = (session_after(filed) + OPEN).as_unit("us")
            rows = batch_of(id, values, known, SIMULATED).rows
        else:
            rows = dated(id, values, SIMULATED, recorded_at).rows
        order = np.lexsort([rows["observed_on"].to_numpy(), rows["available_at"].to_numpy()])
        return rows.iloc[order]  # sort_values takes five times as long


def make_economy(seed: int, years: int, *, thesis: bool = True) -> Economy:
    """Return a simulated economy, which ends on 2024-12-31. ``years`` is from 2 to 33.

    Equal seeds give equal economies. The smallest seed is 0. If ``thesis`` is True, returns depend
    on the idle capital and the capital spending of the same economy.

    Raises
    ------
    ConfigError
        Raised if the years or the seed are out of range.
    """
    for name, given in (("years", years), ("seed", seed)):
        if not isinstance(given, Integral):
            raise ConfigError(f"{name} must be a whole number, was {given!r}")
    if not 2 <= years <= 33:
        raise ConfigError(f"years must be between 2 and 33, was {years}")
    if seed < 0:
        raise ConfigError(f"seed must be 0 or above, was {seed}")
    index = sessions(pd.Timestamp("1990-01-01"), LAST_DAY)
    first = int(index.searchsorted(LAST_DAY - pd.DateOffset(years=years), side="right"))
    index = index[max(first - _WARM_UP, 0) :]
    streams = np.random.SeedSequence(seed).spawn(5)
    quantities = make_quantities(index, np.random.default_rng(streams[0]))
    driver = quantities if thesis else make_quantities(index, np.random.default_rng(streams[1]))
    prices = make_prices(driver, np.random.default_rng(streams[2]))
    published = index[_WARM_UP:]
    noise, more = (np.random.default_rng(stream) for stream in streams[3:])
    series, filed = publish(quantities, prices, published, noise, more)
    # In a crisis or a recovery, the true regime comes from the economy that drives the prices. At
    # all other sessions, the true regime comes from the published amounts.
    in_prices = driver.phase.isin([Regime.FORCED_SELLING, Regime.OPPORTUNITY])
    truth = driver.phase.where(in_prices, quantities.state).rename("truth").reindex(published)
    return Economy(series=series, filed=filed, truth=truth)
