"""Run by the application's own Python: brings its metadata or its Alembic migrations into the scratch database.

Every engine that the application makes, from whichever URL, connects to the scratch database.

Usage: run_sqlalchemy.py metadata MODULE NAME | run_sqlalchemy.py alembic FILE
"""

from __future__ import annotations

import importlib
import importlib.util
import operator
import os
import sys
from pathlib import Path
from typing import Any

MISSING = 90


def main() -> None:
    job, *arguments = sys.argv[1:]
    # Before the application's folder can be imported from: its migrations may be in a folder called alembic.
    for name in ("sqlalchemy", *(["alembic.config"] if job == "alembic" else [])):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            print(f"{sys.executable}: {error}.")
            sys.exit(MISSING)
    sys.path[0] = str(Path.cwd())
    url = _url()
    _land(url)
    if job == "alembic":
        _migrate(url, *arguments)
    else:
        _create(url, *arguments)


def _url() -> Any:
    """The scratch database's URL, with a driver that is installed."""
    from sqlalchemy.engine import URL

    driver = next((name for name in ("psycopg", "psycopg2", "asyncpg") if importlib.util.find_spec(name)), None)
    if driver is None:
        print(f"{sys.executable} has no driver for PostgreSQL.")
        sys.exit(MISSING)
    return URL.create(
        f"postgresql+{driver}",
        username="postgres",
        database=os.environ["PGDATABASE"],
        query={"host": os.environ["PGHOST"], "port": os.environ["PGPORT"]},
    )


def _land(url: Any) -> None:
    """Make engines of every kind connect to *url*: docs.sqlalchemy.org, DialectEvents.do_connect."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "do_connect")
    def connect(dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> None:
        if dialect.name != "postgresql":
            sys.exit(f"The application connects to {dialect.name}, and an expectation needs PostgreSQL.")
        # What the session is to start with stays, such as a search_path.
        kept = {name: parameters[name] for name in ("options", "server_settings") if name in parameters}
        parameters.clear()
        if dialect.driver == "pg8000":  # it knows a socket by its file alone
            socket = "{host}/.s.PGSQL.{port}".format(**url.query)
            parameters.update(user=url.username, database=url.database, unix_sock=socket)
            return
        arguments[:], named = dialect.create_connect_args(url)
        parameters.update(named, **kept)


def _migrate(url: Any, path: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(path)
    config.set_main_option("sqlalchemy.url", url.render_as_string().replace("%", "%%"))
    command.upgrade(config, "heads")


def _create(url: Any, module: str, name: str) -> None:
    """Create what the metadata, or the declarative base with it, describes."""
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.schema import CreateSchema

    found = operator.attrgetter(name)(importlib.import_module(module))
    tables = getattr(found, "metadata", found)
    with create_engine(url).begin() as connection:
        wanted = {table.schema for table in tables.tables.values() if table.schema}
        for schema in sorted(wanted - set(inspect(connection).get_schema_names())):
            connection.execute(CreateSchema(schema))
        tables.create_all(connection)


if __name__ == "__main__":
    main()
