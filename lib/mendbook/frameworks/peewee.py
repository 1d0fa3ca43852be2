"""Peewee, the small ORM for Python."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="peewee",
    title="Peewee",
    home="https://docs.peewee-orm.com and peewee.py, playhouse/pool.py of coleifer/peewee",
    over=("psycopg2", "psycopg3"),
    only=False,
    marks=("peewee.", "site-packages/peewee.py", "site-packages/playhouse/"),
    wordings=(
        Wording(text="Exceeded maximum connections.", kind="pool_exhausted"),
        Wording(text="Max connections exceeded, timed out attempting to connect.", kind="pool_exhausted"),
        Wording(text="Error, database connection not opened.", kind="pool_closed"),
    ),
    qualifies_by="alias",
)
