"""Loadings of each asset on the factors of the simulated returns.

In :data:`EXPOSURES`, an asset has the loadings of its class. Some assets differ from their class in
a few loadings. All loadings are round numbers. The loading on speculation rises in
this order: memory, hyperscalers, semiconductors, software, speculative shares and crypto.
"""

from dataclasses import dataclass, replace
from typing import Any

from signals.universe import UNIVERSE


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """Loadings of one asset on the factors of the simulated returns.

    Attributes
    ----------
    kind
        Asset class, which determines the asset's losses from forced selling.
    beta, speculation, near, coin
        Loadings on four factors, in this order: the market, speculation, cash flows that come soon,
        and coins.
    duration, credit
        Durations, in years. If the 10-year yield rises by one percentage point, the asset loses
        ``duration`` %. If the credit spread rises by one percentage point, the asset loses
        ``credit`` %.
    carry
        Constant part of the return, a fraction a year.
    bills
        Fraction of the bill yield that is added to the asset's return.
    own
        Idiosyncratic volatility per year, as a fraction.
    cascade
        On the third day of a cascade, the asset's loss is multiplied by ``cascade``. If ``cascade``
        is 0, no cascade hits the asset.
    first_price
        First price, in USD.
    """

    kind: str = ""
    beta: float = 0.0
    speculation: float = 0.0
    near: float = 0.0
    coin: float = 0.0
    duration: float = 0.0
    credit: float = 0.0
    carry: float = 0.0
    bills: float = 0.0
    own: float = 0.1
    cascade: float = 0.0
    first_price: float = 50.0


#: A mapping from asset class to its loadings. :func:`_exposures` sets ``kind`` to the class.
_CLASSES: dict[str, Exposure] = {
    "memory": Exposure(beta=1.35, speculation=0.25, near=1.0, carry=0.02, own=0.30, cascade=1.2),
    "defensive": Exposure(beta=0.65, speculation=-0.1, own=0.07, cascade=0.5),
    "hyperscalers": Exposure(beta=1.1, speculation=0.3, carry=0.06, own=0.20, cascade=1.0),
    "semiconductors": Exposure(
        beta=1.35, speculation=0.45, near=0.4, carry=0.05, own=0.2, cascade=1.2
    ),
    "broad": Exposure(beta=1.0, own=0.02, cascade=1.0),
    "software": Exposure(beta=1.15, speculation=0.6, own=0.28, cascade=1.2),
    "speculative": Exposure(beta=1.35, speculation=1.1, own=0.32, cascade=1.4),
    "crypto": Exposure(beta=0.8, speculation=1.6, coin=1.0, own=0.18, cascade=1.5),
    "metals": Exposure(beta=0.05, duration=3.0, carry=0.07, own=0.15),
    "bonds": Exposure(bills=0.6, carry=0.012, own=0.01),
    "cash": Exposure(bills=1.0, own=0.0005),
    "trend": Exposure(beta=-0.05, bills=1.0, carry=0.02, own=0.10),
}

#: A mapping from ticker to the loadings that differ from the loadings of the ticker's class.
_OWN: dict[str, dict[str, Any]] = {
    "SPY": {"first_price": 120.0},
    "QQQ": {"beta": 1.12, "speculation": 0.2, "carry": 0.03, "own": 0.05},
    "EFA": {"beta": 0.95, "carry": -0.03, "own": 0.07},
    "EEM": {"beta": 1.05, "speculation": 0.15, "carry": -0.03, "own": 0.12},
    "SMH": {"own": 0.10},
    "SOXX": {"own": 0.10},
    "NVDA": {"carry": 0.15, "own": 0.34},
    "IGV": {"own": 0.10},
    "ARKK": {"speculation": 1.3, "own": 0.18},
    "IWM": {"beta": 1.15, "speculation": 0.3, "own": 0.07},
    "MSTR": {"speculation": 1.3, "coin": 0.7, "own": 0.40},
    "COIN": {"speculation": 1.3, "coin": 0.7, "own": 0.45},
    "BTC-USD": {"first_price": 250.0},
    "ETH-USD": {"coin": 1.15, "own": 0.35, "first_price": 8.0},
    "SOL-USD": {"coin": 1.25, "own": 0.55, "first_price": 2.0},
    "SLV": {"beta": 0.25, "own": 0.27},
    "SHY": {"duration": 1.9, "carry": 0.004, "own": 0.004},
    "IEF": {"duration": 7.5},
    "TLT": {"duration": 16.5, "own": 0.03},
    "TIP": {"duration": 6.0, "own": 0.025},
    "LQD": {"duration": 8.0, "credit": 5.0, "carry": 0.02},
    "HYG": {"duration": 2.5, "credit": 3.5, "beta": 0.25, "carry": 0.025, "own": 0.02},
    "VOO": {"beta": 1.0, "speculation": 0.0, "carry": 0.0, "own": 0.02},
    "AGG": {"duration": 6.0},
    "EDV": {"duration": 24.0, "own": 0.05},
    "IEI": {"duration": 4.4},
    "JNK": {"duration": 2.5, "credit": 3.5, "beta": 0.27, "carry": 0.025, "own": 0.02},
    "SPTL": {"duration": 15.0, "own": 0.03},
    "DBC": {"beta": 0.45, "own": 0.15},
    "USO": {"beta": 0.7, "own": 0.32},
    "GDX": {"beta": 0.6, "own": 0.32},
    "UUP": {"beta": -0.2, "bills": 1.0, "cascade": 0.0},
    "UDN": {"beta": 0.2, "cascade": 0.0},
    "VIXY": {"beta": -2.0, "carry": 0.0, "own": 0.35},
}

#: A mapping from asset class to tickers outside the universe. These tickers get the loadings of the
#: class.
_OTHERS: dict[str, str] = {
    "hyperscalers": "AAPL XLK VOO XLY",
    "semiconductors": "AMD ASML INTC EWY",
    "software": "CLOU SKYY WCLD CRWV",
    "broad": "DBC GDX USO VNQ XLB XLE XLF XLI XLRE",
    "defensive": "SPLV UUP UDN",
    "metals": "IAU",
    "bonds": "AGG EDV IEI JNK SPTL",
    "cash": "BIL SGOV",
    "trend": "CTA DBMF KMLM WTMF VIXY",
    "crypto-fund": "BITO ETHA GBTC IBIT",
}


def _exposures() -> dict[str, Exposure]:
    classes = {kind: replace(exposure, kind=kind) for kind, exposure in _CLASSES.items()}
    fund = replace(classes["speculative"], beta=0.8, speculation=1.5, coin=1.0, own=0.12)
    classes["crypto-fund"] = fund
    kinds = {ticker: asset.asset_class for ticker, asset in UNIVERSE.items()}
    kinds |= {t: kind for kind, tickers in _OTHERS.items() for t in tickers.split()}
    return {t: replace(classes[kind], **_OWN.get(t, {})) for t, kind in kinds.items()}


EXPOSURES: dict[str, Exposure] = _exposures()
