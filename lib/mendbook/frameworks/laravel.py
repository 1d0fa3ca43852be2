"""Laravel: Eloquent, the query builder and migrations."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="laravel",
    title="Laravel",
    home="https://laravel.com/docs and src/Illuminate/Database/QueryException.php of laravel/framework",
    over=("pdo", "doctrine"),
    only=False,
    marks=("Illuminate\\", "vendor/laravel/", "artisan", "(Connection: ", "production.ERROR", "local.ERROR"),
    wordings=(Wording(text="Database [{}] not configured.", kind="other", own=False),),
    statements=(
        r"\(Connection: [^\n]{1,300}?, SQL: (?P<sql>(?:.|\n){1,20000}?)\)(?=\s*(?:\n|$|\"| at | in |\{))",
        r" \(SQL: (?P<sql>(?:.|\n){1,20000}?)\)(?=\s*(?:\n|$|\"| at | in |\{))",
    ),
    qualifies_by="table",
)
