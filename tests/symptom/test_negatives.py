"""What is not PostgreSQL's: other databases, other services, errors of languages, prose."""

from __future__ import annotations

import pytest

from mendbook.symptom import triage

MYSQL = [
    "ER_BAD_FIELD_ERROR: Unknown column 'u.is_online' in 'field list'",
    "Error: ER_NO_SUCH_TABLE: Table 'lobby.bans' doesn't exist\n    at Query.Sequence._packetToError (/app/node_modules/mysql/lib/protocol/sequences/Sequence.js:47:14)",
    "ERROR 1054 (42S22): Unknown column 'plan' in 'field list'",
    "ERROR 1146 (42S02) at line 1: Table 'lobby.bans' doesn't exist",
    "ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)",
    "{ code: 'ER_ACCESS_DENIED_ERROR', errno: 1045, sqlState: '28000', sqlMessage: \"Access denied for user 'a'@'b'\" }",
    "pymysql.err.ProgrammingError: (1146, \"Table 'lobby.bans' doesn't exist\")",
    "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1054, \"Unknown column 'm.plan' in 'field list'\")\n[SQL: SELECT m.plan FROM members AS m]\n(Background on this error at: https://sqlalche.me/e/20/e3q8)",
    "SQLSTATE[42S22]: Column not found: 1054 Unknown column 'plan' in 'field list' (Connection: mysql, SQL: select `plan` from `members`)",
    "SQLSTATE[HY000] [2002] Connection refused",
    "SQLSTATE[22001]: String data, right truncated: 1406 Data too long for column 'name' at row 1",
    "SQLSTATE[23000]: Integrity constraint violation: 1048 Column 'email' cannot be null",
    "django.db.utils.OperationalError: (1054, \"Unknown column 'lobby_member.plan' in 'field list'\")",
    "SequelizeDatabaseError: Unknown column 'Session.deletedAt' in 'field list'",
    "QueryFailedError: ER_NO_SUCH_TABLE: Table 'lobby.bans' doesn't exist",
    "Deadlock found when trying to get lock; try restarting transaction",
    "Lock wait timeout exceeded; try restarting transaction",
    "Too many connections",
    "MySQL server has gone away",
    "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure",
    "java.sql.SQLSyntaxErrorException: Table 'lobby.bans' doesn't exist\n\tat com.mysql.cj.jdbc.exceptions.SQLError.createSQLException(SQLError.java:120)",
]
SQLITE = [
    "sqlite3.OperationalError: no such table: members",
    "sqlite3.OperationalError: table members has no column named plan",
    "SqliteError: no such column: plan\n    at Database.prepare (/app/node_modules/better-sqlite3/lib/methods/wrappers.js:5:21)",
    "SQLITE_ERROR: no such column: Session.deletedAt",
    "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such column: members.plan\n[SQL: SELECT members.plan FROM members]",
    "django.db.utils.OperationalError: no such column: lobby_member.plan",
    "ActiveRecord::StatementInvalid: SQLite3::SQLException: no such column: members.plan",
    "Error: UNIQUE constraint failed: members.email",
]
OTHER_DATABASES = [
    "Msg 207, Level 16, State 1, Line 1\nInvalid column name 'plan'.",
    "Microsoft.Data.SqlClient.SqlException (0x80131904): Invalid object name 'dbo.Bans'.",
    "SQLSTATE[42S02]: [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Invalid object name 'bans'.",
    "ORA-00904: \"M\".\"PLAN\": invalid identifier",
    "ORA-00942: table or view does not exist",
    "oracledb.exceptions.DatabaseError: ORA-12541: Cannot connect. No listener at host localhost port 1521.",
    "com.ibm.db2.jcc.am.SqlSyntaxErrorException: DB2 SQL Error: SQLCODE=-206, SQLSTATE=42703, SQLERRMC=PLAN, DRIVER=4.29.24",
    "org.h2.jdbc.JdbcSQLSyntaxErrorException: Column \"PLAN\" not found; SQL statement:\nselect plan from members [42122-214]",
    "org.h2.jdbc.JdbcSQLSyntaxErrorException: Table \"BANS\" not found; SQL statement:\nselect * from bans [42102-214]",
    "java.sql.SQLSyntaxErrorException: user lacks privilege or object not found: BANS in statement [select * from bans]",
    "MongoServerError: E11000 duplicate key error collection: lobby.members index: email_1 dup key: { email: \"a\" }",
    "MongoNetworkError: connect ECONNREFUSED 127.0.0.1:27017\n    at connectionFailureError (/app/node_modules/mongodb/lib/cmap/connect.js:367:20)",
    "MongooseError: Operation `members.find()` buffering timed out after 10000ms",
    "Error: connect ECONNREFUSED 127.0.0.1:6379\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1595:16)",
    "[ioredis] Unhandled error event: Error: connect ECONNREFUSED 127.0.0.1:6379",
    "redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Connection refused.",
    "ReplyError: NOAUTH Authentication required.",
    "redis.exceptions.ReadOnlyError: You can't write against a read only replica.",
    "duckdb.CatalogException: Catalog Error: Table with name bans does not exist!",
    "duckdb.BinderException: Binder Error: Referenced column \"plan\" not found in FROM clause!",
    "Code: 47. DB::Exception: Missing columns: 'plan' while processing query (UNKNOWN_IDENTIFIER) (version 23.8.1) ClickHouse",
    "snowflake.connector.errors.ProgrammingError: 000904 (42000): SQL compilation error: error line 1 at position 7\ninvalid identifier 'PLAN'",
    "InvalidRequest: Error from server: code=2200 [Invalid query] message=\"unconfigured table bans\"",
    "elasticsearch.NotFoundError: NotFoundError(404, 'index_not_found_exception', 'no such index [bans]', bans, index_or_alias)",
    "google.api_core.exceptions.BadRequest: 400 Unrecognized name: plan at [1:8]",
    "io.trino.spi.TrinoException: line 1:8: Column 'plan' cannot be resolved",
]
SERVICES = [
    "HTTP 404: the relation you asked for does not exist",
    "requests.exceptions.ConnectionError: HTTPConnectionPool(host='api', port=8080): Max retries exceeded with url: /rooms (Caused by NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))",
    "AxiosError: Request failed with status code 503",
    "Error: connect ECONNREFUSED 127.0.0.1:3000",
    "curl: (7) Failed to connect to localhost port 8080: Connection refused",
    "fatal: Authentication failed for 'https://example.org/lobby.git/'",
    "dial tcp 10.0.0.3:443: i/o timeout",
    "kafka.errors.NoBrokersAvailable: NoBrokersAvailable",
    "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
    "ERROR:  Could not find a valid gem 'lobby' (>= 0), here is why:",
    "ERROR:  While executing gem ... (Gem::FilePermissionError)",
    "ERROR:    Exception in ASGI application",
    "npm ERR! code ENOENT",
    "bash: psql: command not found",
    "EACCES: permission denied, open '/var/lib/lobby/members.csv'",
]
LANGUAGES = [
    "KeyError: 'plan'",
    "KeyError: \"['plan'] not in index\"",
    "KeyError: 'column \"plan\" does not exist'",
    "pandas.errors.UndefinedVariableError: name 'plan' is not defined",
    "AttributeError: 'NoneType' object has no attribute 'execute'",
    "TypeError: Cannot read properties of undefined (reading 'rows')",
    "ReferenceError: relation is not defined",
    "ZeroDivisionError: division by zero",
    "decimal.DivisionByZero: [<class 'decimal.DivisionByZero'>]",
    "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
    "java.lang.NullPointerException: Cannot invoke \"org.lobby.Member.plan()\" because \"m\" is null",
    "panic: runtime error: invalid memory address or nil pointer dereference\ngoroutine 1 [running]:\nmain.main()\n\t/srv/lobby/main.go:12 +0x1d",
    "fatal error: all goroutines are asleep - deadlock!",
    "PHP Warning:  Undefined array key \"plan\" in /var/www/lobby/src/Members.php on line 12",
    "NoMethodError: undefined method `plan' for nil",
    "Error in `[.data.frame`(d, \"plan\") : undefined columns selected",
    "System.NullReferenceException: Object reference not set to an instance of an object.",
    "polars.exceptions.ColumnNotFoundError: plan",
    "pyspark.errors.exceptions.captured.AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column or function parameter with name `plan` cannot be resolved.",
    "error TS2339: Property 'plan' does not exist on type 'Member'.",
    "error[E0425]: cannot find value `plan` in this scope",
]
PROSE = [
    "",
    "   \n\n",
    "All is well: 1240 requests, 0 errors.",
    "The column plan of the relation members does not exist in our design yet; we will add it next week.",
    "I think the table does not exist because nobody ran the migration, and the schema is old.",
    "In this chapter a relation is a set of tuples, and a column of a relation has a type.",
    "Please check whether column \"plan\" exists in the relation before you read it.",
    "There is a permission problem: kim cannot see the members table, so permission was denied for her.",
    "We lost the connection to the server room during the storm.",
    "TODO: the type does not exist, the function does not exist, nothing exists",
    "Meeting notes: deadlock detected in the discussion about indexes, ask again on Monday",
    "PostgreSQL 17 has better vacuum; no errors were seen.",
    "2024-05-05 10:11:12 INFO  lobby: SELECT plan FROM members took 12 ms",
    "2024-05-05 10:11:12.123 UTC [42] LOG:  checkpoint complete: wrote 12 buffers (0.1%)",
    "NOTICE:  relation \"members\" already exists, skipping",
    "zip code: 42703, house 12",
    "{\"code\": \"42703\", \"city\": \"Springfield\"}",
    "{\"level\":\"info\",\"msg\":\"started\",\"port\":5432}",
]


@pytest.mark.parametrize("text", [*MYSQL, *SQLITE, *OTHER_DATABASES, *SERVICES, *LANGUAGES, *PROSE])
def test_others_are_not_claimed(text: str) -> None:
    diagnosis = triage.diagnose(text)
    assert (diagnosis.is_postgres, diagnosis.kind) == (False, "not_postgres")


def test_a_redis_error_beside_one_of_postgres_does_not_hide_it() -> None:
    text = "\n".join([*OTHER_DATABASES, 'error: relation "bans" does not exist', *SERVICES])
    assert triage.diagnose(text).kind == "missing_table"


def test_what_is_not_postgres_says_nothing_else() -> None:
    answer = triage.diagnose("KeyError: 'plan'").to_json()
    assert answer.pop("is_postgres") is False
    assert answer.pop("kind") == "not_postgres"
    assert answer.pop("certainty") == {}
    assert answer.pop("evidence") == []
    assert set(answer.values()) == {None}
