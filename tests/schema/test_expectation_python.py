"""What should be, from the migrations and models of Python applications, run by their own tools."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from mendbook.errors import Refused, Surroundings, Usage
from mendbook.schema import expectation, programs, seclusion
from mendbook.schema.key import Key

from tests.helpers import fingerprint
from tests.schema.test_expectation import columns, write

ALEMBIC = {
    "alembic.ini": "[alembic]\nscript_location = migrations\nsqlalchemy.url = {url}\n",
    "migrations/env.py": """
from alembic import context
from sqlalchemy import create_engine, pool
{settings}
engine = create_engine(url, poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
    "migrations/versions/1_orders.py": """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "1", None
def upgrade():
    op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True))
""",
    "migrations/versions/2_shipped.py": """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "2", "1"
def upgrade():
    op.add_column("orders", sa.Column("shipped", sa.DateTime))
""",
}
# Where an application takes its URL from: the configuration, the environment, a file that overrides it, its code.
SETTINGS = {
    "configuration": 'url = context.config.get_main_option("sqlalchemy.url")',
    "environment": 'import os\nurl = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")',
    "dotenv": 'import os\nos.environ["DATABASE_URL"] = url = open(".env").read().strip()',
    "code": "url = {url!r}",
}
DJANGO = {
    "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n',
    "shop/__init__.py": "",
    "shop/settings.py": """
SECRET_KEY = "none"
INSTALLED_APPS = ["shop"]
USE_TZ = True
DATABASES = {"default": {database}, "reports": {database}}
""",
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_orders.py": """
from django.db import migrations, models
class Migration(migrations.Migration):
    operations = [migrations.CreateModel("Order", [("id", models.BigAutoField(primary_key=True))])]
""",
    "shop/migrations/0002_shipped.py": """
from django.db import connections, migrations, models
def fill(apps, schema_editor):
    connections["reports"].cursor().execute("CREATE TABLE report ()")
class Migration(migrations.Migration):
    dependencies = [("shop", "0001_orders")]
    operations = [migrations.AddField("Order", "shipped", models.DateTimeField(null=True)), migrations.RunPython(fill)]
""",
}
MODELS = """
from sqlalchemy import Column, Integer, MetaData, Table
metadata = MetaData()
Table("orders", metadata, Column("id", Integer, primary_key=True), schema="sales")
class Base:
    metadata = metadata
"""


@pytest.fixture
def url(production: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of production, to which the environment leads too."""
    said = psycopg.conninfo.conninfo_to_dict(production)
    for name in ("host", "port", "user"):
        monkeypatch.setenv(f"PG{name.upper()}", str(said[name]))
    url = "postgresql+psycopg://{user}@{host}:{port}/{dbname}".format(**said)
    monkeypatch.setenv("DATABASE_URL", url)
    return url


def alembic(folder: Path, url: str, settings: str = SETTINGS["configuration"], **more: str) -> Path:
    said = settings.replace("{url!r}", repr(url))
    files = {name: text.replace("{url}", url).replace("{settings}", said) for name, text in ALEMBIC.items()}
    return write(folder, {**files, ".env": url, **{f"migrations/versions/{each}.py": more[each] for each in more}})


def django(folder: Path, database: dict[str, object], **more: str) -> Path:
    files = {name: text.replace("{database}", repr(database)) for name, text in DJANGO.items()}
    return write(folder, {**files, **{f"shop/migrations/{each}.py": more[each] for each in more}})


@pytest.mark.parametrize("settings", SETTINGS)
def test_alembic_ends_in_the_scratch_database(settings: str, tmp_path: Path, url: str) -> None:
    found = expectation.read(f"alembic:{alembic(tmp_path, url, SETTINGS[settings])}")
    assert columns(found.snapshot, "orders") == ["id", "shipped"]
    assert columns(found.snapshot, "alembic_version") == ["version_num"]


def test_django_ends_in_the_scratch_database(tmp_path: Path, url: str) -> None:
    host, port = url.split("@")[1].split("/", maxsplit=1)[0].split(":")
    database = {"ENGINE": "django.db.backends.postgresql", "HOST": host, "PORT": port, "NAME": "postgres"}
    app = django(tmp_path, {**database, "USER": "postgres", "OPTIONS": {"sslmode": "require"}})
    for reference in (f"django:{app}", f"django:{app}:shop.settings"):
        found = expectation.read(reference)
        assert columns(found.snapshot, "shop_order") == ["id", "shipped"]
        assert columns(found.snapshot, "django_migrations") == ["id", "app", "name", "applied"]
        assert Key("table", "public", "report") in found.snapshot.objects


def test_the_search_path_of_an_application_stays(tmp_path: Path, url: str) -> None:
    migration = """
from alembic import op
revision, down_revision = "3", "2"
def upgrade():
    op.execute("CREATE SCHEMA shop; CREATE TABLE kept (a int)")
"""
    app = alembic(
        tmp_path / "a", f"{url}?options=-csearch_path%3Dshop,public", SETTINGS["code"], **{"3_shop": migration}
    )
    assert columns(expectation.read(f"alembic:{app}").snapshot, "kept", "shop") == ["a"]
    migration = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("shop", "0002_shipped")]
    operations = [migrations.RunSQL("CREATE SCHEMA shop; CREATE TABLE kept (a int)")]
"""
    options = {"options": "-c search_path=shop,public", "sslmode": "require"}
    database = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options}
    app = django(tmp_path / "d", database, **{"0003_shop": migration})
    assert columns(expectation.read(f"django:{app}").snapshot, "kept", "shop") == ["a"]


@pytest.mark.parametrize("name", ["metadata", "Base", "Base.metadata", ""])
def test_sqlalchemy_metadata(name: str, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path, {"shop/models.py": MODELS}))
    found = expectation.read(f"sqlalchemy:shop.models:{name}".removesuffix(":"))
    assert columns(found.snapshot, "orders", "sales") == ["id"]


@pytest.mark.skipif(
    seclusion.secluded([], Path()) is None, reason="unshare does not work here; run as root or allow user namespaces"
)
@pytest.mark.parametrize("way", ["network", "socket"])
@pytest.mark.parametrize("tool", ["alembic", "django"])
def test_a_migration_that_opens_a_connection_of_its_own_reaches_nothing(
    tool: str, way: str, tmp_path: Path, url: str, database: str
) -> None:
    conninfo = url.replace("+psycopg", "") if way == "network" else database
    before = fingerprint(database)
    work = f"import psycopg\n    psycopg.connect({conninfo!r}, autocommit=True).execute('CREATE TABLE harm ()')"
    if tool == "alembic":
        migration = f"revision, down_revision = '3', '2'\ndef upgrade():\n    {work}\n"
        app = alembic(tmp_path, url, **{"3_harm": migration})
    else:
        migration = f"""
from django.db import migrations
def harm(apps, schema_editor):
    {work}
class Migration(migrations.Migration):
    dependencies = [("shop", "0002_shipped")]
    operations = [migrations.RunPython(harm)]
"""
        app = django(tmp_path, {"ENGINE": "django.db.backends.postgresql"}, **{"0003_harm": migration})
    with pytest.raises(Usage, match=r"3_harm\.py:\d+ fails; the scratch database refused none of its statements"):
        expectation.read(f"{tool}:{app}")
    assert fingerprint(database) == before


def test_without_seclusion_drivers_still_end_in_the_scratch_database(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seclusion, "_unshare", lambda: ())
    found = expectation.read(f"alembic:{alembic(tmp_path, url, SETTINGS['code'])}")
    assert columns(found.snapshot, "orders") == ["id", "shipped"]
    assert found.notes == ("run_sqlalchemy.py ran with a network, for this system does not let programs be secluded.",)


def test_what_leaves_nothing_behind_is_refused(tmp_path: Path, url: str) -> None:
    app = write(alembic(tmp_path, url), {"migrations/env.py": "print('nothing to do')"})
    with pytest.raises(Refused, match="left nothing in the scratch database, so it may have worked on another one"):
        expectation.read(f"alembic:{app}")


def test_a_program_that_does_not_end_is_stopped(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    app = write(alembic(tmp_path, url), {"migrations/env.py": waits})
    monkeypatch.setattr(programs, "TIME_LIMIT_S", 2)
    with pytest.raises(Surroundings, match="did not end within 2 s and was stopped"):
        expectation.read(f"alembic:{app}")


def test_another_kind_of_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="connects to sqlite, and an expectation needs PostgreSQL"):
        expectation.read(f"alembic:{alembic(tmp_path / 'a', 'sqlite:///shop.db', SETTINGS['code'])}")
    app = django(tmp_path / "d", {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.db"})
    with pytest.raises(Usage, match=r"sqlite3' as 'default', and an expectation needs PostgreSQL"):
        expectation.read(f"django:{app}")
    assert not list(tmp_path.rglob("shop.db"))


def test_an_alembic_migration_that_fails_is_named(tmp_path: Path, url: str) -> None:
    migration = """from alembic import op
revision, down_revision = "3", "2"
def upgrade():
    op.drop_column("orders", "nix")
"""
    app = alembic(tmp_path, url.replace("postgres@", "postgres:hunter22@"), **{"3_drop": migration})
    with pytest.raises(Usage) as caught:
        expectation.read(f"alembic:{app}")
    place = tmp_path / "migrations" / "versions" / "3_drop.py"
    assert str(caught.value).startswith(f'{place}:4 fails on the scratch database (42703): column "nix" of relation')
    assert "hunter22" not in str(caught.value)


def test_a_django_migration_that_fails_is_named(tmp_path: Path) -> None:
    migration = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("shop", "0002_shipped")]
    operations = [migrations.RunSQL("ALTER TABLE shop_order DROP nix")]
"""
    app = django(tmp_path, {"ENGINE": "django.db.backends.postgresql"}, **{"0003_drop": migration})
    with pytest.raises(Usage) as caught:
        expectation.read(f"django:{app}")
    place = tmp_path / "shop" / "migrations" / "0003_drop.py"
    assert str(caught.value).startswith(f'{place}:3 fails on the scratch database (42703): column "nix" of relation')


def test_a_tool_that_is_missing_is_named(tmp_path: Path) -> None:
    """The application has an environment of its own, which is asked before the one of Mendbook."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    for tool, files in (("alembic", ALEMBIC), ("django", DJANGO)):
        app = write(tmp_path / tool, files)
        with pytest.raises(Surroundings, match=rf"{tmp_path}/\.venv/bin/python.* Run: pip install {tool} psycopg"):
            expectation.read(f"{tool}:{app}")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("alembic:docs", "docs has no alembic.ini"),
        ("django:docs", r"docs/manage\.py names no settings"),
        ("sqlalchemy:no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_what_is_no_application_is_said(reference: str, said: str) -> None:
    with pytest.raises(Usage, match=said):
        expectation.read(reference)
