"""The moment when the Federal Reserve's H.8 release is known, compared with real release dates."""

from pathlib import Path

import pandas as pd
import pytest

from backtests.history.panel import History
from backtests.importing.import_path import import_path


@pytest.mark.parametrize(
    ("wednesday", "released"),
    [("2025-03-05", "2025-03-14"), ("2025-07-30", "2025-08-08"), ("2025-10-08", "2025-10-17")],
)
def test_bank_assets_of_a_week_are_seen_on_the_monday_after_their_friday_release(
    wednesday: str, released: str, tmp_path: Path
) -> None:
    """H.8 for a Wednesday comes out on the Friday nine days later, at 16:15, after the close."""
    before = pd.Timestamp(wednesday) - pd.Timedelta(days=7)
    closes = pd.bdate_range(before, pd.Timestamp(released) + pd.Timedelta(days=7))
    (tmp_path / "TLAACBW027SBOG.csv").write_text(
        f"observation_date,TLAACBW027SBOG\n{before.date()},24000\n{wednesday},24100\n"
    )
    (tmp_path / "SPY.csv").write_text(
        "Date,Close\n" + "".join(f"{day.date()},600\n" for day in closes)
    )
    store = tmp_path / "store.duckdb"
    import_path(tmp_path, store, recorded_at=pd.Timestamp("2026-01-02 09:00"))
    panel = History.load(store, ("TLAACBW027SBOG", "SPY")).panel["TLAACBW027SBOG"]
    friday = pd.Timestamp(released)
    assert friday.day_name() == "Friday"
    assert panel[friday] == 24000.0
    assert panel[friday + pd.Timedelta(days=3)] == 24100.0
