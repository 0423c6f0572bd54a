"""The store's tables, by version, and what leads from each version to the next."""

from pathlib import Path

import duckdb

from signals.errors import DataError

#: What leads from each schema version to the next; an empty file has version 0. The table's name
#: is that of its version 1, which every later version has to find.
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
}
SCHEMA_VERSION = max(MIGRATIONS)


def version_of(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Return the schema version of a store.

    Raises
    ------
    DataError
        When it is none of ours, or newer than we know.
    """
    try:
        found = connection.execute("SELECT schema_version FROM drypowder").fetchall()
    except duckdb.Error:
        raise DataError(
            f"expected a store of drypowder at {path}, but its tables are another program's; "
            "name another with --store"
        ) from None
    if len(found) != 1 or found[0][0] not in MIGRATIONS:
        raise DataError(
            f"expected schema version 1 to {SCHEMA_VERSION} in {path}, was "
            f"{', '.join(str(row[0]) for row in found) or 'none'}; "
            "use the version of drypowder that wrote it, or import anew"
        )
    return int(found[0][0])


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Bring a store to the present schema, inside the writer's transaction."""
    empty = not connection.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchall()
    version = 0 if empty else version_of(connection, path)
    for newer in range(version + 1, SCHEMA_VERSION + 1):
        connection.execute(MIGRATIONS[newer])
        connection.execute("UPDATE drypowder SET schema_version = ?", [newer])
