"""``drypowder list``: list the registered strategies and signals."""

from backtests.cli import options
from backtests.cli.table import print_table, words
from backtests.cli.terminal import print_json, say, styled


def list_(json: options.Json = False) -> None:
    """List strategies and signals, one on each line."""
    from signals import SIGNALS
    from strategies import STRATEGIES, kind_of

    strategies = {
        name: {
            "kind": kind_of(s),
            "line": s.description,
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
    for title, entries in (("strategies", strategies), ("signals", signals)):
        rows = [
            (f"  {name}", str(entry["link"] or entry.get("kind", "")), str(entry["line"]))
            for name, entry in entries.items()
        ]
        say(styled(title, "bold"))
        columns = (words("name"), words("link", rank=1), words("what", wraps=True))
        print_table(columns, rows, headed=False)
