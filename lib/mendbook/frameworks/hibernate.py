"""Hibernate ORM."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="hibernate",
    title="Hibernate ORM",
    home="https://docs.jboss.org/hibernate/orm/ and hibernate-core/src/main/java/org/hibernate/exception",
    over=("hikari", "jdbc"),
    only=False,
    marks=(
        "org.hibernate.",
        "o.h.engine.jdbc",
        "SqlExceptionHelper",
        "JDBC exception executing SQL",
        "HibernateException",
    ),
    wordings=(
        Wording(text="Schema-validation: missing table [{relation}]", kind="missing_table"),
        Wording(text="Schema-validation: missing column [{column}] in table [{relation}]", kind="missing_column"),
        Wording(text="Schema-validation: missing sequence [{relation}]", kind="missing_table"),
        Wording(
            text="Schema-validation: wrong column type encountered in column [{column}] in table [{relation}]; {}",
            kind="type_mismatch",
        ),
    ),
    statements=(
        r"JDBC exception executing SQL \[(?P<sql>(?:.|\n){1,20000}?)\](?= \[| ?\n|;|$)",
        r"could not (?:prepare|execute) \w+ \[[^\n]{1,1000}\] \[(?P<sql>(?:.|\n){1,20000}?)\](?=;|$|\s)",
        r"; SQL \[(?P<sql>(?!n/a)(?:.|\n){1,20000}?)\](?=;|\n|$)",
        r"Error executing DDL \"(?P<sql>(?:.|\n){1,20000}?)\" via JDBC",
        r"o\.h\.SQL\b[^\n]*?: (?P<sql>[^\n]+)",
    ),
    frames=("org.hibernate.",),
    qualifies_by="alias",
)
