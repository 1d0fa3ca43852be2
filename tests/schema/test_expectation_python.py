"""What should be, from the migrations and models of Python applications, run by their own tools."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from mendbook import embedded
from mendbook.schema import expectation

from tests.helpers import fingerprint
from tests.schema.test_expectation import columns, write

ALEMBIC = {
    "alembic.ini": "[alembic]\nscript_location = migrations\nsqlalchemy.url = {url}\n",
    "migrations/script.py.mako": "",
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
# Where an application takes its URL from: as Alembic's template does it, from the environment, and fixed in the code.
SETTINGS = {
    "ini": 'url = context.config.get_main_option("sqlalchemy.url")',
    "environment": 'import os\nurl = os.environ["DATABASE_URL"]',
    "dotenv": 'import os\nos.environ.update([open(".env").read().strip().split("=", 1)])\nurl = os.environ["DATABASE_URL"]',
    "code": "url = {url!r}",
}
DJANGO = {
    "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n',
    "shop/__init__.py": "",
    "shop/settings.py": """
import os
SECRET_KEY = "none"
INSTALLED_APPS = ["shop"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {{"default": {database}, "reports": {database}}}
""",
    "shop/models.py": "",
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_orders.py": """
from django.db import migrations, models
class Migration(migrations.Migration):
    dependencies = []
    operations = [migrations.CreateModel("Order", [("id", models.BigAutoField(primary_key=True))])]
""",
    "shop/migrations/0002_shipped.py": """
from django.db import migrations, models
def fill(apps, schema_editor):
    apps.get_model("shop", "Order").objects.create(shipped=None)
class Migration(migrations.Migration):
    dependencies = [("shop", "0001_orders")]
    operations = [migrations.AddField("Order", "shipped", models.DateTimeField(null=True)), migrations.RunPython(fill)]
""",
}


@pytest.fixture
def real(make_database: Callable[[str], str], server: embedded.Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database of production, which the environment and the configuration of an application lead to."""
    conninfo = make_database("CREATE TABLE production ()")
    database = conninfo.split("dbname=")[1].split()[0]
    url = f"postgresql+psycopg://postgres@/{database}?host={server.socket_dir}"
    for name in ("DATABASE_URL", "SQLALCHEMY_URL"):
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("PGDATABASE", database)
    monkeypatch.setenv("PGHOST", str(server.socket_dir))
    return url


def alembic(folder: Path, url: str, settings: str = "ini") -> Path:
    said = SETTINGS[settings].format(url=url)
    files = {name: text.replace("{url}", url).replace("{settings}", said) for name, text in ALEMBIC.items()}
    return write(folder, {**files, ".env": f"DATABASE_URL={url}"})


def django(folder: Path, database: dict[str, object]) -> Path:
    return write(
        folder,
        {
            name: text.format(database=database) if name.endswith("settings.py") else text
            for name, text in DJANGO.items()
        },
    )


@pytest.mark.parametrize("settings", SETTINGS)
def test_alembic_ends_in_the_scratch_database(settings: str, tmp_path: Path, real: str, database: str) -> None:
    app = alembic(tmp_path, real, settings)
    untouched = fingerprint(os.environ["REAL"]) if "REAL" in os.environ else None
    found = expectation.read(f"alembic:{app}")
    assert columns(found.snapshot, "orders") == ["id", "shipped"]
    assert columns(found.snapshot, "alembic_version") == ["version_num"]
