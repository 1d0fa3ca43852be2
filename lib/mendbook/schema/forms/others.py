"""Everything else: most of it has one statement that makes it and one that takes it away."""

from __future__ import annotations

from collections.abc import Callable

from psycopg import sql

from mendbook.schema import creation, definition, privileges
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context, comments, step, unplannable, whole
from mendbook.schema.key import qualified
from mendbook.schema.locks import Lock
from mendbook.schema.objects import (
    Collation,
    DefaultPrivilege,
    EventTrigger,
    Extension,
    Object,
    Publication,
    Schema,
    Server,
    Setting,
)
from mendbook.schema.relations import Policy, Rule, Statistics, Trigger
from mendbook.schema.step import Step
from mendbook.schema.text import text

# The lock that creating one takes on its table; dropping or changing one takes the strongest, save for statistics.
_LOCKS = {
    Trigger: Lock.SHARE_ROW_EXCLUSIVE,
    Policy: Lock.ACCESS_EXCLUSIVE,
    Rule: Lock.ACCESS_EXCLUSIVE,
    Statistics: Lock.SHARE_UPDATE_EXCLUSIVE,
}


def create(new: Object, context: Context) -> list[Step]:
    """Create it."""
    return [step(new, "Create", creation.create(new), definition.drop(new), locks=_lock(new, context))]


def drop(old: Object, context: Context) -> list[Step]:
    """Drop it."""
    lock = Lock.SHARE_UPDATE_EXCLUSIVE if isinstance(old, Statistics) else Lock.ACCESS_EXCLUSIVE
    locks = context.lock(old.key, lock) if type(old) in _LOCKS else {}
    return [step(old, "Drop", definition.drop(old), whole(old, context.live), locks=locks)]


def _lock(item: Object, context: Context) -> dict[str, Lock]:
    if isinstance(item, Publication):
        members = (each.split(" (")[0].removeprefix("TABLE ONLY ") for each in item.members)
        live = {_plain(qualified(each.schema, each.name)): each for each in context.live.tables()}
        return {
            qualified(live[each].schema, live[each].name): Lock.SHARE_UPDATE_EXCLUSIVE
            for each in map(_plain, members)
            if each in live
        }
    own = context.lock(item.key, _LOCKS[type(item)]) if type(item) in _LOCKS else {}
    return {**_written(item, context), **own} if isinstance(item, Rule) else own


def _written(item: Rule, context: Context) -> dict[str, Lock]:
    """The tables that the action of a rule names."""
    needs = {*context.live.needs.get(item.key, ()), *context.desired.needs.get(item.key, ())}
    tables = (qualified(*each.owner) for each in needs if each.kind in ("table", "view"))
    return dict.fromkeys(filter(context.exists, tables), Lock.ROW_EXCLUSIVE)


def _plain(name: str) -> str:
    return name.replace('"', "")


def recreates(item: Difference, context: Context) -> bool:
    """Whether it can only be dropped and made again."""
    fields = set(item.fields)
    match item.desired:
        case Trigger(definition=str(said)):
            return "definition" in fields and said.startswith("CREATE CONSTRAINT")
        case Policy():
            lost = any(
                getattr(item.live, each) is not None and getattr(item.desired, each) is None
                for each in ("using", "check")
            )
            return bool(fields & {"command", "permissive"}) or lost
        case Statistics():
            return "definition" in fields
        case EventTrigger():
            return bool(fields & {"event", "tags", "function"})
        case Publication():
            return "all_tables" in fields
        case Server():
            return bool(fields & {"type", "wrapper"})
    return False


def change(item: Difference, context: Context) -> list[Step]:
    """Change it in place."""
    live, new = item.both
    say = _CHANGES.get(type(new))
    if say is None:
        raise unplannable(item)
    forward = say(live, new)
    back = Difference(key=new.key, live=new, desired=live)
    undo = [*definition.drop(new), *creation.create(live)] if recreates(back, context) else say(new, live)
    lock = {**_lock(live, context), **_lock(new, context), **(context.lock(new.key) if _is_strong(new) else {})}
    made = [step(new, "Change", forward, undo, locks=lock)] if forward else []
    return [*made, *comments(item, context)]


def _is_strong(item: Object) -> bool:
    return isinstance(item, Policy | Rule) or (isinstance(item, Trigger) and item.enabled != "O")


def _policy(old: Policy, new: Policy) -> list[str]:
    parts = []
    if old.roles != new.roles:
        parts.append(text("TO {roles}", roles=privileges.roles(new.roles)))
    if old.using != new.using:
        parts.append(f"USING ({new.using})")
    if old.check != new.check:
        parts.append(f"WITH CHECK ({new.check})")
    table = sql.Identifier(new.schema, new.table)
    head = text("ALTER POLICY {name} ON {table} ", name=sql.Identifier(new.name), table=table)
    return [head + " ".join(parts)] if parts else []


def _fired(old: Trigger | Rule, new: Trigger | Rule) -> list[str]:
    replaced = new.definition.rstrip(";").replace("CREATE ", "CREATE OR REPLACE ", 1)
    made = [replaced] if old.definition != new.definition else []
    # A trigger that is replaced is enabled as if it were new.
    was = "O" if made and isinstance(old, Trigger) else old.enabled
    return [*made, creation.enable(new)] if was != new.enabled else made


def loosen(old: Object, context: Context) -> list[Step]:
    """Take the members out of a publication, for what they are is about to change."""
    assert isinstance(old, Publication)  # noqa: S101  by scope
    forward, undo = _publication(old, loosened(old)), _publication(loosened(old), old)
    return [step(old, "Empty", forward, undo, locks=_lock(old, context))]


def loosened(old: Publication) -> Publication:
    """What `loosen` leaves of a publication."""
    return old._replace(members=[])


def _extension(old: Extension, new: Extension) -> list[str]:
    head = text("ALTER EXTENSION {name} ", name=sql.Identifier(new.name))
    made = []
    if old.schema != new.schema:
        made.append(head + text("SET SCHEMA {s}", s=sql.Identifier(new.schema)))
    if old.version != new.version:
        made.append(head + text("UPDATE TO {v}", v=sql.Literal(new.version)))
    return made


def _server(old: Server, new: Server) -> list[str]:
    version = text("VERSION {v}", v=sql.Literal(new.version)) if old.version != new.version else ""
    said = " ".join(filter(None, [version, creation.change_options(old.options, new.options)]))
    return [text("ALTER SERVER {name} {said}", name=definition.name(new), said=said)] if said else []


_GENERATED = "publish_generated_columns"


def _publication(old: Publication, new: Publication) -> list[str]:
    head = text("ALTER PUBLICATION {name} SET ", name=sql.Identifier(new.name))
    generated = f", {_GENERATED} = none" if _GENERATED in old.options and _GENERATED not in new.options else ""
    made = [f"{head}({new.options}{generated})"] if old.options != new.options else []
    if old.members == new.members:
        return made
    if not new.members:
        plain = [each.split(" (")[0].split(" WHERE ")[0] for each in old.members]
        gone = creation.members(old._replace(members=plain)).replace("ONLY ", "")
        return [*made, text("ALTER PUBLICATION {name} DROP {gone}", name=sql.Identifier(new.name), gone=gone)]
    return [*made, head + creation.members(new)]


def _granted(old: DefaultPrivilege, new: DefaultPrivilege) -> list[str]:
    return privileges.change(new, old.privileges, new.privileges)


_CHANGES: dict[type, Callable[..., list[str]]] = {
    Schema: lambda _old, _new: [],
    Collation: lambda _old, _new: [],
    Extension: _extension,
    Policy: _policy,
    Trigger: _fired,
    Rule: _fired,
    EventTrigger: lambda _old, new: [creation.enable(new)] if _old.enabled != new.enabled else [],
    Statistics: lambda old, new: [creation.statistics_target(new)] if old.target != new.target else [],
    Publication: _publication,
    DefaultPrivilege: _granted,
    Setting: lambda _old, new: [privileges.setting(new)],
    Server: _server,
}
