"""Run by the application's own Python: brings a Django project's migrations into the scratch database.

Usage: run_django.py SETTINGS
"""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from pathlib import Path

MISSING = 90


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = sys.argv[1]
    try:
        import django
        from django.conf import settings
        from django.core.management import call_command
    except ModuleNotFoundError:
        print(f"{sys.executable} has no django.")
        sys.exit(MISSING)
    sys.path[0] = str(Path.cwd())
    for alias, database in settings.DATABASES.items():
        engine = database.get("ENGINE", "")
        if "postg" not in engine:
            sys.exit(f"{sys.argv[1]} has {engine!r} as {alias!r}, and an expectation needs PostgreSQL.")
        settings.DATABASES[alias] = {
            "ENGINE": engine,
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            # What the session is to start with stays, such as a search_path.
            "OPTIONS": {name: value for name, value in database.get("OPTIONS", {}).items() if name == "options"},
        }
    django.setup()
    try:
        call_command("migrate", interactive=False)
    except Exception as error:
        _say_where(error)
        raise


def _say_where(error: BaseException) -> None:
    """Print the place of the migration that was running; what is generated or SQL has no frame of its own in it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        migration = frame.f_locals.get("migration")
        if frame.f_code.co_name == "apply_migration" and migration is not None:
            _, line = inspect.getsourcelines(type(migration))
            print(f'File "{inspect.getsourcefile(type(migration))}", line {line}')


if __name__ == "__main__":
    main()
