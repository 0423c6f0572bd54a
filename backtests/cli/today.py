"""``drypowder today``: target weights now, and why."""

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from backtests.cli.options import (
    JsonOption,
    SeedOption,
    SourceOption,
    StoreOption,
    choose_history,
    console,
    print_json,
    progress,
    warn_if_stale,
)


def today(
    strategy: Annotated[
        str, typer.Argument(help="A strategy of 'drypowder list'.")
    ] = "near-cash-flow",
    at: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it
        typer.Option("--at", metavar="DATE", help="The session; default the last one held."),
    ] = None,
    holdings: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--holdings", help="CSV asset,units; USD under CASH. Prints the orders."),
    ] = None,
    decimals: Annotated[int, typer.Option(min=0, max=8, help="Decimals of the units ordered.")] = 4,
    store: StoreOption = None,
    source: SourceOption = None,
    seed: SeedOption = None,
    json: JsonOption = False,
) -> None:
    """Show target weights now, what changed, why, and the orders that lead there."""
    from backtests.config import config_from
    from backtests.pipeline import check_assets
    from backtests.report.reading import read_at
    from backtests.today import read_holdings
    from backtests.today import today as decide

    config = config_from({"strategy": strategy})
    built = config.build_strategy()
    held = read_holdings(holdings) if holdings else None
    choice = choose_history(source, store, seed)
    with progress("reading history"):
        history = choice.open((*config.series(), *_tickers(held)))
    check_assets(built.assets, history)
    session = history.session(at, "--at")
    decision = decide(config, history, session, held, decimals=decimals)
    why = _reason(config, built, decision.reading, read_at(history, session)["sentence"])
    said = _plain(decision, config.label, history.source, why)
    print_json(said) if json else _print(said)
    if at is None:
        warn_if_stale(history)


def _reason(config: Any, strategy: Any, reading: Any, by_votes: str) -> str:
    """Return why it holds what it holds: the regime it follows, by what drives that."""
    from signals.base import since
    from signals.drivers import VOTES

    if config.driver == VOTES:
        return by_votes if strategy.follows_regime else f"it follows no regime; {by_votes}"
    start = since(reading.regime)
    began = "" if start is None else f" since {start.date()}"
    return f"{reading.regime.iloc[-1] or 'no regime'}{began}, by {config.driver}"


def _tickers(held: dict[str, float] | None) -> tuple[str, ...]:
    return tuple(asset for asset in held or {} if asset != "CASH")


def _plain(decision: Any, strategy: str, source: str, sentence: str) -> dict[str, Any]:
    from backtests.report.numbers import plain

    target, before = decision.target, decision.before
    said: dict[str, Any] = plain(
        {
            "as_of": decision.session,
            "strategy": strategy,
            "source": source,
            "reason": sentence,
            "weights": {**target.to_dict(), "CASH": 1 - float(target.sum())},
            "last_decision": {
                "date": decision.decided_on,
                "weights": {**before.to_dict(), "CASH": 1 - float(before.sum())},
            },
            "value": decision.value,
            "orders": None if decision.orders is None else decision.orders.to_dict("records"),
            "beyond_band": decision.beyond_band,
        }
    )
    return said


def _print(said: dict[str, Any]) -> None:
    from rich.table import Table

    screen = console()
    label = "SIMULATED " if said["source"] == "simulated" else ""
    screen.print(f"[bold]{label}{said['strategy']}[/bold] at the close of {said['as_of']}")
    screen.print(said["reason"])
    before = said["last_decision"]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("asset", "target", f"decided {before['date']}", "change"):
        table.add_column(name, justify="left" if name == "asset" else "right")
    for asset, weight in said["weights"].items():
        was = before["weights"][asset]
        if weight or was:
            change = weight - was
            shown = f"{100 * change:+.1f}" if abs(change) > 5e-4 else ""
            table.add_row(asset, f"{100 * weight:.1f} %", f"{100 * was:.1f} %", shown)
    screen.print(table)
    if said["orders"] is not None:
        _print_orders(screen, said)
    typer.echo("Research, not investment advice.")


def _print_orders(screen: Any, said: dict[str, Any]) -> None:
    from rich.table import Table

    screen.print(f"holdings worth {said['value']:,.2f} USD; orders at the prices known:")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("asset", "units", "price", "value", "cost"):
        table.add_column(name, justify="left" if name == "asset" else "right")
    for o in said["orders"]:
        money = (f"{o[k]:,.2f}" for k in ("price", "value", "cost"))
        table.add_row(o["asset"], f"{o['units']:+,.8g}", *money)
    screen.print(table)
    if not said["beyond_band"]:
        screen.print("every holding is within the drift band: a backtest would not trade today")
