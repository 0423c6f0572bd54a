"""Names that the shell completes; only pressing tab loads the registries."""


def strategies(incomplete: str) -> list[str]:
    """Return the strategies whose name begins like that."""
    from strategies import STRATEGIES

    return [name for name in STRATEGIES if name.startswith(incomplete)]


def signals(incomplete: str) -> list[str]:
    """Return the signals whose name begins like that."""
    from signals import SIGNALS

    return [name for name in SIGNALS if name.startswith(incomplete)]


def strategies_and_signals(incomplete: str) -> list[str]:
    """Return the strategies, then the signals, whose name begins like that."""
    return [*strategies(incomplete), *signals(incomplete)]
