-- What the checks of a proof ask a live database: one named query for each kind of fact, all read-only.
-- %(names)s are the exact names that matter; %(length)s is the length of the name that is sought, underscores aside,
-- for names that may be near it. System schemas are left out, since what is in them is never what an application means;
-- functions and types of an exact name are the exception.

-- name: settings
-- pg_wal_* functions for standbys raise on a primary, hence the CASE.
SELECT current_setting('search_path') AS path,
       (SELECT s.reset_val FROM pg_settings s WHERE s.name = 'search_path') AS reset_path,
       current_user::text AS role, session_user::text AS login,
       pg_is_in_recovery() AS standby,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS replay_paused,
       CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint END AS behind,
       current_setting('default_transaction_read_only')::bool AS read_only,
       (SELECT s.source FROM pg_settings s WHERE s.name = 'default_transaction_read_only') AS read_only_source;

-- name: configured
-- ALTER ROLE and ALTER DATABASE settings that are in force for this login, the weightiest first (manual, ALTER ROLE, Notes).
SELECT split_part(c.setting, '=', 1) AS name, substr(c.setting, strpos(c.setting, '=') + 1) AS value,
       s.setrole <> 0 AS of_role, s.setdatabase <> 0 AS of_database
FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS c (setting)
WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
  AND s.setrole IN (0, (SELECT r.oid FROM pg_roles r WHERE r.rolname = session_user))
  AND c.setting ~ '^(search_path|default_transaction_read_only)='
ORDER BY s.setrole <> 0 AND s.setdatabase <> 0 DESC, s.setrole <> 0 DESC, s.setdatabase <> 0 DESC;

-- name: relations
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence'
                      WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'table' END AS kind,
       n.nspname AS schema, c.relname AS name, '' AS detail, r.rolname AS owner, r.rolsuper AS by_superuser,
       pg_table_is_visible(c.oid) AS visible, has_schema_privilege(n.oid, 'USAGE') AS usable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
WHERE (c.relname = ANY (%(names)s::text[]) AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'i', 'I')
       OR abs(length(translate(c.relname, '_- ', '')) - %(length)s) <= 2 AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S'))
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';

-- name: columns
SELECT n.nspname AS schema, c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       a.attnotnull AS not_null, CASE WHEN a.atthasdef THEN pg_get_expr(f.adbin, f.adrelid) END AS default,
       a.attidentity <> '' OR a.attgenerated <> '' AS generated
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
WHERE c.relname = ANY (%(names)s::text[]) AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY a.attrelid, a.attnum;

-- name: functions
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind, n.nspname AS schema, p.proname AS name,
       oidvectortypes(p.proargtypes) AS detail, r.rolname AS owner, r.rolsuper AS by_superuser,
       pg_function_is_visible(p.oid) AS visible, has_schema_privilege(n.oid, 'USAGE') AS usable
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
WHERE p.proname = ANY (%(names)s::text[])
   OR n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND abs(length(translate(p.proname, '_- ', '')) - %(length)s) <= 2;

-- name: types
-- The row types of tables and the types of arrays go with what they belong to.
SELECT 'type' AS kind, n.nspname AS schema, t.typname AS name, '' AS detail, r.rolname AS owner, r.rolsuper AS by_superuser,
       pg_type_is_visible(t.oid) AS visible, has_schema_privilege(n.oid, 'USAGE') AS usable
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_roles r ON r.oid = t.typowner
WHERE (t.typname = ANY (%(names)s::text[])
       OR n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND abs(length(translate(t.typname, '_- ', '')) - %(length)s) <= 2)
  AND t.typcategory <> 'A'
  AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'));

-- name: labels
SELECT n.nspname AS schema, t.typname AS name, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) AS labels
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typname = ANY (%(names)s::text[])
GROUP BY n.nspname, t.typname;

-- name: schemas
SELECT 'schema' AS kind, '' AS schema, n.nspname AS name, '' AS detail, r.rolname AS owner, r.rolsuper AS by_superuser,
       true AS visible, has_schema_privilege(n.oid, 'USAGE') AS usable
FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';

-- name: databases
SELECT 'database' AS kind, '' AS schema, d.datname AS name, '' AS detail, r.rolname AS owner, r.rolsuper AS by_superuser,
       true AS visible, has_database_privilege(d.oid, 'CONNECT') AND d.datallowconn AS usable
FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
WHERE NOT d.datistemplate
ORDER BY d.datname;

-- name: constraints
SELECT n.nspname AS schema, c.relname AS table, k.conname AS name, pg_get_constraintdef(k.oid) AS definition
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (k.conname = ANY (%(names)s::text[]) OR c.relname = ANY (%(names)s::text[]))
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';

-- name: indexes
SELECT n.nspname AS schema, c.relname AS table, x.relname AS name, pg_get_indexdef(i.indexrelid) AS definition,
       i.indisvalid AS valid, i.indpred IS NULL AND i.indexprs IS NULL AS whole,
       (SELECT array_agg(a.attname::text) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisunique AND c.relname = ANY (%(names)s::text[]) AND n.nspname !~ '^pg_';

-- name: keywords
-- R: reserved; T: reserved, but can be a function or a type (manual, appendix C).
SELECT word AS name FROM pg_get_keywords() WHERE catcode IN ('R', 'T') AND word = ANY (%(names)s::text[]);

-- name: extensions
SELECT e.name, e.installed_version IS NOT NULL AS installed FROM pg_available_extensions e WHERE e.name = ANY (%(names)s::text[]);

-- name: ledgers
SELECT n.nspname AS schema, c.relname AS name, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
       (SELECT array_agg(a.attname::text) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relname = ANY (%(ledgers)s::text[]) AND n.nspname !~ '^pg_';

-- name: privileges
-- Where a privilege on a whole table is not granted, it may be on some of its columns.
SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind, n.nspname AS schema, c.relname AS name, r.rolname AS owner,
       pg_has_role(c.relowner, 'USAGE') AS owned, c.relrowsecurity AS row_security, p.privilege,
       CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, p.privilege) ELSE has_table_privilege(c.oid, p.privilege) END AS granted,
       CASE WHEN c.relkind <> 'S' AND p.privilege <> 'DELETE' AND NOT has_table_privilege(c.oid, p.privilege)
            THEN (SELECT array_agg(a.attname::text) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND has_column_privilege(c.oid, a.attnum, p.privilege)) END AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
CROSS JOIN unnest(CASE c.relkind WHEN 'S' THEN ARRAY['USAGE', 'SELECT', 'UPDATE'] ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'] END)
           AS p (privilege)
WHERE c.relname = ANY (%(names)s::text[]) AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'schema', '', n.nspname, r.rolname, pg_has_role(n.nspowner, 'USAGE'), false, p.privilege, has_schema_privilege(n.oid, p.privilege), NULL
FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner CROSS JOIN unnest(ARRAY['USAGE', 'CREATE']) AS p (privilege)
WHERE n.nspname = ANY (%(names)s::text[])
UNION ALL
SELECT 'function', n.nspname, format('%%s(%%s)', p.proname, oidvectortypes(p.proargtypes)), r.rolname, pg_has_role(p.proowner, 'USAGE'), false,
       'EXECUTE', has_function_privilege(p.oid, 'EXECUTE'), NULL
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
WHERE p.proname = ANY (%(names)s::text[])
UNION ALL
SELECT 'type', n.nspname, t.typname, r.rolname, pg_has_role(t.typowner, 'USAGE'), false, 'USAGE', has_type_privilege(t.oid, 'USAGE'), NULL
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_roles r ON r.oid = t.typowner
WHERE t.typname = ANY (%(names)s::text[]) AND t.typrelid = 0
UNION ALL
SELECT 'database', '', d.datname, r.rolname, pg_has_role(d.datdba, 'USAGE'), false, p.privilege, has_database_privilege(d.oid, p.privilege), NULL
FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba CROSS JOIN unnest(ARRAY['CONNECT', 'CREATE', 'TEMPORARY']) AS p (privilege)
WHERE d.datname = ANY (%(names)s::text[]);

-- name: roles
SELECT r.rolname AS name, r.rolcanlogin AS can_login, r.rolvaliduntil < now() AS expired, r.rolconnlimit AS limit
FROM pg_roles r WHERE r.rolname = ANY (%(names)s::text[]);

-- name: server
-- Other roles' sessions show no more than that they are there, unless one may read them (pg_read_all_stats).
SELECT current_setting('max_connections')::int AS maximum,
       current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
       d.datconnlimit AS database_limit, r.rolconnlimit AS role_limit,
       extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS up,
       pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all
FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = session_user;

-- name: sessions
SELECT coalesce(a.datname, '') AS database, coalesce(a.usename, '') AS role, coalesce(a.application_name, '') AS application,
       coalesce(a.state, '') AS state, count(*) AS count,
       max(extract(epoch FROM clock_timestamp() - a.state_change))::float8 AS longest
FROM pg_stat_activity a
WHERE a.datid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend' AND a.pid <> pg_backend_pid()
GROUP BY 1, 2, 3, 4
ORDER BY count(*) DESC, 2, 3, 4;

-- name: blockers
-- pg_blocking_pids() is 0 for a prepared transaction.
SELECT b.pid, coalesce(a.usename, '') AS role, coalesce(a.application_name, '') AS application, coalesce(a.state, '') AS state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS open, array_agg(DISTINCT w.pid) AS blocks
FROM (SELECT DISTINCT l.pid FROM pg_locks l WHERE NOT l.granted) w
CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b (pid)
LEFT JOIN pg_stat_activity a ON a.pid = b.pid
GROUP BY 1, 2, 3, 4, 5;

-- name: holders
-- Predicate locks (SIReadLock) block nobody.
SELECT coalesce(l.pid, 0) AS pid, coalesce(a.usename, '') AS role, coalesce(a.application_name, '') AS application, coalesce(a.state, '') AS state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS open, n.nspname AS schema, c.relname AS table, l.mode
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.locktype = 'relation' AND l.mode <> 'SIReadLock' AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
  AND c.relname = ANY (%(names)s::text[]) AND l.pid IS DISTINCT FROM pg_backend_pid();
