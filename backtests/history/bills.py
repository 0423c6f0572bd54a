"""Returns of idle cash, which is held in 3-month Treasury bills.

From one session to the next, cash grows by the factor (1 + y/2)^(2·d/365). In the formula, d is the
number of calendar days between the sessions, and y is a yield minus a spread. The formula uses the
yield known at the close of the earlier session. The yield is bond-equivalent and compounds every
half year. The simpler factor 1 + y·d/365 would give cash a higher return than bill funds have paid.
"""

import pandas as pd

YIELD = "DGS3MO"
SPREAD = 0.10


def bill_returns(known_yield: pd.Series, spread: float = SPREAD) -> pd.Series:
    """Return the simple return of bills from the previous session to each session, as a fraction.

    ``known_yield`` is the DGS3MO yield known at each session's close, bond-equivalent, in % a year.
    ``spread``, in percentage points a year, is subtracted from the yield. The bill return of a
    session is already known at the close of the previous session. The return is NaN at the first
    session. The return is also NaN if no yield was known at the previous session.

    Reference
        US Treasury, "Treasury's certified interest rates": bond-equivalent yields compound
        half-yearly.
    """
    held = (known_yield.shift(1) - spread) / 100
    days = known_yield.index.to_series().diff().dt.days
    growth: pd.Series = (1 + held / 2) ** (2 * days / 365)
    return (growth - 1).rename("bills")
