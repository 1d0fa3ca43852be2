"""Key: the name of an object of a schema, and how names are written in SQL."""

from __future__ import annotations

from typing import NamedTuple

from psycopg import sql


class Key(NamedTuple):
    """The name of an object, unique in a database."""

    kind: str  # table, column, constraint, …: the lower-case name of the object's class
    schema: str
    name: str  # for what belongs to a relation, the relation's name
    part: str = ""  # the column's, constraint's, index's, trigger's own name; a function's argument types

    def __str__(self) -> str:
        names = [name for name in (self.schema, self.name) if name]
        if self.kind == "function":
            return f"function {'.'.join(names)}({self.part})"
        if self.kind == "grant":
            return f"grant on {'.'.join(names)} {self.part}".replace(" TO ", " to ", 1)
        return f"{self.kind} {'.'.join([*names, self.part] if self.part else names)}".strip()

    @property
    def owner(self) -> tuple[str, str]:
        """The (schema, name) of the relation, type or function that this object is or belongs to."""
        return self.schema, self.name


def qualified(schema: str, name: str) -> str:
    """The quoted, qualified name, as SQL."""
    return sql.Identifier(schema, name).as_string(None)
