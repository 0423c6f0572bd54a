"""Names that the shell can complete. The names are loaded only when the user presses tab."""


def strategies(incomplete: str) -> list[str]:
    """Return the strategies whose name begins with the given text."""
    from strategies import STRATEGIES

    return [name for name in STRATEGIES if name.startswith(incomplete)]


def signals(incomplete: str) -> list[str]:
    """Return the signals whose name begins with the given text."""
    from signals import SIGNALS

    return [name for name in SIGNALS if name.startswith(incomplete)]


def strategies_and_signals(incomplete: str) -> list[str]:
    """Return the strategies, then the signals, whose name begins with the given text."""
    return [*strategies(incomplete), *signals(incomplete)]
