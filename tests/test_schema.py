"""schema.sql, the models and the migrations say the same, on both engines, and every column says what it means."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import threading
from contextlib import closing

import pytest
from peewee import Model, MySQLDatabase, SqliteDatabase
from playhouse.migrations import Runner

from tests.services import ROOT
from vexar import models
from vexar.store import StoreError, open_store, schema
from vexar.store.db import is_migrated, migrate, sqlite_path
from vexar.store.mysql import connection_options

BOOKKEEPING = {"schema_migration", "sqlite_sequence"}


def look(url: str) -> dict[str, dict]:
    """What a database really holds: {table: {"columns": [(name, type, is_null)], "key": [...], "indexes": {...}}}."""
    return _look_mysql(url) if url.startswith("mysql") else _look_sqlite(url)


def _look_sqlite(url: str) -> dict[str, dict]:
    with closing(sqlite3.connect(sqlite_path(url))) as link:
        tables = {name for (name,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {table: _look_sqlite_table(link, table) for table in tables - BOOKKEEPING}


def _look_sqlite_table(link: sqlite3.Connection, table: str) -> dict:
    columns = link.execute(f"PRAGMA table_info({table})").fetchall()
    indexes = {}
    for _, name, is_unique, origin, _ in link.execute(f"PRAGMA index_list({table})").fetchall():
        if origin == "c":
            fields = [field for _, _, field in link.execute(f"PRAGMA index_info({name})")]
            indexes[name] = (tuple(fields), bool(is_unique))
    return {
        "columns": [(name, kind, not (is_filled or place)) for _, name, kind, is_filled, _, place in columns],
        "key": [column[1] for column in sorted(columns, key=lambda column: column[5]) if column[5]],
        "indexes": indexes,
    }


def _look_mysql(url: str) -> dict[str, dict]:
    options = connection_options(url)
    options.pop("autocommit")
    database = MySQLDatabase(options.pop("database"), **options)
    with database.connection_context():
        tables = set(database.get_tables()) - BOOKKEEPING
        return {table: _look_mysql_table(database, table) for table in tables}


def _look_mysql_table(database: MySQLDatabase, table: str) -> dict:
    columns = database.execute_sql(
        "SELECT column_name, column_type, collation_name, is_nullable FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position", (table,)
    ).fetchall()  # fmt: skip
    rows = database.execute_sql(
        "SELECT index_name, column_name, non_unique FROM information_schema.statistics "
        "WHERE table_schema = DATABASE() AND table_name = %s ORDER BY index_name, seq_in_index", (table,)
    ).fetchall()  # fmt: skip
    indexes: dict = {}
    for name, field, is_loose in rows:
        fields, _ = indexes.get(name, ((), True))
        indexes[name] = ((*fields, field), not is_loose)
    key = list(indexes.pop("PRIMARY")[0])
    kinds = [(name, f"{kind} {collation or ''}".strip(), null == "YES") for name, kind, collation, null in columns]
    return {"columns": kinds, "key": key, "indexes": indexes}


def described_by_models() -> dict[str, dict]:
    """The same picture as the models paint it; they know no index names and no lengths."""
    found = {}
    for model in models.TABLES:
        meta = model._meta
        found[meta.table_name] = {
            "columns": [(field.column_name, field.null) for field in meta.sorted_fields],
            "key": [field.column_name for field in meta.get_primary_keys()],
            "indexes": {(tuple(fields), is_unique) for fields, is_unique in meta.indexes},
        }
    return found


def migrated(url: str, engine: str, target: str | None = None) -> str:
    """A database after every migration up to `target`, as one of an older release is."""
    if engine == "mysql":
        options = connection_options(url)
        options.pop("autocommit")
        database = MySQLDatabase(options.pop("database"), **options)
    else:
        database = SqliteDatabase(str(sqlite_path(url)))
    with database.connection_context():
        Runner(database, directory=str(schema.MIGRATIONS), table_name="schema_migration").up(target=target)
    return url


def test_the_models_name_the_columns_and_indexes_of_schema_sql(store, database_url):
    real = look(database_url)
    seen = {
        table: {
            "columns": [(name, is_null) for name, _, is_null in found["columns"]],
            "key": found["key"],
            "indexes": set(found["indexes"].values()),
        }
        for table, found in real.items()
    }
    assert seen == described_by_models()


def test_every_model_is_listed():
    listed = set(models.TABLES)
    found = {value for value in vars(models).values() if isinstance(value, type) and issubclass(value, Model)}
    assert found == listed


def test_the_migrations_alone_make_the_schema_of_schema_sql(store, engine, make_database, database_url):
    assert look(migrated(make_database(engine), engine)) == look(database_url)


@pytest.mark.servers
def test_both_engines_have_the_same_tables_and_index_names(make_database):
    shapes = []
    for engine in ("sqlite", "mysql"):
        url = make_database(engine)
        open_store(url).close()
        shapes.append({
            (table, name, fields, is_unique)
            for table, found in look(url).items()
            for name, (fields, is_unique) in found["indexes"].items()
        })  # fmt: skip
    assert shapes[0] == shapes[1]


def test_a_new_database_needs_no_migration_afterwards(store, database_url):
    assert is_migrated(store)
    assert migrate(database_url) == []


@pytest.mark.parametrize("release", ["0001_first", "0003_chunks", "0005_vectors"])
def test_a_database_of_an_older_release_is_upgraded_on_opening(store, database_url, engine, make_database, release):
    url = migrated(make_database(engine), engine, release)
    assert look(url) != look(database_url)
    with closing(open_store(url)) as opened:
        assert is_migrated(opened)
    assert look(url) == look(database_url)


def test_a_database_that_lacks_a_migration_is_not_current(store):
    store.write(lambda tx: tx._run("DELETE FROM schema_migration", ()).rowcount)
    assert not is_migrated(store)


def test_two_processes_that_start_together_migrate_once(engine, make_database):
    url = make_database(engine)
    applied: list = []
    threads = [threading.Thread(target=lambda: applied.append(migrate(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [[], [], [], sorted(path.stem for path in schema.MIGRATIONS.glob("[0-9]*.py"))]


@pytest.mark.servers
@pytest.mark.parametrize("lost", [
    ("DROP TABLE knowledge_term", "DROP INDEX run_live ON run"),
    ("DROP TABLE knowledge_term", "DROP TABLE knowledge_entry", "DROP TABLE visitor"),
    (),
])
def test_a_first_start_that_was_cut_off_is_carried_on(mariadb, make_database, lost):
    """MySQL takes no table back, so the next start finds whatever was made."""
    url, whole = make_database("mysql"), make_database("mysql")
    for database in (url, whole):
        open_store(database).close()
    with closing(mariadb.connect(database=connection_options(url)["database"])) as link, link.cursor() as cursor:
        for sql in ("DELETE FROM schema_migration", *lost):
            cursor.execute(sql)
    with closing(open_store(url)) as store:
        assert is_migrated(store)
    assert look(url) == look(whole)


@pytest.mark.servers
def test_tables_of_somebody_else_are_left_alone(mariadb, make_database):
    url = make_database("mysql")
    with closing(mariadb.connect(database=connection_options(url)["database"])) as link, link.cursor() as cursor:
        cursor.execute("CREATE TABLE site (theirs INTEGER PRIMARY KEY)")
        for _ in range(2):
            with pytest.raises(StoreError, match="not one of Vexar's"):
                open_store(url)
        cursor.execute("SHOW TABLES")
        assert cursor.fetchall() == (("site",),)


def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path):
    path = tmp_path / "letter.db"
    path.write_text("Dear reader, this is not a database. " * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear reader")


def test_every_table_and_column_says_what_it_means():
    text = (ROOT / "schema.sql").read_text()
    header = text[: text.index("CREATE TABLE")]
    missing = []
    for comment, table, body in re.findall(r"(^--[^\n]*\n)?CREATE TABLE (\w+) \((.*?)^\)", text, re.M | re.S):
        if not comment:
            missing.append(table)
        for line in body.strip().splitlines():
            name = line.split()[0]
            if name.islower() and " -- " not in line and not re.search(rf"\b{name}\b", header):
                missing.append(f"{table}.{name}")
    assert missing == []


def test_the_frozen_first_migration_is_the_one_of_the_release():
    """Whoever runs 0.1.0 has exactly this; a change needs a migration of its own."""
    text = (schema.MIGRATIONS / "0001_first.sql").read_text()
    assert hashlib.sha256(text.encode()).hexdigest()[:32] == "5ee67f4d2d9af0aac19362de07d451fe"
