"""``python -m backtests``: the same command as ``drypowder``."""

from backtests.cli.app import main

if __name__ == "__main__":
    main()
