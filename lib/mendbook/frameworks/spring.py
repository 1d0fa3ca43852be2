"""Spring Framework: JdbcTemplate, Spring Data, Spring Boot."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="spring",
    title="Spring",
    home="https://docs.spring.io/spring-framework/reference/data-access.html and org/springframework/jdbc",
    over=("hibernate", "hikari", "jdbc", "jooq", "mybatis", "r2dbc"),
    only=False,
    marks=(
        "org.springframework.",
        "BadSqlGrammarException",
        "DataIntegrityViolationException",
    ),
    statements=(
        r"bad SQL grammar \[(?P<sql>(?:.|\n){1,20000}?)\](?=;|\n|$)",
        r"Callback; SQL \[(?P<sql>(?:.|\n){1,20000}?)\];",
        r"Failed to execute SQL script statement #\d+ of [^\n]{1,300}?: (?P<sql>[^\n]+?)(?=; nested|\n|$)",
    ),
    frames=("org.springframework.",),
)
