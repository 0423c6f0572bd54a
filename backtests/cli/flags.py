"""``drypowder flags``: the regime and every signal, as known at a close."""

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
    stale_warning,
    warn,
)


def flags(
    at: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it
        typer.Option("--at", metavar="DATE", help="The session; default the last one held."),
    ] = None,
    store: StoreOption = None,
    source: SourceOption = None,
    seed: SeedOption = None,
    json: JsonOption = False,
) -> None:
    """Show the regime and every signal."""
    choice = choose_history(source, store, seed)
    with progress("reading history"):
        history = choice.open(("SPY",))
    session = history.session(at)
    reading = read_at(history, session)
    if json:
        print_json(reading)
    else:
        _print(reading)
    stale = stale_warning(session) if at is None and history.source == "store" else None
    if stale:
        warn(stale)


def read_at(history: Any, session: Any) -> dict[str, Any]:
    """Return the regime and every signal at a session's close, as plain data."""
    import signals
    from backtests.report.numbers import plain
    from signals.base import since

    past = history.until(session)
    chosen = signals.default_signals()
    reading = signals.read(past.panel, chosen)
    said = [s.explain(past.panel, session, past.known) for s in chosen.values()]
    result: dict[str, Any] = plain(
        {
            "as_of": session,
            "regime": reading.regime.iloc[-1],
            "since": since(reading.regime),
            "source": history.source,
            "signals": {e.signal: _plain(e, e.signal in reading.votes) for e in said},
        }
    )
    return result


def _plain(said: Any, votes: bool) -> dict[str, Any]:
    moments = [moment for moment in said.known_at.values() if moment is not None]
    return {
        "value": said.value,
        "unit": said.unit,
        "percentile": said.percentile,
        "score": said.score,
        "flag": said.flag,
        "since": said.since,
        "votes": votes,
        "distance": said.distance,
        "distance_gauge": said.distance_gauge,
        "distance_unit": said.distance_unit,
        "known_at": max(moments, default=None),
        "inputs": said.known_at,
    }


def _print(reading: dict[str, Any]) -> None:
    from rich.table import Table

    regime = reading["regime"] or "none (too few votes have a view)"
    since = f" since {reading['since']}" if reading["since"] else ""
    screen = console()
    screen.print(f"[bold]{regime}[/bold]{since}, as known at the close of {reading['as_of']}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("signal", "value", "percentile", "score", "flag", "since", "to flip", "known"):
        table.add_column(name, justify="right" if name in ("value", "score") else "left")
    for name, s in reading["signals"].items():
        table.add_row(
            name if s["votes"] else f"{name} (no vote)",
            _number(s["value"], s["unit"]),
            _number(s["percentile"], "%"),
            _number(s["score"]),
            {True: "[red]on[/red]", False: "off", None: "no view"}[s["flag"]],
            s["since"] or "–",
            _distance(s),
            s["known_at"] or "–",
        )
    screen.print(table)
    source = "SIMULATED" if reading["source"] == "simulated" else reading["source"]
    typer.echo(f"source: {source}. Research, not investment advice.")


def _number(value: float | None, unit: str = "") -> str:
    return "–" if value is None else f"{value:.3g} {unit}".strip()


def _distance(s: dict[str, Any]) -> str:
    if s["distance"] is None:
        return "–"
    return f"{s['distance_gauge']} {s['distance']:+.3g} {s['distance_unit']}"
