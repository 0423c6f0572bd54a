"""Fetch data over the network from Yahoo, FRED and the SEC. No other package uses the network.

Each source turns its answers into batches for the store. :mod:`backtests.sources.fetching` calls
the sources in turn. The variables ``DRYPOWDER_YAHOO_URL``, ``DRYPOWDER_FRED_URL`` and
``DRYPOWDER_SEC_URL`` replace the base URLs, for proxies and tests.
"""
