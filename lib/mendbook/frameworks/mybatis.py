"""MyBatis, the SQL mapper for Java."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="mybatis",
    title="MyBatis",
    home="https://mybatis.org/mybatis-3/ and org/apache/ibatis/executor/ErrorContext.java",
    over=("hikari", "jdbc"),
    only=False,
    marks=("org.apache.ibatis.", "org.mybatis.", "### Error querying database.", "### Error updating database."),
    statements=(r"### SQL: (?P<sql>(?:.|\n){1,20000}?)\n### Cause:",),
    frames=("org.apache.ibatis.", "org.mybatis."),
)
