"""``drypowder today``: show target weights at the close, the reason for them, and the orders."""

from collections.abc import Mapping
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtests.cli import history_choice, options
from backtests.cli.config_options import config_data, config_of
from backtests.cli.exit_code import ExitCode, check_comparable, exit_if_flipped, flips_since_fetch
from backtests.cli.scales import print_scales
from backtests.cli.table import Columns, numbers, print_records, print_table, words
from backtests.cli.terminal import print_json, progress, say, say_limits, styled, warn
from backtests.format import money, percent
from backtests.plural import some_of
from backtests.simulated import label_of

if TYPE_CHECKING:
    import pandas as pd

    from backtests.config import RunConfig
    from backtests.history.panel import History
    from backtests.today import Plan, Today

#: Exit code if the target needs a value that is late, for example after a source failed. A series
#: without any value does not change the exit code: a user may not need the series, and a fetch may
#: not find the series.
LATE_DATA = 3
_ORDERS: Columns = (
    (words("asset"), itemgetter("asset")),
    (numbers("units"), lambda order: _units(order["units"])),
    (numbers("price", rank=2), lambda order: money(order["price"])),
    (numbers("value", rank=1), lambda order: money(order["value"])),
    (numbers("cost", rank=3), lambda order: money(order["cost"])),
)


def today(
    strategy: Annotated[str | None, options.STRATEGY] = None,
    at: options.At = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="First session and first decision day of the strategy."),
    ] = None,
    holdings: Annotated[
        Path | None,
        typer.Option(help="CSV file with the header asset,units, to show orders; CASH is in USD."),
    ] = None,
    decimals: Annotated[int, typer.Option(min=0, max=8, help="Decimals of ordered units.")] = 4,
    store: options.Store = None,
    source: options.Source = None,
    seed: options.Seed = None,
    config: options.Config = None,
    param: options.Param = None,
    exit_code: ExitCode = False,
    json: options.Json = False,
) -> None:
    """Show the target weights of a strategy, and the orders of today.

    The command says whether today is a decision day, and why the strategy has these weights. A
    backtest would trade to the same weights. Orders appear on a decision day if a holding is beyond
    the drift band. Orders appear on any day if holdings with a short position exceed the gross
    limit. In all other cases, there are no orders. An asset whose last price is too old is not
    traded. If the strategy's state is unknown because data are late, the last target weights remain
    in force. If data are late, the exit code is 3, and the command lists each late series. If the
    history never had the data of a regime signal, the signal has no view. The command names the
    signal and the missing series, and the exit code does not change. If no strategy is given, the
    command shows near-cash-flow.
    """
    from backtests.history.prices import check_assets
    from backtests.holdings import read_holdings
    from backtests.pipeline import history_of
    from backtests.today import make_plan

    given = options.given(strategy=strategy, start=start)
    asked = history_choice.HistoryOptions(source=source, store=store, seed=seed)
    data = config_data(config, param, asked, given)
    checked = config_of({"strategy": options.DEFAULT_STRATEGY, **data})
    if exit_code:
        check_comparable(checked, at)
    built = checked.build_strategy()
    held = read_holdings(holdings) if holdings else None
    with progress("reading history"):
        history = history_of(checked, ids=(*checked.series(), *_tickers(held, checked)))
    check_assets(built.assets, history)
    session = history.session(at, "--at")
    plan = make_plan(checked, history.until(session))
    decision = plan.at(session, held, decimals=decimals)
    found = flips_since_fetch(checked, history, plan.reading) if exit_code else None
    said = _as_data(decision, checked.label, plan, found)
    print_json(said) if json else _print(said)
    _warn(decision, plan, held or {})
    if _adjusted_later(held, session, history):
        warn(
            f"the prices of {session.date()} are adjusted for later splits and dividends, so the "
            "traded prices may be different; multiply the units held on this day by the ratio of "
            "each later split"
        )
    if at is None and checked.end is None:
        history_choice.warn_if_stale(history)
    if decision.missing or decision.state_is_lost:
        raise typer.Exit(LATE_DATA)
    exit_if_flipped(found)


def _why(plan: "Plan") -> dict[str, Any]:
    """Return the regime, the reason for the weights, and idle capital by each measure.

    The reason is a sentence about the regime, and about the rule that decided the regime.
    """
    from backtests.report.flags_numbers import regime_numbers, said_of_scales, sentence
    from signals.explanation import explain_all

    history, reading = plan.history, plan.reading
    explanations = explain_all(reading.evaluations, history.panel, history.known)
    other = "" if plan.strategy.follows_regime else "follows no regime; "
    return {
        "reason": other + sentence(reading, explanations),
        "scales": said_of_scales(explanations),
        **regime_numbers(reading),
    }


def _tickers(held: Mapping[str, float] | None, config: "RunConfig") -> tuple[str, ...]:
    """Return the held assets that have prices; a later check reports assets without prices."""
    from backtests.store.batch import is_price
    from backtests.store.store import Store
    from signals.universe import UNIVERSE

    if config.history_source().decided() == "simulated":
        return ()
    known = {*UNIVERSE, *Store(config.store_path()).series_ids()}
    return tuple(asset for asset in held or {} if asset in known and is_price(asset))


def _adjusted_later(
    held: Mapping[str, float] | None, session: "pd.Timestamp", history: "History"
) -> bool:
    """Return whether later splits or dividends may have changed the prices at ``session``."""
    from signals.universe import CASH, asset

    if history.is_simulated or session == history.panel.index[-1]:
        return False
    return any(id != CASH and not asset(id).is_coin for id in held or {})


def _warn(decision: "Today", plan: "Plan", held: Mapping[str, float]) -> None:
    """Print a warning for each late or older value, and for a lost state."""
    for id, last in decision.missing.items():
        warn(_too_old(id, last.date(), is_asset=id in {*plan.strategy.assets, *held}))
    for id, last in decision.older.items():
        warn(
            f"{id}: no close on {decision.session.date()}, so the last price, from {last.date()}, "
            "is used; fetch or import prices"
        )
    if decision.state_is_lost:
        warn("values are missing, so the strategy's state is unknown; the last target stays")


def _too_old(id: str, last: date, *, is_asset: bool) -> str:
    """Return a warning about late data.

    ``is_asset`` is True if the id is an asset of the strategy or of the holdings.
    """
    from backtests.store.batch import is_price

    if not is_price(id):
        too_old = f"the last value, known on {last}, is too old to use"
        return f"{id}: {too_old}; fetch or import the series"
    traded = "the asset keeps its target and is not traded"
    use = traded if is_asset else "the strategy or a signal reads them"
    return f"{id}: the last price is from {last}, too old to use; fetch or import prices ({use})"


def _as_data(
    decision: "Today", strategy: str, plan: "Plan", since_fetch: dict[str, Any] | None
) -> dict[str, Any]:
    from backtests.holdings import with_cash
    from backtests.report.envelope import envelope
    from backtests.report.plain import plain

    return plain(
        {
            **envelope(plan.history),
            "strategy": strategy,
            **_why(plan),
            "no_view": decision.no_view,
            "since_fetch": since_fetch,
            "is_decision_day": decision.is_decision_day,
            "decided_because": decision.decided_because,
            "next_decision_date": decision.next_decision,
            "weights": with_cash(decision.target),
            "last_decision": {"date": decision.decided_on, "weights": with_cash(decision.before)},
            "weights_if_decided": with_cash(decision.if_decided),
            "missing": [
                *({"id": id, "last_known_on": last} for id, last in decision.missing.items()),
                *({"id": id, "last_known_on": None} for id in decision.unseen),
            ],
            "older": [{"id": id, "last_price_on": last} for id, last in decision.older.items()],
            "state_is_lost": decision.state_is_lost,
            "value": decision.value,
            "waiting": decision.waiting,
            "orders": None if decision.orders is None else decision.orders.to_dict("records"),
            "fills_on": decision.fills_on,
            "beyond_band": decision.beyond_band,
            "beyond_limit": decision.beyond_limit,
        }
    )


def _print(said: dict[str, Any]) -> None:
    label = label_of(said["source"] == "simulated")
    say(styled(f"{label}{said['strategy']}", "bold"), f"at the close of {said['as_of']}")
    if said["since_fetch"] is not None:
        say(said["since_fetch"]["said"])
    say(said["reason"])
    if said["no_view"]:
        say(_without_view(said))
    say(_decision_line(said))
    _print_weights(said)
    print_scales(said["scales"])
    if said["orders"] is not None:
        _print_orders(said)
    say_limits(backtest=False)


def _without_view(said: dict[str, Any]) -> str:
    """Return a sentence on the regime's signals that have no view, and on the series to add."""
    ignored = f"these signals of the regime have no view: {', '.join(said['no_view'])}"
    unseen = [one["id"] for one in said["missing"] if one["last_known_on"] is None]
    if not unseen:
        return ignored
    return f"{ignored}; import or fetch the missing series: {some_of(unseen)}"


def _decision_line(said: dict[str, Any]) -> str:
    later = said["next_decision_date"]
    scheduled = "" if later is None else f"; the next scheduled decision is on {later}"
    if said["is_decision_day"]:
        return f"a decision day ({said['decided_because']}){scheduled}"
    return f"not a decision day: the target of {said['last_decision']['date']} stays{scheduled}"


def _print_weights(said: dict[str, Any]) -> None:
    """Print two sets of weights side by side.

    On a decision day, the table shows the target weights and the weights of the previous decision.
    On any other day, the table shows the weights of the last decision, and the weights of a
    decision made now.
    """
    decided = f"decided {said['last_decision']['date']}"
    if said["is_decision_day"]:
        names, other_weights = ("target", decided), said["last_decision"]["weights"]
    else:
        names, other_weights = (decided, "if decided now"), said["weights_if_decided"]
    rows = []
    for asset, weight in said["weights"].items():
        other = other_weights[asset]
        if weight or other:
            change = weight - other if said["is_decision_day"] else other - weight
            shown = percent(change, signed=True) if abs(change) > 5e-4 else ""
            rows.append((asset, percent(weight, unit="%"), percent(other, unit="%"), shown))
    shown_first, other = names
    columns = (numbers(shown_first), numbers(other, rank=2), numbers("change", rank=1))
    print_table((words("asset"), *columns), rows)


def _print_orders(said: dict[str, Any]) -> None:
    worth = f"the holdings are worth {money(said['value'])} USD"
    if said["waiting"] is not None:
        worth += f"; the orders of {said['waiting']} are not filled yet and are not repeated here"
    if not said["orders"]:
        say(f"{worth}; no orders: {_why_none(said)}")
        return
    say(
        f"{worth}. A backtest trades to the target weights at the close of {said['fills_on']}, "
        "with the prices of that close. The units below come from the last known prices:"
    )
    print_records(_ORDERS, said["orders"])


def _why_none(said: dict[str, Any]) -> str:
    if not said["beyond_band"]:
        after = "" if said["waiting"] is None else "once those orders are filled, "
        return f"{after}every holding is within the drift band of its target"
    if said["is_decision_day"]:
        return "each holding beyond the drift band has no price, or its order rounds to zero units"
    beyond = ", ".join(said["beyond_band"])
    return (
        f"{beyond} beyond the drift band; orders wait for the next decision (use --start "
        f"{said['as_of']} to decide now)"
    )


def _units(units: float) -> str:
    """Return a number of units to trade, with a sign and with up to eight significant digits."""
    return f"{units:+,.8g}" if abs(units) < 1e7 else f"{units:+,.0f}"
