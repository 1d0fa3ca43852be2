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
        name = ".".join(each for each in (self.schema, self.name) if each)
        match self.kind:
            case "function":
                return f"function {name}({self.part})"
            case "setting":
                return f"setting {self.part} of {name or 'the database'}"
            case "grant":
                what, _, grantee = self.part.partition(" TO ")
                word, _, part = what.partition(" ") if not what.startswith("FOREIGN") else (what, "", "")
                return f"grant on {word.lower()} {name}{f'({part})' if part else ''} to {grantee}"
        return f"{self.kind} {'.'.join(each for each in (name, self.part) if each)}".strip()

    @property
    def owner(self) -> tuple[str, str]:
        """The (schema, name) of the relation, type or function that this object is or belongs to."""
        return self.schema, self.name


def qualified(schema: str, name: str) -> str:
    """The quoted, qualified name, as SQL."""
    return sql.Identifier(schema, name).as_string(None)
