"""Returns of idle cash, which is held in 3-month Treasury bills.

From one session to the next, cash grows by the factor (1 + y/2)^(2·d/365), with d calendar days. y
is the bond-equivalent yield known at the earlier session, less a spread. Compounding at act/365
without half-year periods would give more than bill funds paid.
"""

import pandas as pd

YIELD = "DGS3MO"
SPREAD = 0.10


def bill_returns(known_yield: pd.Series, spread: float = SPREAD) -> pd.Series:
    """Return for each session the simple return of bills since the session before.

    ``known_yield`` is DGS3MO as known at each session's close, % a year, bond-equivalent.
    ``spread``, in percentage points a year, is deducted from the yield. The returns are fractions.
    The return of a session is known at the session before. The return is NaN at the first session,
    and where no yield was known at the session before.

    Reference
        US Treasury, "Treasury's certified interest rates": bond-equivalent yields compound
        half-yearly.
    """
    held = (known_yield.shift(1) - spread) / 100
    days = known_yield.index.to_series().diff().dt.days
    growth: pd.Series = (1 + held / 2) ** (2 * days / 365)
    return (growth - 1).rename("bills")
