"""``python -m backtests``: the same command as ``drypowder``."""

import signal


def main() -> None:
    """Run the command line; Ctrl-C during loading ends the program without a traceback."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from backtests.cli.app import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
