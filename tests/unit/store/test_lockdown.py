"""Through a snapshot's connection nothing can be reached but the snapshot."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from narratives.store import Store
from narratives.store.snapshot_reader import DATABASE_FILE, attach_database
from tests.helpers.factory import build_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return build_store(tmp_path_factory.mktemp("store"))


@pytest.fixture
def connection(store: Store):
    made = attach_database(store.snapshot_path(store.current()) / DATABASE_FILE)
    yield made
    made.close()


@pytest.mark.parametrize(
    "sql",
    [
        "COPY snap.paragraphs TO '{folder}/out.csv'",
        "COPY (SELECT 1) TO '{folder}/out.parquet'",
        "EXPORT DATABASE '{folder}/dump'",
        "SELECT * FROM read_csv('{folder}/secret.csv')",
        "SELECT * FROM read_text('{folder}/secret.csv')",
        "SELECT * FROM '{folder}/secret.csv'",
        "SELECT * FROM glob('{folder}/*')",
        "ATTACH '{folder}/other.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_csv('https://example.org/a.csv')",
        "SET enable_external_access = true",
        "SET autoload_known_extensions = true",
        "SET lock_configuration = false",
        "INSERT INTO snap.meta VALUES ('a', 'b')",
        "DELETE FROM snap.paragraphs",
        "DROP TABLE snap.paragraphs",
        "CREATE TABLE snap.more (a INTEGER)",
        "SELECT * FROM secret_frame",
    ],
)
def test_refused(connection: duckdb.DuckDBPyConnection, tmp_path: Path, sql: str) -> None:
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    secret_frame = __import__("pandas").DataFrame({"a": [1]})  # what a replacement scan would find
    assert len(secret_frame) == 1
    with pytest.raises(duckdb.Error), connection.cursor() as cursor:
        cursor.execute(sql.format(folder=tmp_path)).fetchall()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["secret.csv"]


def test_the_snapshot_itself_can_be_read(connection: duckdb.DuckDBPyConnection) -> None:
    with connection.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM snap.paragraphs").fetchone() == (19,)


def test_the_file_stays_as_it_was(store: Store, connection: duckdb.DuckDBPyConnection) -> None:
    folder = store.snapshot_path(store.current())
    connection.execute("SELECT * FROM snap.paragraphs").fetchall()
    assert sorted(p.name for p in folder.iterdir()) == ["manifest.json", DATABASE_FILE]
