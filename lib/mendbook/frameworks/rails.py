"""Ruby on Rails: Active Record and its migrations, on the gem `pg`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

from mendbook.formats import Change, Format
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, by_number
from mendbook.origin import Dump, Origin

FRAMEWORK = Framework(
    name="rails",
    title="Ruby on Rails",
    home="https://guides.rubyonrails.org and activerecord/lib/active_record of rails/rails",
    over=("pg-gem",),
    only=False,
    marks=(
        "ActiveRecord::",
        "/activerecord-",
        "/active_record/",
        "bin/rails",
        "ActionView::",
        "ActionController::",
        "/railties-",
    ),
    wordings=(
        Wording(text="Migrations are pending. To resolve this issue, run:…", kind="migration_pending"),
        Wording(text="You have {} pending migrations:", kind="migration_pending"),
        Wording(text="You have {} pending migration:", kind="migration_pending"),
        Wording(
            text="could not obtain a connection from the pool within {} seconds (waited {} seconds); …",
            kind="pool_exhausted",
        ),
        Wording(text="No connection pool for '{}' found.…", kind="pool_closed"),
        Wording(text="No connection pool with '{}' found.…", kind="pool_closed"),
        Wording(text="We could not find your database: {database}. {}", kind="missing_database"),
        Wording(
            text="There is an issue connecting to your database with your username/password, username: {role}.…",
            kind="authentication",
        ),
        Wording(text="There is an issue connecting with your hostname: {}.", kind="connection_refused"),
        Wording(
            text="Cannot run `rails db:migrate` because another migration process is currently running.…",
            kind="lock_timeout",
        ),
        Wording(text="No migration with version number {}.", kind="migration_history"),
    ),
    qualifies_by="table",
    # exec_cache in activerecord/lib/active_record/connection_adapters/postgresql_adapter.rb
    stale=(
        "prepares it anew by itself; inside a transaction that one fails with PreparedStatementCacheExpired: run the "
        "transaction again, or set prepared_statements: false"
    ),
)


# activerecord/lib/active_record/schema_migration.rb and migration.rb of rails/rails
LEDGER = Ledger(
    table="schema_migrations",
    columns=("version",),
    create="CREATE TABLE {table} (version character varying NOT NULL PRIMARY KEY)",
    name="version",
    layout=Layout(file=r"(?:.*/)?(?P<name>[0-9]+)_[_a-z0-9]*(?:\.[_a-z0-9]*)?\.rb", order=by_number),
    row={"version": "{name}"},
)


def _files(change: Change) -> Mapping[str, str]:
    said = re.findall(r"ActiveRecord::Migration\[([\d.]+)\]", "\n".join(each.text for each in change.before))
    up, down = ("".join(map(_execute, statements)) for statements in (change.forward, change.backward))
    single = "" if change.transaction else "  disable_ddl_transaction!\n\n"
    text = (
        f"class {change.camel} < ActiveRecord::Migration[{said[-1] if said else '7.0'}]\n"
        f"{single}  def up\n{up}  end\n\n  def down\n{down}  end\nend\n"
    )
    return {f"{change.folder}{change.stamp}_{change.title}.rb": text}


def _execute(statement: str) -> str:
    end = "SQL"
    while re.search(rf"^\s*{end}\s*$", statement, re.MULTILINE):
        end += "_"
    return f"    execute <<~'{end}'\n{textwrap.indent(statement, '      ')}\n    {end}\n"


MIGRATION = Format(files=_files)


# Where Active Record writes the schema as SQL (config.active_record.schema_format = :sql).
EXPECTATION = Origin(prefix="rails", form="DIR", means=Dump(default="db/structure.sql"), file=Dump())
