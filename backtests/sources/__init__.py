"""Fetch data from Yahoo, FRED, the SEC and the New York Fed. No other package uses the network.

Each publisher has a module that turns the publisher's answers into batches. A batch is a table of
one series for the store. :mod:`backtests.sources.fetching` calls the modules of the publishers in
turn. Four environment variables replace the base URLs, for proxies and tests:
``DRYPOWDER_YAHOO_URL``, ``DRYPOWDER_FRED_URL``, ``DRYPOWDER_SEC_URL`` and ``DRYPOWDER_NYFED_URL``.
"""
