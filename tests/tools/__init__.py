"""Real migration tools for tests: those of Node.js out of npm, Alembic and Django out of this environment."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from mendbook import embedded

NODE = Path(__file__).parent / "node"
BIN = "node_modules/.bin/"
DBMATE_BINARY = "node_modules/@dbmate/linux-x64/bin/dbmate"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool with a small application: a table of orders, then its column shipped_at."""

    framework: str
    files: Mapping[str, str]  # its settings
    folder: str  # where its migrations are
    migrations: tuple[Mapping[str, str], ...]  # the files of each, in the folder
    apply: tuple[str, ...]  # the command that runs what is pending; empty: it does not work without its engine
    status: tuple[str, ...]  # the command that says what is pending
    fine: str  # what that says where nothing is
    program: bool = True  # its migrations are no SQL
    python: bool = False


class App:
    """The application of a tool, in a folder, with a database of its own."""

    def __init__(self, tool: Tool, folder: Path, conninfo: str) -> None:
        self.tool = tool
        self.folder = folder
        self.conninfo = conninfo
        if not tool.python:
            (folder / "node_modules").symlink_to(node_modules())
            if tool is DBMATE and not (folder / DBMATE_BINARY).exists():
                pytest.skip("npm has no dbmate for this platform here; run this on Linux on x86-64")
        self.write(tool.files)

    @property
    def migrations(self) -> Path:
        return self.folder / self.tool.folder

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def add(self, number: int) -> None:
        """Write the migration with this number."""
        self.write({f"{self.tool.folder}/{name}": text for name, text in self.tool.migrations[number].items()})

    def apply(self) -> None:
        self.run(self.tool.apply)

    def run(self, command: tuple[str, ...]) -> None:
        done = self._run(command)
        assert done.returncode == 0, done.stdout + done.stderr

    def status(self) -> str:
        """What the tool says of the state of things."""
        done = self._run(self.tool.status)
        return f"{done.stdout}{done.stderr}\nexit code {done.returncode}"

    def says_all_is_fine(self) -> bool:
        status = self.status()
        return self.tool.fine in status and status.endswith("exit code 0")

    def _run(self, command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        known = psycopg.conninfo.conninfo_to_dict(self.conninfo)
        host, port, name = str(known["host"]), str(known["port"]), str(known["dbname"])
        variables = {
            "PGHOST": host,
            "PGPORT": port,
            "PGUSER": "postgres",
            "PGDATABASE": name,
            "DATABASE_URL": f"postgres://postgres@/{name}?host={host}&port={port}&sslmode=disable",
            "CHECKPOINT_DISABLE": "1",
            **_NO_ENGINE,
        }
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )


_NO_ENGINE = {"PRISMA_SCHEMA_ENGINE_BINARY": "/bin/true", "PRISMA_QUERY_ENGINE_LIBRARY": "/bin/true"}


def node_modules() -> Path:
    """The packages of the tools for Node.js, installed once on this machine; skips the test where there are none."""
    lock = (NODE / "package-lock.json").read_bytes()
    place = embedded.cache_dir() / "tests" / f"node-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not place.exists():
        if not shutil.which("npm"):
            pytest.skip("no Node.js here; install it to try the migration tools that are written for it")
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as made:
            packages = Path(made) / "packages"
            shutil.copytree(NODE, packages)
            install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
            environment = {**os.environ, **_NO_ENGINE}
            done = subprocess.run(install, cwd=packages, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"npm ci did not get the migration tools; see what it says: {done.stderr[-300:]}")
            with contextlib.suppress(OSError):  # another test process was quicker
                packages.rename(place)
    return place / "node_modules"


ORDERS = "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric);"
SHIPPED = "ALTER TABLE orders ADD COLUMN shipped_at timestamptz;"
PLACE = "host: process.env.PGHOST, port: +process.env.PGPORT, database: process.env.PGDATABASE"
CONNECTION = f"{{user: 'postgres', {PLACE}}}"


def _knex(up: str, down: str) -> str:
    return f"exports.up = (knex) => knex.raw(`{up}`);\nexports.down = (knex) => knex.raw(`{down}`);\n"


SEQUELIZE = Tool(
    framework="sequelize",
    files={"config.js": f"module.exports = {{development: {{dialect: 'postgres', username: 'postgres', {PLACE}}}}};\n"},
    folder="migrations",
    migrations=(
        {
            "20250101000000-create-orders.js": "module.exports = {up: (q, S) => q.createTable('orders', "
            "{id: {type: S.BIGINT, primaryKey: true}, total: S.DECIMAL}), down: (q) => q.dropTable('orders')};\n"
        },
        {
            "20250102000000-add-shipped-at.js": "module.exports = {up: (q, S) => q.addColumn('orders', 'shipped_at', "
            "S.DATE), down: (q) => q.removeColumn('orders', 'shipped_at')};\n"
        },
    ),
    apply=(f"{BIN}sequelize-cli", "db:migrate", "--config", "config.js"),
    status=(f"{BIN}sequelize-cli", "db:migrate:status", "--config", "config.js"),
    fine="up 20250102000000-add-shipped-at.js",
)
KNEX = Tool(
    framework="knex",
    files={"knexfile.js": f"module.exports = {{client: 'pg', connection: {CONNECTION}}};\n"},
    folder="migrations",
    migrations=(
        {"20250101000000_create_orders.js": _knex(ORDERS, "DROP TABLE orders")},
        {"20250102000000_add_shipped_at.js": _knex(SHIPPED, "ALTER TABLE orders DROP shipped_at")},
    ),
    apply=(f"{BIN}knex", "migrate:latest"),
    status=(f"{BIN}knex", "migrate:status"),
    fine="No Pending Migration files Found.",
)


def _typeorm(name: str, up: str, down: str) -> str:
    return (
        f"module.exports = class {name} {{\n  async up(runner) {{ await runner.query(`{up}`); }}\n"
        f"  async down(runner) {{ await runner.query(`{down}`); }}\n}};\n"
    )


TYPEORM = Tool(
    framework="typeorm",
    files={
        "source.js": "const {DataSource} = require('typeorm');\n"
        f"module.exports.source = new DataSource({{type: 'postgres', username: 'postgres', {PLACE}, "
        "migrations: ['migrations/*.js']});\n"
    },
    folder="migrations",
    migrations=(
        {"1700000000000-CreateOrders.js": _typeorm("CreateOrders1700000000000", ORDERS, "DROP TABLE orders")},
        {"1700000000001-AddShipped.js": _typeorm("AddShipped1700000000001", SHIPPED, "SELECT 1")},
    ),
    apply=(f"{BIN}typeorm", "migration:run", "-d", "source.js", "--transaction", "each"),
    status=(f"{BIN}typeorm", "migration:show", "-d", "source.js"),
    fine="[X] 2 AddShipped1700000000001",
)
NODE_PG_MIGRATE = Tool(
    framework="node-pg-migrate",
    files={"package.json": "{}\n"},
    folder="migrations",
    migrations=(
        {"1700000000000_create-orders.sql": f"-- Up Migration\n{ORDERS}\n-- Down Migration\nDROP TABLE orders;\n"},
        {"1700000000001_add-shipped.sql": f"-- Up Migration\n{SHIPPED}\n-- Down Migration\nSELECT 1;\n"},
    ),
    apply=(f"{BIN}node-pg-migrate", "up"),
    status=(f"{BIN}node-pg-migrate", "up", "--dry-run"),
    fine="No migrations to run!",
    program=False,
)


def _journal(*tags: str) -> str:
    entries = [
        {"idx": at, "version": "7", "when": 1700000000000 + at, "tag": tag, "breakpoints": True}
        for at, tag in enumerate(tags)
    ]
    return json.dumps({"version": "7", "dialect": "postgresql", "entries": entries})


DRIZZLE = Tool(
    framework="drizzle",
    files={
        "migrate.cjs": "const {drizzle} = require('drizzle-orm/node-postgres');\n"
        "const {migrate} = require('drizzle-orm/node-postgres/migrator');\nconst {Pool} = require('pg');\n"
        f"const pool = new Pool({CONNECTION});\n"
        "const done = migrate(drizzle(pool), {migrationsFolder: 'drizzle'});\n"
        "done.then(() => pool.end()).then(() => console.log('migrated'));\n"
    },
    folder="drizzle",
    migrations=(
        {"0000_orders.sql": ORDERS, "meta/_journal.json": _journal("0000_orders")},
        {"0001_shipped.sql": SHIPPED, "meta/_journal.json": _journal("0000_orders", "0001_shipped")},
    ),
    apply=("node", "migrate.cjs"),
    status=("node", "migrate.cjs"),
    fine="migrated",
    program=False,
)
DBMATE = Tool(
    framework="dbmate",
    files={},
    folder="db/migrations",
    migrations=(
        {"20250101000000_create_orders.sql": f"-- migrate:up\n{ORDERS}\n\n-- migrate:down\nDROP TABLE orders;\n"},
        {"20250102000000_add_shipped.sql": f"-- migrate:up\n{SHIPPED}\n\n-- migrate:down\nSELECT 1;\n"},
    ),
    apply=(DBMATE_BINARY, "--no-dump-schema", "up"),
    status=(DBMATE_BINARY, "status", "--exit-code"),
    fine="Pending: 0",
    program=False,
)
PRISMA = Tool(
    framework="prisma",
    files={
        "prisma/schema.prisma": 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n',
        "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
        "prisma.config.ts": 'import { defineConfig } from "prisma/config";\n'
        'import { PrismaPg } from "@prisma/adapter-pg";\n'
        'export default defineConfig({experimental: {adapter: true}, engine: "js", schema: "prisma/schema.prisma", '
        f"adapter: async () => new PrismaPg({CONNECTION})}});\n",
    },
    folder="prisma/migrations",
    migrations=(
        {"20250101000000_init/migration.sql": f"{ORDERS}\n"},
        {"20250102000000_shipped/migration.sql": f"{SHIPPED}\n"},
    ),
    apply=(),
    status=(f"{BIN}prisma", "migrate", "status"),
    fine="Database schema is up to date!",
    program=False,
)


def _revision(name: str, before: str | None, up: str, down: str) -> str:
    return (
        f"from alembic import op\n\nrevision = {name!r}\ndown_revision = {before!r}\n\n\n"
        f"def upgrade():\n    op.execute({up!r})\n\n\ndef downgrade():\n    op.execute({down!r})\n"
    )


ALEMBIC = Tool(
    framework="alembic",
    files={
        "alembic.ini": "[alembic]\nscript_location = %(here)s/migrations\n",
        "migrations/env.py": "import sqlalchemy\nfrom alembic import context\n\n"
        'with sqlalchemy.create_engine("postgresql+psycopg://").connect() as connection:\n'
        "    context.configure(connection=connection, target_metadata=sqlalchemy.MetaData())\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n",
    },
    folder="migrations/versions",
    migrations=(
        {"a1_create_orders.py": _revision("a1", None, ORDERS, "DROP TABLE orders")},
        {"b2_add_shipped.py": _revision("b2", "a1", SHIPPED, "ALTER TABLE orders DROP shipped_at")},
    ),
    apply=(sys.executable, "-m", "alembic", "upgrade", "head"),
    status=(sys.executable, "-m", "alembic", "current", "--check-heads"),
    fine="(head)",
    python=True,
)
DJANGO = Tool(
    framework="django",
    files={
        "settings.py": "import os\n\nINSTALLED_APPS = ['shop']\nDATABASES = {'default': {'ENGINE': "
        "'django.db.backends.postgresql', 'NAME': os.environ['PGDATABASE'], 'HOST': os.environ['PGHOST'], "
        "'PORT': os.environ['PGPORT'], 'USER': 'postgres'}}\nDEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n",
        "shop/__init__.py": "",
        "shop/models.py": "from django.db import models\n\n\nclass Order(models.Model):\n"
        "    total = models.DecimalField(max_digits=9, decimal_places=2, null=True)\n"
        "    shipped_at = models.DateTimeField(null=True)\n\n"
        "    class Meta:\n        db_table = 'orders'\n",
        "shop/migrations/__init__.py": "",
    },
    folder=".",
    migrations=(
        {
            "shop/migrations/0001_initial.py": "from django.db import migrations, models\n\n\n"
            "class Migration(migrations.Migration):\n    dependencies = []\n    operations = [migrations.CreateModel("
            "'Order', [('id', models.BigAutoField(primary_key=True)), "
            "('total', models.DecimalField(max_digits=9, decimal_places=2, null=True))], "
            "options={'db_table': 'orders'})]\n"
        },
        {
            "shop/migrations/0002_shipped_at.py": "from django.db import migrations, models\n\n\n"
            "class Migration(migrations.Migration):\n    dependencies = [('shop', '0001_initial')]\n    operations = ["
            "migrations.AddField('Order', 'shipped_at', models.DateTimeField(null=True))]\n"
        },
    ),
    apply=(sys.executable, "-m", "django", "migrate", "--settings", "settings", "--pythonpath", "."),
    status=(sys.executable, "-m", "django", "migrate", "--check", "--settings", "settings", "--pythonpath", "."),
    fine="",
    python=True,
)
TOOLS = {
    tool.framework: tool
    for tool in (SEQUELIZE, KNEX, TYPEORM, NODE_PG_MIGRATE, DRIZZLE, DBMATE, PRISMA, ALEMBIC, DJANGO)
}
