"""``drypowder data``: what the store holds."""

from typing import Any

import typer

from backtests.cli.options import JsonOption, StoreOption, console, print_json, store_path


def data(store: StoreOption = None, json: JsonOption = False) -> None:
    """Show what the store holds."""
    from backtests.history.store import Store

    target = store_path(store)
    rows = held(Store(target))
    if json:
        print_json({"store": str(target), "series": rows})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in (
        ("series", "left"),
        ("what", "left"),
        ("unit", "left"),
        ("rows", "right"),
        ("first", "left"),
        ("last", "left"),
        ("known", "left"),
        ("stale", "left"),
    ):
        table.add_column(name, justify=side, no_wrap=name != "what")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(
            row["series"],
            row["title"],
            row["unit"],
            f"{row['rows']:,}",
            row["first"],
            row["last"],
            row["known"],
            f"since {row['stale_since']}" if row["stale_since"] else "",
        )
    console().print(table)
    typer.echo(f"{len(rows)} series in {target}")


def held(store: Any) -> list[dict[str, Any]]:
    """Return a row a series: what it is, how much of it there is, and since when it is stale."""
    import pandas as pd

    from backtests.history.batch import is_price, rule_of, stale_after, unit_of
    from backtests.history.calendar import new_york_now
    from signals.catalog import CATALOG
    from signals.universe import asset

    today = new_york_now().normalize()
    rows = []
    for entry in store.summary().itertuples():
        id = entry.series_id
        fresh_until = entry.last + pd.Timedelta(days=stale_after(id))
        title = f"price, {asset(id).asset_class}" if is_price(id) else CATALOG[id].title
        rows.append(
            {
                "series": id,
                "title": title,
                "unit": unit_of(id),
                "rows": int(entry.rows),
                "revisions": int(entry.revisions),
                "first": str(entry.first.date()),
                "last": str(entry.last.date()),
                "known": str(rule_of(id)),
                "stale_since": str(fresh_until.date()) if fresh_until < today else None,
            }
        )
    return rows
