"""The tables of the store in each schema version, and the upgrades between versions."""

from functools import cache
from pathlib import Path

import duckdb

from signals.errors import DataError

#: For each schema version, the SQL that upgrades the previous version to this version. An empty
#: file has version 0. Every version keeps the table ``drypowder``, because this table contains the
#: version number.
MIGRATIONS: dict[int, str] = {
    1: """
        CREATE TABLE drypowder (schema_version INTEGER NOT NULL);
        INSERT INTO drypowder VALUES (1);
        CREATE TABLE observations (
            series_id VARCHAR NOT NULL,
            observed_on DATE NOT NULL,
            available_at TIMESTAMP NOT NULL,
            value DOUBLE,
            source VARCHAR NOT NULL,
            recorded_at TIMESTAMP NOT NULL
        );
    """,
    2: """
        CREATE TABLE fetched (
            series_id VARCHAR NOT NULL,
            fetched_at TIMESTAMP NOT NULL,
            outcome VARCHAR NOT NULL
        );
    """,
    3: """
        CREATE TABLE recordings (began_at TIMESTAMP NOT NULL);
    """,
}
SCHEMA_VERSION = max(MIGRATIONS)

#: The prefix ``system.main`` selects DuckDB's own functions. Without the prefix, DuckDB could
#: call macros that the file defines.
_TABLES = """
SELECT table_name, sql FROM system.main.duckdb_tables()
WHERE database_name = system.main.current_database() AND schema_name = 'main'
"""
_VIEWS = """
SELECT view_name FROM system.main.duckdb_views()
WHERE database_name = system.main.current_database() AND NOT internal
"""


def version_of(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Return the schema version of a store.

    Raises
    ------
    DataError
        Raised if another program or a newer version of drypowder made the file. Also raised if a
        table is missing, is a view or has wrong columns.
    """
    tables = dict(connection.execute(_TABLES).fetchall())
    if tables.get("drypowder") != _form(1)["drypowder"]:
        raise DataError(
            f"expected a store of drypowder at {path}, but another program made its tables; "
            "give another path with --store"
        )
    found = connection.execute("SELECT schema_version FROM main.drypowder").fetchall()
    if len(found) != 1 or found[0][0] not in MIGRATIONS:
        raise DataError(
            f"expected schema version 1 to {SCHEMA_VERSION} in {path}, was "
            f"{', '.join(str(row[0]) for row in found) or 'none'}; "
            "use the version of drypowder that wrote the file, or import into a new store"
        )
    version = int(found[0][0])
    for name, form in _form(version).items():
        if tables.get(name) != form:
            raise DataError(
                f"expected the table {name} of drypowder in {path}, but it is missing, is a view, "
                "or has other columns; do not trust this file: import into a new store"
            )
    return version


@cache
def _form(version: int) -> dict[str, str]:
    """Return DuckDB's SQL definition of each table in a schema version."""
    with duckdb.connect() as connection:
        for newer in range(1, version + 1):
            connection.execute(MIGRATIONS[newer])
        return dict(connection.execute(_TABLES).fetchall())


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Upgrade a store, or an empty file, to the current schema version."""
    empty = not any(connection.execute(sql).fetchall() for sql in (_TABLES, _VIEWS))
    version = 0 if empty else version_of(connection, path)
    for newer in range(version + 1, SCHEMA_VERSION + 1):
        connection.execute(MIGRATIONS[newer])
        connection.execute("UPDATE drypowder SET schema_version = ?", [newer])
