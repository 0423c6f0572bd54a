"""Link L9: crypto moves first and most, so crypto shows changes of liquidity early."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Signal, require
from signals.hysteresis import Threshold
from signals.params import Orders
from signals.summary import over
from signals.transforms import Composite, composite, zscore
from signals.universe import session_close_id


@dataclass(frozen=True, kw_only=True)
class CryptoProbe(Signal):
    """Whether bitcoin falls and lags behind shares while shares hold their price.

    Formula
        drawdown = 100 · (B / H − 1), in %. B is bitcoin's close, and H is bitcoin's highest close
        of the last ``high`` sessions. The gauge ``spy_drawdown`` is SPY's drawdown from its highest
        close of the last ``high`` sessions, in %. The gauge ``strength`` is bitcoin's return minus
        SPY's return over ``horizon`` sessions, in percentage points. The score is the z-score of m,
        where m is the mean of z(−drawdown) and z(−strength). The gauges ``stablecoins`` and
        ``fund_flows`` affect neither the flag nor the score. The gauge ``stablecoins`` is the
        growth of the supply of stablecoins over ``horizon`` sessions, in %. The gauge
        ``fund_flows`` is the sum of the net flows into spot bitcoin funds over ``month`` sessions,
        in USD millions.
    Flag
        The flag needs three conditions: bitcoin's drawdown is below ``fall``, bitcoin's strength is
        below 0, and SPY's drawdown is above ``hold``. The flag turns on when all three conditions
        are true for ``confirm`` sessions in a row. The flag turns off when at least one condition
        is false on each of ``confirm_leave`` consecutive sessions.
    Timing
        At a New York close, the newest known price of bitcoin is from 24:00 UTC on the previous
        date. The strength uses the closes of bitcoin and SPY on the date of the previous session.
        With closes of different dates, the correlation of bitcoin and SPY would be too low. The
        supply of stablecoins and the fund flows are known at the session after their date.
    NaN
        The flag is NA unless bitcoin and SPY have prices on each of the last ``high`` sessions. A
        z-score needs 252 values of its component. A component counts for the score if its z-score
        is known at the current session. In addition, the z-score must be known on at least 252 of
        the last 1260 sessions. The score needs at least one of its two components. The gauge
        ``stablecoins`` needs the supply at the current session and ``horizon`` sessions earlier.
        The supply data begin on 2017-11-29, and the publisher revises past values. The gauge
        ``fund_flows`` needs a flow on each of the last ``month`` sessions. If a flow is missing,
        the newest known flow is used instead, for at most four days. The spot bitcoin funds began
        on 2024-01-11.
    Reference
        Link L9 of the thesis. The signal is computed from past returns, so no claim about returns
        is tested with the signal.

    Parameters
    ----------
    high
        A drawdown is the fall from the highest close of this number of sessions, up to the current
        session.
    horizon
        Number of sessions over which the relative strength and the supply's growth are measured.
    month
        Number of sessions over which the net flows into funds are summed.
    fall
        The flag can turn on when bitcoin's drawdown is below this level (a negative number, in %).
    hold
        The flag can turn on when SPY's drawdown is above this level (a negative number, in %).
    confirm
        Number of consecutive sessions for which all conditions must be true before the flag turns
        on.
    confirm_leave
        The flag turns off after this number of consecutive sessions with at least one false
        condition.
    """

    name: ClassVar[str] = "crypto_probe"
    link: ClassVar[str] = "L9"
    headline: ClassVar[str] = "drawdown"
    units: ClassVar[dict[str, str]] = {
        "drawdown": "%",
        "strength": "pp / quarter",
        "spy_drawdown": "%",
        "stablecoins": "% / quarter",
        "fund_flows": "USD m",
        "without": "name",
    }
    inputs: ClassVar[tuple[str, ...]] = ("BTC-USD", "SPY", "STABLECOIN_SUPPLY", "FLOW_BTC_ETF")
    shown_only: ClassVar[tuple[str, ...]] = ("STABLECOIN_SUPPLY", "FLOW_BTC_ETF")
    components: ClassVar[tuple[str, ...]] = ("drawdown", "strength")
    must_be_positive: ClassVar[tuple[str, ...]] = ("high", "horizon", "month", "confirm_leave")
    must_ascend: ClassVar[Orders] = (("fall", 0), ("hold", 0))

    high: int = 252
    horizon: int = 63
    month: int = 21
    fall: float = -20.0
    hold: float = -10.0
    confirm_leave: int = 10

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels for the flag: bitcoin's drawdown, bitcoin's strength, and SPY's drawdown."""
        return (
            Threshold(gauge="drawdown", enter=self.fall, leave=self.fall, above=False),
            Threshold(gauge="strength", enter=0.0, leave=0.0, above=False),
            Threshold(gauge="spy_drawdown", enter=self.hold, leave=self.hold, above=True),
        )

    def unit(self, gauge: str) -> str:
        """Return the unit of a gauge, such as ``% over 20 sessions`` if ``horizon`` is 20."""
        return over(self.units[gauge], self.horizon)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the two drawdowns, the strength, the growth of stablecoins, and the fund flows."""
        same_date = session_close_id("BTC-USD")
        require(panel, (same_date,), self.name)
        bitcoin = panel[same_date].pct_change(self.horizon, fill_method=None)
        shares = panel["SPY"].shift(1).pct_change(self.horizon, fill_method=None)
        supply = panel["STABLECOIN_SUPPLY"]
        supply = supply.where(supply > 0).pct_change(self.horizon, fill_method=None)
        gauges = pd.DataFrame(
            {
                "drawdown": _drawdown(panel["BTC-USD"], self.high),
                "strength": 100 * (bitcoin - shares),
                "spy_drawdown": _drawdown(panel["SPY"], self.high),
                "stablecoins": 100 * supply,
                "fund_flows": panel["FLOW_BTC_ETF"].rolling(self.month).sum(),
            }
        )
        return gauges.assign(without=self._composite(gauges).without)

    def _composite(self, gauges: pd.DataFrame) -> Composite:
        return composite({name: zscore(-gauges[name]) for name in self.components})

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the z-score of the mean of z(−drawdown) and z(−strength)."""
        return self._composite(gauges).score


def _drawdown(prices: pd.Series, window: int) -> pd.Series:
    """Return the drawdown from a window's highest price, in %; NaN until the window is full."""
    return 100 * (prices / prices.rolling(window, min_periods=window).max() - 1)
