"""Oracles of the strategies: one asset and one session at a time, slow, literal, without pandas.

They are written from the rules, and tests compare the fast versions with them. An oracle gets the
:class:`Past` of one session, which cannot look ahead, and its parameters. It returns weights by
asset. An asset that is left out has no weight. An oracle of a state returns a label, or None
without a state.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import pairwise

Weights = dict[str, float]
Tickers = tuple[str, ...]

#: For each strategy and regime: percent of the portfolio in each sleeve. The rest is cash.
TABLES: dict[str, dict[str, dict[str, float]]] = {
    "near-cash-flow": {
        "INJECTION": {"broad": 60, "memory": 20, "crypto": 20},
        "NEUTRAL": {"broad": 60, "memory": 20, "crypto": 10},
        "ABSORPTION": {"broad": 20, "memory": 30, "defensive": 10},
        "FORCED_SELLING": {"memory": 10, "defensive": 10},
        "OPPORTUNITY": {"broad": 40, "memory": 30, "crypto": 20},
    },
    "cash-heavy": {
        "INJECTION": {"broad": 80},
        "NEUTRAL": {"broad": 60},
        "ABSORPTION": {"broad": 20},
        "FORCED_SELLING": {},
        "OPPORTUNITY": {"broad": 70},
    },
    "defensive": {
        "INJECTION": {"broad": 100},
        "NEUTRAL": {"broad": 70, "defensive": 30},
        "ABSORPTION": {"defensive": 60},
        "FORCED_SELLING": {"defensive": 30},
        "OPPORTUNITY": {"broad": 100},
    },
    "patient": {
        "INJECTION": {"broad": 60},
        "NEUTRAL": {"broad": 30},
        "ABSORPTION": {},
        "FORCED_SELLING": {},
        "OPPORTUNITY": {},
    },
    "memory-over-crypto": {
        "INJECTION": {},
        "NEUTRAL": {},
        "ABSORPTION": {"memory": 50, "crypto": -50},
        "FORCED_SELLING": {"memory": 50, "crypto": -50},
        "OPPORTUNITY": {},
    },
}
CHANCE = {"broad": 60, "memory": 20, "crypto": 20}

#: The classes between which the strategy survival moves capital, shortest duration first.
CLASSES: dict[str, Tickers] = {
    "memory": ("MU", "SNDK", "WDC", "STX"),
    "defensive": ("USMV", "XLP", "XLU", "XLV"),
    "hyperscalers": ("MSFT", "GOOGL", "AMZN", "META", "ORCL"),
    "semiconductors": ("NVDA", "AVGO", "TSM", "SMH", "SOXX"),
    "software": ("IGV", "CRM", "NOW", "ADBE", "WDAY", "SNOW", "TEAM"),
    "speculative": ("ARKK", "MSTR", "COIN", "IWM"),
    "crypto": ("BTC-USD", "ETH-USD", "SOL-USD"),
}
BROAD = ("SPY",)
MEMORY = CLASSES["memory"]
DEFENSIVE = CLASSES["defensive"]
COINS = ("BTC-USD", "ETH-USD")
TRADED = (*BROAD, *MEMORY, *COINS, *DEFENSIVE)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Columns as lists, with one value for each session, and None without a value.

    ``returns`` keeps mean returns by tickers and row, because each counts in 63 volatilities.
    """

    days: list[date]
    panel: Mapping[str, Sequence[float | None]]
    regime: list[str | None]
    score: list[float | None]
    flag: list[bool | None]
    month: list[int] = field(init=False)
    ends: dict[int, int] = field(init=False)
    returns: dict[tuple[Tickers, int], float | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        month = [12 * day.year + day.month for day in self.days]
        object.__setattr__(self, "month", month)
        object.__setattr__(self, "ends", {one: row for row, one in enumerate(month)})


@dataclass(frozen=True, kw_only=True)
class Past:
    """The data known at the close of one session: its row and all earlier rows."""

    rows: Rows
    at: int

    def _row(self, back: int) -> int:
        if not 0 <= back <= self.at:
            raise IndexError(f"session {self.at} knows nothing of {back} sessions before it")
        return self.at - back

    def cell(self, id: str, back: int = 0) -> float | None:
        """Return a cell of the panel ``back`` sessions ago; None before history begins."""
        if back > self.at or id not in self.rows.panel:
            return None
        return self.rows.panel[id][self._row(back)]

    def last_of_month(self, ago: int, id: str) -> float | None:
        """Return the last value in the month ``ago`` months ago, which must be over."""
        if ago < 1:
            raise IndexError(f"a month that is not over has no last price, asked for {ago} ago")
        month = self.rows.month[self.at] - ago
        row = self.rows.ends.get(month, -1)
        while row >= 0 and self.rows.month[row] == month:
            if (value := self.cell(id, self.at - row)) is not None:
                return value
            row -= 1
        return None

    def regime(self, back: int = 0) -> str | None:
        """Return the regime ``back`` sessions ago; None before history begins."""
        return None if back > self.at else self.rows.regime[self._row(back)]

    @property
    def score(self) -> float | None:
        """Return the absorption score of the session."""
        return self.rows.score[self.at]

    @property
    def flag(self) -> bool | None:
        """Return the absorption flag of the session."""
        return self.rows.flag[self.at]


# --- shared by several oracles ---------------------------------------------------------------


def there(past: Past, tickers: Tickers) -> list[str]:
    """Return the tickers with a price at the session."""
    return [ticker for ticker in tickers if past.cell(ticker) is not None]


def session_return(past: Past, tickers: Tickers, back: int) -> float | None:
    """Return the mean return over the tickers with a return at a session; None without any."""
    if back >= past.at:
        return None
    key = tickers, past._row(back)
    if key not in past.rows.returns:
        returns = []
        for ticker in tickers:
            now, before = past.cell(ticker, back), past.cell(ticker, back + 1)
            if now is not None and before is not None:
                returns.append(now / before - 1)
        past.rows.returns[key] = math.fsum(returns) / len(returns) if returns else None
    return past.rows.returns[key]


def volatility_of(past: Past, tickers: Tickers) -> float | None:
    """Return the yearly volatility over 63 sessions; None if a session has no return."""
    returns = []
    for back in range(63):
        one = session_return(past, tickers, back)
        if one is None:
            return None
        returns.append(one)
    mean = math.fsum(returns) / 63
    variance = math.fsum((one - mean) ** 2 for one in returns) / 62
    return math.sqrt(variance) * math.sqrt(252)


def scale_of(past: Past, tickers: Tickers, target: float) -> float:
    """Return min(1, target / volatility); 0 if the volatility is not known."""
    volatility = volatility_of(past, tickers)
    if volatility is None:
        return 0.0
    return 1.0 if volatility <= target else target / volatility


def percent(past: Past, table: str) -> dict[str, float]:
    """Return the row of a table for the session's regime, as fractions."""
    row = TABLES[table][past.regime() or "NEUTRAL"]
    return {sleeve: share / 100 for sleeve, share in row.items()}


def dealt(past: Past, shares: dict[str, float], sleeves: dict[str, Tickers]) -> Weights:
    """Divide each sleeve's share equally between its listed members.

    Without members, it is cash.
    """
    weights: Weights = {}
    for sleeve, share in shares.items():
        listed = there(past, sleeves[sleeve])
        for ticker in listed:
            weights[ticker] = weights.get(ticker, 0.0) + share / len(listed)
    return weights


def sized(
    past: Past,
    shares: dict[str, float],
    sleeves: dict[str, Tickers],
    target: float,
    names: Tickers = ("memory", "crypto"),
) -> dict[str, float]:
    """Scale some sleeves to a target volatility. The rest becomes cash."""
    return {
        sleeve: share * (scale_of(past, sleeves[sleeve], target) if sleeve in names else 1.0)
        for sleeve, share in shares.items()
    }


# --- the thesis ------------------------------------------------------------------------------


def near_cash_flow(
    past: Past,
    broad: Tickers = BROAD,
    memory: Tickers = MEMORY,
    crypto: Tickers = COINS,
    defensive: Tickers = DEFENSIVE,
    volatility: float = 0.25,
) -> Weights:
    """Prefer memory makers to crypto, and hold more cash if capital is scarcer."""
    sleeves = {"broad": broad, "memory": memory, "crypto": crypto, "defensive": defensive}
    shares = sized(past, percent(past, "near-cash-flow"), sleeves, volatility)
    return dealt(past, shares, sleeves)


def cash_heavy(past: Past, broad: Tickers = BROAD) -> Weights:
    """Hold SPY and bills, and more bills if capital is scarcer."""
    return dealt(past, percent(past, "cash-heavy"), {"broad": broad})


def defensive(past: Past, broad: Tickers = BROAD, defensive: Tickers = DEFENSIVE) -> Weights:
    """Hold SPY if capital is ample, defensive shares if it is scarcer, and then cash."""
    sleeves = {"broad": broad, "defensive": defensive}
    return dealt(past, percent(past, "defensive"), sleeves)


def thirds(past: Past, stage: int = 42, hold: int = 252) -> int:
    """Return the number of thirds of the chance that are held at the session.

    Every turn to OPPORTUNITY since the last FORCED_SELLING counts. Each turn starts with the thirds
    that are still held from the turn before.
    """
    turns = []
    for back in range(past.at + 1):
        if past.regime(back) == "FORCED_SELLING":
            break
        if past.regime(back) == "OPPORTUNITY" and past.regime(back + 1) != "OPPORTUNITY":
            turns.append(past.at - back)
    held = 0
    for turn, following in pairwise([*reversed(turns), past.at + 1]):
        held = held_after(following - 1 - turn, held, stage, hold)
    return held


def held_after(age: int, carried: int, stage: int, hold: int) -> int:
    """Return the thirds held ``age`` sessions after a turn; ``carried`` were held at the turn."""
    leaving = age - stage - hold
    if leaving < 0:
        bought = 1 if age < stage / 2 else 2 if age < stage else 3
        return max(bought, carried)
    return 2 if leaving < stage / 2 else 1 if leaving < stage else 0


def patient(
    past: Past,
    stage: int = 42,
    hold: int = 252,
    broad: Tickers = BROAD,
    memory: Tickers = MEMORY,
    crypto: Tickers = COINS,
    volatility: float = 0.25,
) -> Weights:
    """Hold mostly cash until a chance; then buy in thirds, hold, and sell in thirds."""
    sleeves = {"broad": broad, "memory": memory, "crypto": crypto}
    part = thirds(past, stage, hold)
    back = 0
    while back < past.at and past.regime(back) == "OPPORTUNITY":
        back += 1
    before = past.regime(back) or "NEUTRAL"
    table = {sleeve: share / 100 for sleeve, share in TABLES["patient"][before].items()}
    shares = {
        sleeve: max(part * CHANCE[sleeve] / 100 / 3, table.get(sleeve, 0.0)) for sleeve in sleeves
    }
    return dealt(past, sized(past, shares, sleeves, volatility), sleeves)


def memory_over_crypto(
    past: Past,
    memory: Tickers = MEMORY,
    crypto: Tickers = ("BTC-USD",),
    volatility: float = 0.25,
) -> Weights:
    """Hold memory makers long and bitcoin short: both legs or none."""
    legs = {"memory": memory, "crypto": crypto}
    shares = sized(past, percent(past, "memory-over-crypto"), legs, volatility)
    for leg in legs.values():
        if not there(past, leg) or volatility_of(past, leg) is None:
            return {}
    return dealt(past, shares, legs)


def survival(past: Past, volatility: float = 0.25) -> Weights:
    """Hold 40 % SPY, and 60 % in seven classes, tilted from long to short duration."""
    x = max(-1.0, min(1.0, past.score or 0.0))
    places = [3 / 3, 2 / 3, 1 / 3, 0.0, -1 / 3, -2 / 3, -3 / 3]
    shares = {"broad": 0.40}
    for name, place in zip(CLASSES, places, strict=True):
        shares[name] = 0.60 / 7 * (1 + x * place)
    sleeves = {"broad": BROAD, **CLASSES}
    return dealt(past, sized(past, shares, sleeves, volatility), sleeves)


# --- baselines -------------------------------------------------------------------------------


def fixed(past: Past, **shares: float) -> Weights:
    """Hold fixed shares. The share of an unlisted asset is cash."""
    return {ticker: share for ticker, share in shares.items() if past.cell(ticker) is not None}


def equal_weight(past: Past, tickers: Tickers = TRADED) -> Weights:
    """Hold equal weights in the listed assets."""
    return dealt(past, {"all": 1.0}, {"all": tickers})


def constant_mix(past: Past, share: float = 0.5) -> Weights:
    """Hold a constant share of SPY."""
    return fixed(past, SPY=share)


# --- challengers -----------------------------------------------------------------------------


def month_closes(past: Past, ticker: str, months: int) -> list[float | None]:
    """Return the last price of each of the ``months`` months before this one, the latest first."""
    return [past.last_of_month(ago, ticker) for ago in range(1, months + 1)]


def trend(past: Past, tickers: Tickers = BROAD, months: int = 10) -> Weights:
    """Hold each listed asset whose price is above its ten-month mean, with equal shares."""
    listed = there(past, tickers)
    weights: Weights = {}
    for ticker in listed:
        price = past.cell(ticker)
        closes = [price, *month_closes(past, ticker, months - 1)]
        known = [close for close in closes if close is not None]
        if len(known) == months and known[0] > sum(known) / months:
            weights[ticker] = 1 / len(listed)
    return weights


def dual_momentum(past: Past) -> Weights:
    """Hold the better of SPY and EFA while SPY beats bills, else IEF."""
    gained = {}
    for ticker in ("SPY", "EFA", "IEF"):
        now, then = past.cell(ticker), month_closes(past, ticker, 12)[11]
        gained[ticker] = None if now is None or then is None else now / then - 1
    yields = [past.cell("DGS3MO", back) for back in range(252)]
    known = [one for one in yields if one is not None]
    if gained["SPY"] is None or not known:
        return {}
    chosen = "SPY"
    if gained["SPY"] <= math.fsum(known) / len(known) / 100:
        chosen = "IEF"
    elif gained["EFA"] is not None and gained["EFA"] > gained["SPY"]:
        chosen = "EFA"
    return {} if gained[chosen] is None else {chosen: 1.0}


def vol_target(past: Past, volatility: float = 0.10) -> Weights:
    """Hold SPY, scaled to a target volatility."""
    return fixed(past, SPY=scale_of(past, BROAD, volatility))


# --- states ----------------------------------------------------------------------------------


def patient_state(past: Past) -> str | None:
    """Return the number of thirds that are held, or the regime if none is held."""
    held = thirds(past)
    return f"{held}/3 in" if held else past.regime()


def survival_state(past: Past) -> str | None:
    """Return whether the absorption flag is on."""
    return {True: "absorbing", False: "not absorbing", None: None}[past.flag]


def holding(past: Past, oracle: Callable[[Past], Weights], tickers: Tickers) -> str:
    """Return "invested" if one of the tickers is held, else "out"."""
    return "invested" if any(oracle(past).get(ticker) for ticker in tickers) else "out"


#: By name of the strategy: its oracle, which takes the strategy's parameters by name.
ORACLES: dict[str, Callable[..., Weights]] = {
    "near-cash-flow": near_cash_flow,
    "near-cash-flow-smh": partial(near_cash_flow, memory=("SMH",)),
    "cash-heavy": cash_heavy,
    "defensive": defensive,
    "patient": patient,
    "memory-over-crypto": memory_over_crypto,
    "memory-over-crypto-smh": partial(memory_over_crypto, memory=("SMH",)),
    "survival": survival,
    "spy": partial(fixed, SPY=1.0),
    "sixty-forty": partial(fixed, SPY=0.6, IEF=0.4),
    "bitcoin": lambda past: fixed(past, **{"BTC-USD": 1.0}),
    "gold": partial(fixed, GLD=1.0),
    "bills": fixed,
    "equal-weight": equal_weight,
    "constant-mix": constant_mix,
    "trend": trend,
    "trend-universe": partial(trend, tickers=TRADED),
    "dual-momentum": dual_momentum,
    "vol-target": vol_target,
}

#: By name of the strategy: the oracle of its state. Other strategies have no state.
STATES: dict[str, Callable[[Past], str | None]] = {
    "near-cash-flow": Past.regime,
    "near-cash-flow-smh": Past.regime,
    "cash-heavy": Past.regime,
    "defensive": Past.regime,
    "patient": patient_state,
    "memory-over-crypto": Past.regime,
    "memory-over-crypto-smh": Past.regime,
    "survival": survival_state,
    "trend": partial(holding, oracle=trend, tickers=BROAD),
    "trend-universe": partial(holding, oracle=partial(trend, tickers=TRADED), tickers=TRADED),
    "dual-momentum": partial(holding, oracle=dual_momentum, tickers=("SPY", "EFA")),
}
