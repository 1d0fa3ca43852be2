"""The names of objects, as people read them."""

from __future__ import annotations

import pytest
from mendbook.schema.key import Key


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (Key("table", "shop", "orders"), "table shop.orders"),
        (Key("column", "shop", "orders", "total"), "column shop.orders.total"),
        (Key("function", "shop", "total", "integer, text"), "function shop.total(integer, text)"),
        (Key("schema", "", "shop"), "schema shop"),
        (Key("setting", "", "app", "search_path"), "setting search_path of app"),
        (Key("setting", "", "", "work_mem"), "setting work_mem of the database"),
        (Key("grant", "shop", "orders", "TABLE TO app"), "grant on table shop.orders to app"),
        (Key("grant", "shop", "orders", "COLUMN total TO PUBLIC"), "grant on column shop.orders(total) to PUBLIC"),
        (Key("grant", "shop", "f", "ROUTINE integer TO a TO b"), "grant on routine shop.f(integer) to a TO b"),
        (Key("grant", "", "shop", "SCHEMA TO app"), "grant on schema shop to app"),
    ],
)
def test_a_key_says_what_it_names(key: Key, said: str) -> None:
    assert str(key) == said
