"""``drypowder list``: what can be run."""

from backtests.cli.options import JsonOption, console, print_json, styled


def list_(json: JsonOption = False) -> None:
    """List strategies and signals, a line each."""
    from signals import SIGNALS
    from strategies import STRATEGIES, kind_of

    strategies = {
        name: {
            "kind": kind_of(s),
            "line": s.line,
            "link": s.link,
            "follows_regime": s.follows_regime,
        }
        for name, s in STRATEGIES.items()
    }
    signals = {
        name: {
            "line": (entry.signal.__doc__ or "").partition("\n")[0],
            "link": entry.signal.link,
            "votes": entry.votes,
        }
        for name, entry in SIGNALS.items()
    }
    if json:
        print_json({"strategies": strategies, "signals": signals})
        return
    from rich.table import Table

    for title, entries in (("strategies", strategies), ("signals", signals)):
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, entry in entries.items():
            what = str(entry["link"] or entry.get("kind", ""))
            table.add_row(f"  {name}", what, str(entry["line"]))
        console().print(styled(title, "bold"))
        console().print(table)
