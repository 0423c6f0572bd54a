"""L9: crypto is the probe of liquidity: it moves first and most."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Signal, ordered, positive, require
from signals.hysteresis import Threshold
from signals.transforms import Composite, composite, zscore
from signals.universe import session_close_id


@dataclass(frozen=True, kw_only=True)
class CryptoProbe(Signal):
    """Bitcoin falls and lags while shares still hold.

    Formula
        drawdown = 100 · (BTC / its highest close of ``high`` sessions − 1), in %; the same for
        SPY. strength = 100 · (return of BTC − return of SPY) over ``horizon`` sessions, in
        percentage points, on closes of the same dates. score = z(mean of z(−drawdown),
        z(−strength)).
    Flag
        On when bitcoin's drawdown is beyond ``fall``, its strength below 0 and SPY's drawdown
        within ``hold``, for ``confirm`` sessions in a row; left when on each of
        ``confirm_leave`` sessions in a row at least one of the three fails.
    Timing
        A New York close sees bitcoin's close of the date before (24:00 UTC). For strength both are
        the last session's closes of the same date: mixing dates would hide the co-movement.
    NaN
        No view before ``high`` sessions of bitcoin prices; the score needs 252 more.
    Reference
        Link L9 of the thesis; it contains past returns, so no claim about returns conditions on
        it.

    Parameters
    ----------
    high, horizon
        Sessions.
    fall, hold
        Drawdowns of bitcoin and of SPY, %, negative.
    confirm, confirm_leave
        Sessions in a row before the flag turns on, and off.

    Raises
    ------
    ConfigError
        When a parameter is out of order.
    MissingSeries
        When the panel lacks a column.
    """

    name: ClassVar[str] = "crypto_probe"
    link: ClassVar[str] = "L9"
    headline: ClassVar[str] = "drawdown"
    units: ClassVar[dict[str, str]] = {
        "drawdown": "%",
        "strength": "pp / quarter",
        "spy_drawdown": "%",
        "without": "name",
    }

    high: int = 252
    horizon: int = 63
    fall: float = -20.0
    hold: float = -10.0
    confirm_leave: int = 10

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        for name in ("high", "horizon", "confirm", "confirm_leave"):
            positive(name, getattr(self, name))
        ordered("fall", self.fall, "0", 0.0)
        ordered("hold", self.hold, "0", 0.0)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Bitcoin and SPY."""
        return ("BTC-USD", "SPY")

    @property
    def components(self) -> tuple[str, ...]:
        """What the score is made of."""
        return ("drawdown", "strength")

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """All three have to hold."""
        return (
            Threshold(gauge="drawdown", enter=self.fall, leave=self.fall, above=False),
            Threshold(gauge="strength", enter=0.0, leave=0.0, above=False),
            Threshold(gauge="spy_drawdown", enter=self.hold, leave=self.hold, above=True),
        )

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return both drawdowns and bitcoin's relative strength."""
        same_date = session_close_id("BTC-USD")
        require(panel, (same_date,), self.name)
        bitcoin = panel[same_date].pct_change(self.horizon, fill_method=None)
        shares = panel["SPY"].shift(1).pct_change(self.horizon, fill_method=None)
        gauges = pd.DataFrame(
            {
                "drawdown": _drawdown(panel["BTC-USD"], self.high),
                "strength": 100 * (bitcoin - shares),
                "spy_drawdown": _drawdown(panel["SPY"], self.high),
            }
        )
        return gauges.assign(without=self._composite(gauges).without)

    def _composite(self, gauges: pd.DataFrame) -> Composite:
        return composite({name: zscore(-gauges[name]) for name in self.components})

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the re-standardised mean of z(−drawdown) and z(−strength)."""
        return self._composite(gauges).score


def _drawdown(prices: pd.Series, window: int) -> pd.Series:
    """Return the fall from the highest value of a window, %; NaN before the window is full."""
    return 100 * (prices / prices.rolling(window, min_periods=window).max() - 1)
