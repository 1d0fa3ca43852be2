"""Which module knows the forms of a kind of object; all of them have create, change, drop and recreates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mendbook.schema.drift import Difference
from mendbook.schema.forms import (
    columns,
    constraints,
    customs,
    grants,
    indexes,
    others,
    sequences,
    tables,
    types,
    views,
)
from mendbook.schema.objects import Custom, Function, Grant, Object, Sequence, Type
from mendbook.schema.relations import Column, Constraint, Index, Table, View

_FORMS: Mapping[type, Any] = {
    Table: tables,
    Column: columns,
    Constraint: constraints,
    Index: indexes,
    View: views,
    Function: views,
    Type: types,
    Sequence: sequences,
    Grant: grants,
    Custom: customs,
}


def form_of(item: Difference | Object) -> Any:
    """The module that knows the forms of *item*."""
    return _FORMS.get(type((item.desired or item.live) if isinstance(item, Difference) else item), others)
