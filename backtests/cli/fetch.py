"""``drypowder fetch``: bring Yahoo, FRED, SEC and New York Fed data into the store."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtests.cli import options
from backtests.cli.table import Columns, numbers, print_records, words
from backtests.cli.terminal import print_json, progress, say, warn
from backtests.format import thousands

if TYPE_CHECKING:
    from backtests.sources.fetching import Outcome
    from backtests.store.audit import Finding

_SEPARATE = 3  # largest number of series with the same remark that have separate rows
COLUMNS: Columns = (
    (words("series"), lambda o: o.name),
    (words("from", rank=3), lambda o: o.source),
    (numbers("new", rank=1), lambda o: thousands(o.new) if o.last else ""),
    (numbers("revised", rank=2), lambda o: thousands(o.revised) if o.last else ""),
    (words("last", rank=4), lambda o: str(o.last.date()) if o.last else ""),
    (words("remark", wraps=True), lambda o: f"failed: {o.failed}" if o.failed else o.note),
)


def fetch(
    store: options.Store = None,
    start: Annotated[
        str | None, typer.Option(metavar="DATE", help="First day of prices; default: all history.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="Fetch only this series or ticker; the option can be repeated."
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(min=1, max=86_400, help="Time limit of the fetch, seconds; default: 1800."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Download Yahoo, FRED, SEC and New York Fed data into the store.

    FRED requires a key (FRED_API_KEY). Without a key, FRED's public CSV supplies only the series
    that are never revised. The SEC requires a contact (DRYPOWDER_CONTACT, 'Name address'). The exit
    code is 3 if a series failed, and 2 if the check after the fetch finds an error.
    """
    from backtests.sources.fetching import fetch as bring
    from backtests.sources.http import RetryPolicy
    from backtests.store.audit import check_store
    from backtests.store.store import Store, store_path

    since = None if start is None else _day(start)
    target = Store(store_path(store))
    with progress("fetching") as step:
        policy = RetryPolicy() if budget is None else RetryPolicy(budget=budget)
        outcomes = bring(target, start=since, only=only or (), policy=policy, progress=step)
    findings = check_store(target) if target.exists() and target.series_ids() else []
    errors = [finding for finding in findings if finding.severity == "error"]
    store_file = str(target.path)
    print_json(_as_data(outcomes, errors, store_file)) if json else _print(outcomes, store_file)
    for finding in errors:
        warn(str(finding))
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(3)
    if errors:
        raise typer.Exit(2)


def _day(text: str) -> str:
    from datetime import date

    from signals.errors import ConfigError

    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--start must be a date like 2015-01-01, was {text!r}") from None
    if day >= date.today():
        raise ConfigError(f"--start must be a day before today, was {day}; choose an earlier day")
    return day.isoformat()


def _as_data(outcomes: list["Outcome"], errors: list["Finding"], store: str) -> dict[str, Any]:
    return {
        "store": store,
        "series": {
            o.name: {
                "source": o.source,
                "new": o.new,
                "revised": o.revised,
                "last": None if o.last is None else str(o.last.date()),
                "failed": o.failed or None,
                "note": o.note or None,
            }
            for o in outcomes
        },
        "errors": [str(error) for error in errors],
    }


def grouped_outcomes(outcomes: list["Outcome"]) -> list["Outcome"]:
    """Return the outcomes for the printed table, one outcome for each row.

    Only series without values share a row. For example, without a network, every series of a source
    fails for the same reason.
    """
    alike: dict[tuple[str, str, str], list[Outcome]] = {}
    for o in outcomes:
        if o.last is None:
            alike.setdefault((o.source, o.failed, o.note), []).append(o)
    many = {id(group[0]): len(group) for group in alike.values() if len(group) > _SEPARATE}
    hidden = {id(o) for group in alike.values() if len(group) > _SEPARATE for o in group[1:]}
    return [
        replace(o, name=f"{o.name} and {many[id(o)] - 1} more") if id(o) in many else o
        for o in outcomes
        if id(o) not in hidden
    ]


def _print(outcomes: list["Outcome"], store: str) -> None:
    shown = [o for o in outcomes if o.failed or o.note or o.new or o.revised]
    rows = grouped_outcomes(shown)
    print_records(COLUMNS, rows)
    if len(rows) < len(shown):
        say("--json lists every series")
    failed = sum(bool(o.failed) for o in outcomes)
    same = sum(bool(o.last) and not (o.new or o.revised) for o in outcomes)
    say(
        f"{len(outcomes)} series: {sum(o.new for o in outcomes):,} rows new, "
        f"{sum(o.revised for o in outcomes):,} revised, {same} unchanged, {failed} failed, "
        f"in {store}"
    )
