"""``drypowder data``: show the content of the store, its errors and its revisions."""

from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtests.cli import options
from backtests.cli.table import Columns, numbers, print_records, words
from backtests.cli.terminal import complain, print_json, say
from backtests.format import significant, thousands
from backtests.plural import number_of
from backtests.report.out import check_file

if TYPE_CHECKING:
    import pandas as pd

    from backtests.store.store import Store

COLUMNS: Columns = (
    (words("series"), itemgetter("series")),
    (words("what", wraps=True, rank=2), itemgetter("title")),
    (words("unit", rank=5), itemgetter("unit")),
    (numbers("rows", rank=3), lambda row: thousands(row["rows"])),
    (words("first", rank=4), itemgetter("first")),
    (words("last"), itemgetter("last")),
    (words("known", rank=6), lambda row: row["known"] + ", revised" * row["revised"]),
    (words("stale since", rank=1), lambda row: row["stale_since"] or ""),
)
_REVISIONS: Columns = (
    (words("date"), lambda row: f"{row.observed_on:%Y-%m-%d}"),
    (numbers("value"), lambda row: _value(row.value)),
    (words("known", rank=1), lambda row: f"{row.available_at:%Y-%m-%d %H:%M}"),
    (words("recorded", rank=2), lambda row: f"{row.recorded_at:%Y-%m-%d %H:%M}"),
)


def data(
    store: options.Store = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="List errors and notes; exit 2 if there is an error."),
    ] = False,
    revisions: Annotated[
        str | None, typer.Option(metavar="SERIES", help="List every value of each revised date.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.parquet",
            help="Write all rows and columns to a file, with New York times.",
        ),
    ] = None,
    copy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the rows up to --as-of to a new store."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Leave out rows recorded after this date or moment."),
    ] = None,
    json: options.Json = False,
) -> None:
    """List the series in the store, or check, export or copy the store.

    If there is no store, the command says how to make a store.
    """
    from backtests.store.store import Store, named_store, store_path
    from signals.errors import ConfigError

    if sum((check, revisions is not None, export is not None, copy is not None)) > 1:
        raise ConfigError(
            "expected only one of --check, --revisions, --export and --copy; run one at a time"
        )
    if (copy is None) != (as_of is None):
        raise ConfigError("expected --copy FILE and --as-of DATE together; give both")
    if export is not None:
        check_file(export, "--export", ".parquet")
    if copy is not None:
        check_file(copy, "--copy")
    target = Store(store_path(store))
    missing = named_store(store) is None and not target.exists()
    if missing and not (check or revisions or export or copy):
        _show_none(target, json)
    elif check:
        _check(target, json)
    elif revisions is not None:
        _revisions(target, revisions, json)
    elif path := export or copy:
        _write(target, path, as_of, json)
    else:
        _show(target, json)


def _show(store: "Store", json: bool) -> None:
    rows = held(store)
    if json:
        print_json({"store": str(store.path), "series": rows})
        return
    print_records(COLUMNS, rows)
    say(f"{len(rows)} series in {store.path}")


def _show_none(store: "Store", json: bool) -> None:
    line = f"no store at {store.path} yet; make one: drypowder import PATH, or drypowder fetch"
    if json:
        print_json({"store": str(store.path), "series": []})
        complain("notice", line)
    else:
        say(line)


def _check(store: "Store", json: bool) -> None:
    from dataclasses import asdict

    from backtests.store.audit import check_store

    findings = check_store(store)
    errors = sum(finding.severity == "error" for finding in findings)
    if json:
        plain = [asdict(f) | {"where": str(f.where) if f.where else None} for f in findings]
        print_json({"store": str(store.path), "errors": errors, "findings": plain})
    else:
        for finding in findings:
            say(str(finding))
        notes = number_of(len(findings) - errors, "note")
        say(f"{number_of(errors, 'error')}, {notes} in {store.path}")
    if errors:
        raise typer.Exit(2)


def _write(store: "Store", path: Path, as_of: str | None, json: bool) -> None:
    """Write the rows of the store to ``path`` and print their number.

    If ``as_of`` is None, the file is a parquet file with all rows. If ``as_of`` is a date, the file
    is a new store with only the rows recorded until this date.
    """
    from backtests.calendar import recorded_by

    if as_of is None:
        count, which = store.export(path), ""
    else:
        moment = recorded_by(as_of)
        count, which = store.copy(path, moment), f" recorded up to {moment:%Y-%m-%d %H:%M}"
    if json:
        print_json({"store": str(store.path), "file": str(path), "rows": count})
    else:
        say(f"wrote {thousands(count)} rows{which} to {path}")


def _revisions(store: "Store", series: str, json: bool) -> None:
    from signals.errors import MissingSeries, unknown

    ids = store.series_ids()
    if series not in ids:
        raise MissingSeries(unknown(f"series in {store.path}", series, ids))
    revisions = store.revisions(series)
    summary, rows = summarised(revisions, series), list(revisions.itertuples())
    if json:
        values = list(map(_vintage, rows))
        print_json({"store": str(store.path), **summary, "values": values})
        return
    if rows:
        print_records(_REVISIONS, rows)
    say(_sentence(summary))


def summarised(rows: "pd.DataFrame", series: str) -> dict[str, Any]:
    """Return how many dates of a series were revised, and by how much.

    ``rows`` comes from :meth:`Store.revisions`. ``revised`` is the number of revised dates. The
    change at a date is the absolute difference between the first and the newest value. The unit of
    the change is the unit of the series. If the first or the newest value of a date was withdrawn,
    no change is computed for this date. If no date has a change, the median and the largest change
    are None.
    """
    import numpy as np

    from backtests.store.batch import unit_of

    values = rows.groupby("observed_on")["value"]
    size = abs(values.nth(-1).to_numpy() - values.nth(0).to_numpy())
    size = size[size == size]  # a withdrawn value is NaN
    return {
        "series": series,
        "unit": unit_of(series),
        "revised": int(values.ngroups),
        "median_change": float(np.median(size)) if len(size) else None,
        "largest_change": float(size.max()) if len(size) else None,
    }


def _sentence(summary: dict[str, Any]) -> str:
    series, dates = summary["series"], summary["revised"]
    if not dates:
        return f"{series}: no date was revised"
    said = f"{series}: {number_of(dates, 'date')} revised"
    if summary["median_change"] is None:
        return said
    median, largest = (significant(summary[f"{m}_change"], digits=6) for m in ("median", "largest"))
    return (
        f"{said}; absolute change from the first to the newest value: median {median}, "
        f"maximum {largest}, {summary['unit']}"
    )


def _value(value: float) -> str:
    """Return a value as text; a withdrawn value, which is NaN, becomes ``none``."""
    return "none" if value != value else significant(value, digits=10)


def _vintage(row: Any) -> dict[str, Any]:
    return {
        "observed_on": str(row.observed_on.date()),
        "value": None if row.value != row.value else row.value,
        "available_at": str(row.available_at),
        "recorded_at": str(row.recorded_at),
    }


def held(store: "Store") -> list[dict[str, Any]]:
    """Return one row per series: title, number of rows, dates, and whether the series is stale.

    A series is never stale if it contains events, or if its publisher has ended the series.
    """
    import pandas as pd

    from backtests.calendar import new_york_now
    from backtests.store.batch import is_event, is_over, is_price, rule_of, stale_after, unit_of
    from signals.catalog import CATALOG
    from signals.universe import asset

    today = new_york_now().normalize()
    entries: Iterable[Any] = store.summary().itertuples()
    rows = []
    for entry in entries:
        id = entry.series_id
        fresh_until = entry.last + pd.Timedelta(days=stale_after(id))
        stale = fresh_until < today and not is_event(id) and not is_over(id, entry.last)
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
                "revised": not is_price(id) and CATALOG[id].revised,
                "stale_since": str(fresh_until.date()) if stale else None,
            }
        )
    return rows
