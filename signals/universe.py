"""The assets and their classes.

The order of the classes by duration was fixed before we looked at any return. An asset whose cash
flows lie in the near future has a short duration. The class of an asset depends on its cash flows,
not on its returns. The assets of each class were chosen in 2026 with hindsight. Backtest reports
warn about the hindsight (:data:`HINDSIGHT`).

Prices are in USD. Prices of shares and funds are adjusted for splits and dividends, and known at
the New York close. The day of a coin ends at 24:00 UTC, so its close is known hours after the New
York close.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from signals.catalog import AT_CLOSE, LATE_FILERS, UTC_MIDNIGHT, Rule
from signals.errors import ConfigError, unknown

Market = Literal["etf", "stock", "crypto"]

#: Name of cash in a file of holdings. No asset may have this name.
CASH = "CASH"
HINDSIGHT = (
    "The assets were chosen in 2026, when it was known which assets had done well: Micron and "
    "its peers, bitcoin, the large platforms. Every backtest on these assets therefore has "
    "hindsight."
)


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One tradable asset.

    Attributes
    ----------
    ticker
        Yahoo's symbol, which is also the id of the asset's price series (USD).
    asset_class
        Class of the asset in :data:`CLASSES`; ``other`` for a ticker outside :data:`UNIVERSE`.
    market
        ``etf``, ``stock`` or ``crypto``. The cost of a trade depends on the market.
    listed
        First day of trading, or None when this day is unknown. Prices of the ticker before its
        first trading day belong to another company.
    """

    ticker: str
    asset_class: str
    market: Market
    listed: date | None = None

    @property
    def is_coin(self) -> bool:
        """Whether the asset is a coin, which trades every day and closes at 24:00 UTC."""
        return self.market == "crypto"

    @property
    def known(self) -> Rule:
        """The rule that says when a close is first known."""
        return UTC_MIDNIGHT if self.is_coin else AT_CLOSE

    @property
    def stale_after(self) -> int:
        """Number of calendar days for which the last price of the asset stays valid.

        The panel omits a price that is no longer valid. Without a valid price, a backtest closes
        the position, and the command ``today`` keeps the target weight.
        """
        return 4 if self.is_coin else 10


#: Duration of each class, shortest first. The order of the last three classes (metals, bonds,
#: other) does not depend on duration.
CLASSES: dict[str, str] = {
    "memory": "short: its cash flows come soon and are very cyclical",
    "defensive": "short",
    "hyperscalers": "middle",
    "semiconductors": "middle",
    "broad": "middle",
    "software": "long",
    "speculative": "long",
    "crypto": "longest: no cash flow",
    "metals": "no cash flow; often called a safe haven",
    "bonds": "the duration of the fund's bonds",
    "other": "unknown",
}
#: Rank of each class by duration, shortest first; equal ranks are ties. Signals, strategies and the
#: trial use this order, which was fixed in advance. A class has no rank if its place in
#: :data:`CLASSES` does not depend on duration.
DURATION = {
    "memory": 0,
    "defensive": 0,
    "hyperscalers": 1,
    "semiconductors": 1,
    "broad": 1,
    "software": 2,
    "speculative": 2,
    "crypto": 3,
}

_LISTINGS: tuple[tuple[str, Market, str], ...] = (
    ("memory", "stock", "MU 1984-06-01, SNDK 2025-02-13, WDC 1978-10-31, STX 2002-12-11"),
    ("defensive", "etf", "USMV 2011-10-20, XLP 1998-12-22, XLU 1998-12-22, XLV 1998-12-22"),
    ("hyperscalers", "stock", "MSFT 1986-03-13, GOOGL 2004-08-19, AMZN 1997-05-15"),
    ("hyperscalers", "stock", "META 2012-05-18, ORCL 1986-03-12"),
    ("semiconductors", "stock", "NVDA 1999-01-22, AVGO 2009-08-06, TSM 1997-10-08"),
    ("semiconductors", "etf", "SMH 2000-06-05, SOXX 2001-07-13"),
    ("broad", "etf", "SPY 1993-01-29, QQQ 1999-03-10, EFA 2001-08-27, EEM 2003-04-14"),
    ("software", "etf", "IGV 2001-07-13"),
    ("software", "stock", "CRM 2004-06-23, NOW 2012-06-29, ADBE 1986-08-13, WDAY 2012-10-12"),
    ("software", "stock", "SNOW 2020-09-16, TEAM 2015-12-09"),
    ("speculative", "etf", "ARKK 2014-10-31, IWM 2000-05-26"),
    ("speculative", "stock", "MSTR 1998-06-11, COIN 2021-04-14"),
    ("crypto", "crypto", "BTC-USD 2010-07-17, ETH-USD 2015-08-07, SOL-USD 2020-04-10"),
    ("metals", "etf", "GLD 2004-11-18, SLV 2006-04-28"),
    ("bonds", "etf", "SHY 2002-07-30, IEF 2002-07-30, TLT 2002-07-30, TIP 2003-12-05"),
    ("bonds", "etf", "LQD 2002-07-30, HYG 2007-04-11"),
)


UNIVERSE: dict[str, Asset] = {
    ticker: Asset(ticker=ticker, asset_class=kind, market=market, listed=date.fromisoformat(day))
    for kind, market, listings in _LISTINGS
    for ticker, day in (listing.split() for listing in listings.split(", "))
}


#: Funds outside :data:`UNIVERSE` whose prices users often import. A ticker alone does not show
#: whether an asset is a fund or a share, so the funds are listed here. IBIT and GBTC own coins,
#: VIXY owns futures.
_FUNDS = (
    "AGG BIL BITO CLOU CTA DBC DBMF EDV ETHA EWY GBTC GDX IAU IBIT IEI JNK KMLM SGOV SKYY SPLV "
    "SPTL UDN USO UUP VIXY VNQ VOO WCLD WTMF XLB XLE XLF XLI XLK XLRE XLY"
)
FUNDS = frozenset(_FUNDS.split())


def asset(ticker: str) -> Asset:
    """Return the asset of a ticker; an unknown ticker gives an asset of class ``other``.

    A ticker outside :data:`UNIVERSE` is a coin if the ticker ends in ``-USD``. A coin trades every
    day and closes at 24:00 UTC. A ticker in :data:`FUNDS` has the market ``etf``. An unknown ticker
    that is neither a coin nor a fund has the market ``stock``.
    """
    market: Market = "etf" if ticker in FUNDS else "stock"
    market = "crypto" if ticker.endswith("-USD") else market
    return UNIVERSE.get(ticker) or Asset(ticker=ticker, asset_class="other", market=market)


def public_since(ticker: str) -> date | None:
    """Return a company's first trading day, or None if the day is unknown."""
    return LATE_FILERS.get(ticker) or asset(ticker).listed


def session_close_id(coin: str) -> str:
    """Return the name of the panel column that contains a coin's closes on session dates.

    The column ``coin`` contains the close of the previous calendar date: on a Monday, the close of
    Sunday. The column ``coin@session`` contains the newest known close whose date is a New York
    session. In each row, the close in ``coin@session`` has the same date as the price in
    ``panel[share].shift(1)``. So the returns of ``coin@session`` and of ``panel[share].shift(1)``
    cover the same days.
    """
    return f"{coin}@session"


def members(asset_class: str) -> tuple[str, ...]:
    """Return the tickers of a class, in the order of the universe."""
    return tuple(a.ticker for a in UNIVERSE.values() if a.asset_class == asset_class)


#: The classes whose tickers a user may replace.
OPEN_CLASSES = tuple(name for name in CLASSES if name != "other")
#: A mapping from an asset class to the tickers that a user chose for the class.
OwnClasses = Mapping[str, tuple[str, ...]]


def class_of(ticker: str, own: OwnClasses) -> str:
    """Return the class of a ticker when a user has replaced the tickers of some classes.

    A ticker that the user removed from its class has the class ``other``.
    """
    for name, tickers in own.items():
        if ticker in tickers:
            return name
    declared = asset(ticker).asset_class
    return "other" if declared in own else declared


def check_classes(own: OwnClasses) -> None:
    """Raise ConfigError if a class is unknown or empty, or if two classes contain the same ticker.

    For a class that the user does not replace, the check uses the default tickers.
    """
    for name, tickers in own.items():
        if name not in OPEN_CLASSES:
            raise ConfigError(unknown("class", name, OPEN_CLASSES))
        if not tickers:
            raise ConfigError(
                f"expected tickers in class {name}, found none; remove this class to use the "
                f"default tickers ({', '.join(members(name))})"
            )
        _check_tickers(name, tickers)
    whole = {name: own.get(name, members(name)) for name in OPEN_CLASSES}
    for name, tickers in own.items():
        for other in (other for other in whole if other != name):
            if twice := [ticker for ticker in tickers if ticker in whole[other]]:
                raise ConfigError(_in_two(twice[0], name, other, tickers, own))


def _check_tickers(name: str, tickers: tuple[str, ...]) -> None:
    if len(set(tickers)) < len(tickers) or any(not t or t != t.strip() for t in tickers):
        raise ConfigError(f"class {name}: expected tickers, each once, was {list(tickers)!r}")


def _in_two(ticker: str, name: str, other: str, tickers: tuple[str, ...], own: OwnClasses) -> str:
    said = f"expected {ticker} in one class, found it in {name} and "
    if other in own:
        return f"{said}{other}; remove {ticker} from one of the two classes"
    rest = [t for t in members(other) if t not in tickers]
    cure = f"add {other} = {json.dumps(rest)}" if rest else f"choose other tickers for {other}"
    return f"{said}by default in {other}; {cure}"
