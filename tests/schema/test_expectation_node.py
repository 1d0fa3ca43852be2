"""What should be, from the migrations and models of Node applications, run by their own tools."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
from mendbook import embedded
from mendbook.errors import Refused, Surroundings, Usage
from mendbook.origin import Program
from mendbook.schema import expectation, seclusion

from tests.schema.test_expectation import columns, write

NODE = Path(__file__).parent / "node"

# Every configuration leads to production, as a host name, a URL or a part of the environment.
APPS = {
    "sequelize": {
        "config/config.json": '{"development": {config}}',
        "migrations/1-orders.js": """
module.exports = {
  async up(queries, { INTEGER }) { await queries.createTable("orders", { id: { type: INTEGER, primaryKey: true } }); },
};""",
        "migrations/2-shipped.js": """
module.exports = {
  async up(queries, { DATE }) { await queries.addColumn("orders", "{column}", DATE); },
};""",
    },
    "knex": {
        "knexfile.js": 'module.exports = { client: "pg", connection: { ...{config}, ssl: true } };',
        "migrations/1_orders.js": """
exports.up = (knex) => knex.schema.createTable("orders", (table) => { table.integer("id"); });
exports.down = () => {};""",
        "migrations/2_shipped.js": """
exports.up = (knex) => knex.schema.alterTable("orders", (table) => { table.date("{column}"); });
exports.down = () => {};""",
    },
    "node-pg-migrate": {
        ".env": "DATABASE_URL={url}",
        "migrations/1_orders.js": 'exports.up = (pgm) => { pgm.createTable("orders", { id: "int" }); };',
        "migrations/2_shipped.js": 'exports.up = (pgm) => { pgm.addColumns("orders", { "{column}": "date" }); };',
    },
    "typeorm": {
        "data-source.js": """
const { DataSource } = require("typeorm");
const migrations = [__dirname + "/migrations/*.js"];
module.exports = { source: new DataSource({ type: "postgres", ...{config}, username: "postgres", migrations }) };""",
        "migrations/1700000000000-orders.js": """
class Orders1700000000000 { async up(runner) { await runner.query("CREATE TABLE orders (id int)"); } }
module.exports = { Orders1700000000000 };""",
        "migrations/1700000000001-shipped.js": """
class Shipped1700000000001 { async up(runner) { await runner.query('ALTER TABLE orders ADD "{column}" date'); } }
module.exports = { Shipped1700000000001 };""",
    },
    "sequelize models": {
        "models.js": """
const { Sequelize, DataTypes } = require("sequelize");
const sequelize = new Sequelize("{url}");
sequelize.define("orders", { "{column}": DataTypes.DATE }, { freezeTableName: true, timestamps: false });
module.exports = { sequelize };""",
    },
    "sequelize models in a module": {
        "models.mjs": """
import { Sequelize, DataTypes } from "sequelize";
const sequelize = new Sequelize("{url}");
sequelize.define("orders", { "{column}": DataTypes.DATE }, { freezeTableName: true, timestamps: false });
export default sequelize;""",
    },
    "drizzle": {
        "schema.ts": """
import { pgTable, integer, date } from "drizzle-orm/pg-core";
export const orders = pgTable("orders", { id: integer(), shipped: date("{column}") });""",
    },
    "prisma": {
        "prisma.config.ts": """
import { defineConfig } from "prisma/config";
import { PrismaPg } from "@prisma/adapter-pg";
const adapter = async () => new PrismaPg({ connectionString: "{url}" });
export default defineConfig({ experimental: { adapter: true }, engine: "js", schema: "schema.prisma", adapter });""",
        "schema.prisma": """
datasource db {
  provider = "postgresql"
  url      = "{url}"
}
model orders {
  id      Int       @id
  shipped DateTime? @map("{column}")
}""",
    },
}
MEANT = {
    "typeorm": "typeorm:{app}/data-source.js",
    "sequelize models": "sequelize:{app}/models.js",
    "sequelize models in a module": "sequelize:{app}/models.mjs",
    "drizzle": "drizzle:{app}/schema.ts",
    "prisma": "prisma:{app}/schema.prisma",
}


@pytest.fixture(scope="module")
def modules() -> Path:
    """A node_modules folder with the tools, kept in the cache."""
    if not shutil.which("npm"):
        pytest.skip("no Node.js here; install it to try migration tools of Node")
    lock = (NODE / "package-lock.json").read_bytes()
    place = embedded.cache_dir() / "tests" / f"migrators-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not place.exists():
        new = place.with_name(f"{place.name}-{os.getpid()}")
        shutil.copytree(NODE, new)
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        installed = subprocess.run(install, cwd=new, capture_output=True, text=True, timeout=600)
        if installed.returncode:
            shutil.rmtree(new)
            pytest.skip(f"npm ci did not get the migration tools; see what it says: {installed.stderr[-300:]}")
        with contextlib.suppress(OSError):  # another process was first
            new.rename(place)
    return place / "node_modules"


@pytest.fixture
def said(production: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a configuration says to lead to production."""
    known = psycopg.conninfo.conninfo_to_dict(production)
    url = "postgresql://{user}@{host}:{port}/{dbname}".format(**known)
    monkeypatch.setenv("DATABASE_URL", url)
    for name in ("SCHEMA_ENGINE_BINARY", "QUERY_ENGINE_LIBRARY"):  # Prisma fetches these, also where it runs without
        monkeypatch.setenv(f"PRISMA_{name}", shutil.which("true") or "")
    config = {"host": known["host"], "port": known["port"], "user": known["user"], "database": known["dbname"]}
    return {"url": url, "config": json.dumps({**config, "dialect": "postgres"})}


def reference(name: str, folder: Path, modules: Path, said: dict[str, str], column: str = "shipped") -> str:
    """Write an application, and say how its expectation is named."""
    files = APPS[name]
    for key, value in {**said, "column": column}.items():
        files = {path: text.replace(f"{{{key}}}", value) for path, text in files.items()}
    write(folder, files)
    (folder / "node_modules").symlink_to(modules)
    return MEANT.get(name, f"{name}:{{app}}").format(app=folder)


@pytest.mark.parametrize("name", APPS)
def test_it_ends_in_the_scratch_database(name: str, tmp_path: Path, modules: Path, said: dict[str, str]) -> None:
    found = expectation.read(reference(name, tmp_path, modules, said))
    assert columns(found.snapshot, "orders") == ["id", "shipped"]


@pytest.mark.parametrize("name", ["knex", "typeorm", "sequelize models in a module"])
def test_it_ends_there_without_seclusion(
    name: str, tmp_path: Path, modules: Path, said: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seclusion, "_unshare", lambda: ())
    found = expectation.read(reference(name, tmp_path, modules, said))
    assert columns(found.snapshot, "orders") == ["id", "shipped"]


@pytest.mark.parametrize("name", ["sequelize", "knex", "node-pg-migrate", "typeorm"])
def test_a_migration_that_fails_is_named(name: str, tmp_path: Path, modules: Path, said: dict[str, str]) -> None:
    with pytest.raises(Usage) as caught:
        expectation.read(reference(name, tmp_path, modules, said, column="id"))
    first = str(caught.value).splitlines()[0]
    assert re.search(r"shipped(\.js(:\d+)?)? fails on the scratch database \(42701\): ", first)
    assert '(42701): column "id" of relation "orders" already exists.' in first


def test_printed_sql_that_fails_is_named(tmp_path: Path, modules: Path, said: dict[str, str]) -> None:
    named = reference("drizzle", tmp_path, modules, said)
    with (tmp_path / "schema.ts").open("a") as schema:
        schema.write("""
import { sql } from "drizzle-orm";
export const lines = pgTable("lines", { id: integer().default(sql`next_line()`) });""")
    with pytest.raises(
        Usage, match=r"^the SQL of .*/schema\.ts:\d+ fails on the scratch database \(42883\): function "
    ):
        expectation.read(named)


def test_the_search_path_of_an_application_stays(tmp_path: Path, modules: Path, said: dict[str, str]) -> None:
    config = json.dumps({**json.loads(said["config"]), "options": "-c search_path=shop,public"})
    named = reference("knex", tmp_path, modules, {**said, "config": config})
    migration = (
        "exports.up = (knex) => knex.raw('CREATE SCHEMA shop; CREATE TABLE kept (a int)'); exports.down = () => {};"
    )
    write(tmp_path, {"migrations/3_shop.js": migration})
    assert columns(expectation.read(named).snapshot, "kept", "shop") == ["a"]


def test_every_program_of_node_is_shown_above() -> None:
    programs = [(prefix, found) for prefix, each in expectation.origins().items() for found in (each.means, each.file)]
    known = {prefix for prefix, found in programs if isinstance(found, Program) and found.language == "Node"}
    assert known == {MEANT.get(name, name).partition(":")[0] for name in APPS}


def test_what_an_application_prints_does_not_tell_its_secrets(
    tmp_path: Path, modules: Path, said: dict[str, str]
) -> None:
    named = reference("knex", tmp_path, modules, said)
    (tmp_path / "knexfile.js").write_text('throw new Error("postgres://me:hunter22@db/shop")')
    with pytest.raises(Usage) as caught:
        expectation.read(named)
    assert "postgres://me:•••@db/shop" in str(caught.value)


@pytest.mark.parametrize("name", ["sequelize", "knex", "node-pg-migrate", "typeorm", "drizzle", "prisma"])
def test_a_tool_that_is_missing_is_named(name: str, tmp_path: Path, modules: Path, said: dict[str, str]) -> None:
    named = reference(name, tmp_path, modules, said)
    (tmp_path / "node_modules").unlink()
    with pytest.raises(Surroundings, match=r"is not installed in .* Run: npm install "):
        expectation.read(named)


def test_a_tool_that_prints_nothing_is_refused(tmp_path: Path, modules: Path, said: dict[str, str]) -> None:
    """With an engine that does nothing, `prisma migrate diff` ends with 0 and says that there is nothing to make."""
    named = reference("prisma", tmp_path, modules, said)
    (tmp_path / "prisma.config.ts").unlink()
    with pytest.raises(Refused, match=r"printed no SQL, .* Run prisma by hand"):
        expectation.read(named)


def test_without_node_it_is_named(tmp_path: Path, modules: Path, said: dict[str, str]) -> None:
    named = reference("knex", tmp_path, modules, said)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.fspath(tmp_path))
        with pytest.raises(Surroundings, match="There is no node here"):
            expectation.read(named)
