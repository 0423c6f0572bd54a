"""Where data come from over a network: Yahoo, FRED and the SEC. No other room has one.

Each source turns answers into batches for the store; :mod:`backtests.sources.fetching` asks them
in turn. Base URLs come from ``DRYPOWDER_YAHOO_URL``, ``DRYPOWDER_FRED_URL`` and
``DRYPOWDER_SEC_URL`` when set, for proxies and tests.
"""
