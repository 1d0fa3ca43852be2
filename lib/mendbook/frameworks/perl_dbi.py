"""Perl's DBI with the driver DBD::Pg, and DBIx::Class on it."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="perl-dbi",
    title="Perl DBI",
    home="https://metacpan.org/pod/DBD::Pg and dbdimp.c",
    marks=("DBD::Pg", "DBIx::Class", "DBI connect("),
    introductions=(r"DBD::Pg::\w+ \w+ failed: (?:ERROR|FATAL):  ",),
    statements=(r"\[for Statement \"(?P<sql>(?:.|\n){1,20000}?)\"(?: with ParamValues[^\n]*)?\]",),
)
