-- What a Snapshot reads: one named query for each class of object, in PostgreSQL's own definitions.
-- Every query leaves out system schemas, other sessions' temporary objects, and what belongs to an extension.
-- They run with an empty search_path, so that names inside definitions are qualified. Only columns are sorted.
-- The first column of each class is the object's oid, by which pg_depend names it; of columns, relation and number are
-- the first two, of customs and others, oid and catalog. A query "since N" is for servers of that major version and newer.

-- name: schemas
SELECT n.oid, n.nspname, d.description
FROM pg_namespace n
LEFT JOIN pg_description d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = n.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e');

-- name: extensions
SELECT e.oid, e.extname, n.nspname, e.extversion, d.description
FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_extension'::regclass AND d.objoid = e.oid
WHERE e.extname <> 'plpgsql';

-- name: collations
-- The columns of pg_collation differ from version to version, hence JSON.
SELECT c.oid, n.nspname, c.collname,
       concat_ws(', ',
         'PROVIDER = ' || CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
         CASE WHEN c.collprovider = 'c' AND c.collcollate = c.collctype THEN format('LOCALE = %L', c.collcollate)
              WHEN c.collprovider = 'c' THEN format('LC_COLLATE = %L, LC_CTYPE = %L', c.collcollate, c.collctype)
              ELSE format('LOCALE = %L', coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate)) END,
         CASE WHEN NOT c.collisdeterministic THEN 'DETERMINISTIC = false' END,
         'RULES = ' || quote_literal(to_jsonb(c) ->> 'collicurules')),
       d.description
FROM pg_collation c
JOIN pg_namespace n ON n.oid = c.collnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_collation'::regclass AND d.objoid = c.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_collation'::regclass AND e.objid = c.oid AND e.deptype = 'e');

-- name: types
SELECT t.oid, n.nspname, t.typname, t.typtype::text,
       coalesce((SELECT array_agg(l.enumlabel::text ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = t.oid), '{}'),
       CASE t.typtype
         WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
              || CASE WHEN t.typcollation <> b.typcollation THEN ' COLLATE ' || t.typcollation::regcollation ELSE '' END
         WHEN 'r' THEN (SELECT concat_ws(', ', 'SUBTYPE = ' || format_type(r.rngsubtype, NULL),
                   CASE WHEN NOT o.opcdefault THEN format('SUBTYPE_OPCLASS = %I.%I', opn.nspname, o.opcname) END,
                   CASE WHEN r.rngcollation <> st.typcollation THEN 'COLLATION = ' || r.rngcollation::regcollation END,
                   'CANONICAL = ' || nullif(r.rngcanonical::text, '-'), 'SUBTYPE_DIFF = ' || nullif(r.rngsubdiff::text, '-'),
                   'MULTIRANGE_TYPE_NAME = ' || format_type(r.rngmultitypid, NULL))
              FROM pg_range r JOIN pg_opclass o ON o.oid = r.rngsubopc JOIN pg_namespace opn ON opn.oid = o.opcnamespace
              JOIN pg_type st ON st.oid = r.rngsubtype WHERE r.rngtypid = t.oid)
       END,
       CASE WHEN t.typtype = 'c' THEN coalesce(
         (SELECT array_agg(ARRAY[a.attname::text, format_type(a.atttypid, a.atttypmod)
                 || CASE WHEN a.attcollation <> at.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END]
                 ORDER BY a.attnum)
          FROM pg_attribute a JOIN pg_type at ON at.oid = a.atttypid
          WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '{}') ELSE '{}' END,
       CASE WHEN t.typtype = 'd' THEN coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault) END,
       t.typnotnull,
       CASE WHEN t.typtype = 'd' THEN coalesce(
         (SELECT array_agg(ARRAY[k.conname::text, pg_get_constraintdef(k.oid)] ORDER BY k.conname)
          FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '{}') ELSE '{}' END,
       coalesce((SELECT array_agg(ARRAY[p.name, p.description] ORDER BY p.name) FROM (
         SELECT k.conname::text AS name, pd.description FROM pg_constraint k
         JOIN pg_description pd ON pd.classoid = 'pg_constraint'::regclass AND pd.objoid = k.oid WHERE k.contypid = t.oid
         UNION ALL
         SELECT a.attname::text, pd.description FROM pg_attribute a
         JOIN pg_description pd ON pd.classoid = 'pg_class'::regclass AND pd.objoid = a.attrelid AND pd.objsubid = a.attnum
         WHERE a.attrelid = t.typrelid AND a.attnum > 0) p), '{}'),
       d.description
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_description d ON d.classoid = 'pg_type'::regclass AND d.objoid = t.oid
WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e');

-- name: sequences
SELECT c.oid, n.nspname, c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
       s.seqcycle, c.relpersistence::text, o.nspname, oc.relname, a.attname, d.description
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend w ON w.classid = 'pg_class'::regclass AND w.objid = c.oid AND w.objsubid = 0
                     AND w.refclassid = 'pg_class'::regclass AND w.refobjsubid > 0 AND w.deptype IN ('a', 'i')
LEFT JOIN pg_class oc ON oc.oid = w.refobjid
LEFT JOIN pg_namespace o ON o.oid = oc.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = w.refobjid AND a.attnum = w.refobjsubid
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'
  AND w.deptype IS DISTINCT FROM 'i'  -- an identity column carries its own sequence
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e');

-- name: servers
SELECT s.oid, s.srvname, s.srvtype, s.srvversion, w.fdwname,
       coalesce((SELECT array_agg(ARRAY[o.option_name, o.option_value] ORDER BY o.option_name) FROM pg_options_to_table(s.srvoptions) o), '{}'),
       d.description
FROM pg_foreign_server s
JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
LEFT JOIN pg_description d ON d.classoid = 'pg_foreign_server'::regclass AND d.objoid = s.oid
WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_foreign_server'::regclass AND e.objid = s.oid AND e.deptype = 'e');

-- name: tables
SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.relpersistence::text,
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END,
       coalesce((SELECT array_agg(format('"%s"."%s"', replace(pn.nspname, '"', '""'), replace(p.relname, '"', '""')) ORDER BY i.inhseqno)
                 FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
                 WHERE i.inhrelid = c.oid), '{}'),
       coalesce(c.reloptions, '{}') || coalesce((SELECT array_agg('toast.' || o) FROM unnest(tc.reloptions) o), '{}'),
       c.relrowsecurity, c.relforcerowsecurity,
       CASE CASE WHEN c.relkind = 'f' THEN 'd' ELSE c.relreplident END WHEN 'd' THEN 'default' WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full'
         ELSE 'index ' || coalesce((SELECT ic.relname FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
                                    WHERE i.indrelid = c.oid AND i.indisreplident), '') END,
       (SELECT ic.relname FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisclustered),
       coalesce(m.amname, ''),
       CASE WHEN c.relkind = 'f' THEN (
         SELECT s.srvname FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid) END,
       CASE WHEN c.relkind = 'f' THEN coalesce((
         SELECT array_agg(ARRAY[o.option_name, o.option_value] ORDER BY o.option_name)
         FROM pg_foreign_table f, pg_options_to_table(f.ftoptions) o WHERE f.ftrelid = c.oid), '{}') ELSE '{}' END,
       CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END, d.description
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid
LEFT JOIN pg_am m ON m.oid = c.relam
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e');

-- name: columns
-- The sequence of an identity column is named after table and column, and counts from 1 in steps of 1, unless stated.
-- Since PostgreSQL 18, NOT NULL is a constraint: it has the usual name and is inherited, unless stated. What a column that
-- is inherited has of its own is stated; but a partition is printed with all that it has.
SELECT c.oid, a.attnum, n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       CASE WHEN a.attinhcount > 0 AND NOT c.relispartition AND NOT r.conislocal THEN NULL
            WHEN r.oid IS NOT NULL AND (r.conname <> c.relname || '_' || a.attname || '_not_null' OR r.connoinherit OR NOT r.convalidated
                 OR (a.attinhcount > 0 AND NOT c.relispartition))
            THEN format('CONSTRAINT "%s" NOT NULL', replace(r.conname, '"', '""')) || CASE WHEN r.connoinherit THEN ' NO INHERIT' ELSE '' END
                 || CASE WHEN r.convalidated THEN '' ELSE ' NOT VALID' END END,
       CASE WHEN a.atthasdef THEN pg_get_expr(f.adbin, f.adrelid) END,
       a.attidentity::text, a.attgenerated::text,
       CASE WHEN a.attcollation <> t.typcollation THEN (SELECT format('%I.%I', ln.nspname, l.collname)
            FROM pg_collation l JOIN pg_namespace ln ON ln.oid = l.collnamespace WHERE l.oid = a.attcollation) END,
       a.attislocal,
       CASE WHEN a.attidentity <> '' THEN (
         SELECT nullif(concat_ws(' ',
           CASE WHEN sc.relname <> c.relname || '_' || a.attname || '_seq' OR sc.relnamespace <> c.relnamespace
                THEN format('SEQUENCE NAME %I.%I', sn.nspname, sc.relname) END,
           CASE WHEN s.seqincrement <> 1 THEN 'INCREMENT BY ' || s.seqincrement END,
           CASE WHEN s.seqmin <> CASE WHEN s.seqincrement > 0 THEN 1 ELSE lo END THEN 'MINVALUE ' || s.seqmin END,
           CASE WHEN s.seqmax <> CASE WHEN s.seqincrement > 0 THEN hi ELSE -1 END THEN 'MAXVALUE ' || s.seqmax END,
           CASE WHEN s.seqstart <> CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END THEN 'START WITH ' || s.seqstart END,
           CASE WHEN s.seqcache <> 1 THEN 'CACHE ' || s.seqcache END,
           CASE WHEN s.seqcycle THEN 'CYCLE' END), '')
         FROM pg_depend w JOIN pg_sequence s ON s.seqrelid = w.objid JOIN pg_class sc ON sc.oid = s.seqrelid
         JOIN pg_namespace sn ON sn.oid = sc.relnamespace,
         LATERAL (SELECT CASE s.seqtypid WHEN 'int2'::regtype THEN -32768 WHEN 'int4'::regtype THEN -2147483648
                         ELSE -9223372036854775808 END AS lo,
                         CASE s.seqtypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                         ELSE 9223372036854775807 END AS hi) range
         WHERE w.classid = 'pg_class'::regclass AND w.objsubid = 0 AND w.refclassid = 'pg_class'::regclass
           AND w.refobjid = c.oid AND w.refobjsubid = a.attnum AND w.deptype = 'i') END,
       CASE WHEN a.attstorage <> t.typstorage
            THEN CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END END,
       CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
       nullif(a.attstattarget::int, -1),
       coalesce(a.attoptions, '{}'),
       CASE WHEN c.relkind = 'f' THEN coalesce((SELECT array_agg(ARRAY[o.option_name, o.option_value] ORDER BY o.option_name)
            FROM pg_options_to_table(a.attfdwoptions) o), '{}') ELSE '{}' END, d.description
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef f ON a.atthasdef AND f.adrelid = c.oid AND f.adnum = a.attnum
LEFT JOIN pg_constraint r ON a.attnotnull AND r.conrelid = c.oid AND r.contype = 'n' AND r.conkey[1] = a.attnum
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = a.attnum
WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY a.attrelid, a.attnum;

-- name: constraints
-- NOT NULL is the column's; PostgreSQL 18 lists it here as well (contype n). Triggers of kind t are read as triggers.
SELECT k.oid, n.nspname, c.relname, k.conname, k.contype::text,
       CASE WHEN ic.reloptions IS NULL OR k.contype = 'f' THEN pg_get_constraintdef(k.oid)
            ELSE regexp_replace(pg_get_constraintdef(k.oid), '( WHERE \(.*\))?( DEFERRABLE)?( INITIALLY DEFERRED)?$',
                                format(' WITH (%s)\1\2\3', array_to_string(ic.reloptions, ', '))) END, k.convalidated,
       CASE WHEN k.confrelid <> 0 THEN (SELECT format('"%s"."%s"', replace(fn.nspname, '"', '""'), replace(f.relname, '"', '""'))
            FROM pg_class f JOIN pg_namespace fn ON fn.oid = f.relnamespace WHERE f.oid = k.confrelid) END,
       k.conislocal,
       CASE WHEN k.contype <> 'f' AND ic.relispartition THEN (SELECT format('"%s"."%s"', replace(pn.nspname, '"', '""'), replace(p.relname, '"', '""'))
            FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
            WHERE h.inhrelid = ic.oid) END,
       d.description
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class ic ON ic.oid = k.conindid
LEFT JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid
WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND (k.conparentid = 0 OR k.contype <> 'f') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e');

-- name: indexes
-- An index that backs a constraint is the constraint's.
SELECT ic.oid, n.nspname, c.relname, ic.relname, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisunique,
       CASE WHEN ic.relispartition THEN (SELECT format('"%s"."%s"', replace(pn.nspname, '"', '""'), replace(p.relname, '"', '""'))
            FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
            WHERE h.inhrelid = ic.oid) END,
       coalesce((SELECT array_agg(ARRAY[a.attnum, a.attstattarget] ORDER BY a.attnum) FROM pg_attribute a
                 WHERE i.indexprs IS NOT NULL AND a.attrelid = ic.oid AND a.attstattarget >= 0), '{}'),
       d.description
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_class ic ON ic.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = ic.oid AND d.objsubid = 0
WHERE c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = i.indexrelid AND e.deptype = 'i'
                  AND e.refclassid = 'pg_constraint'::regclass)
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e');

-- name: views
SELECT c.oid, n.nspname, c.relname, c.relkind::text, pg_get_viewdef(c.oid), coalesce(c.reloptions, '{}'),
       coalesce(a.names, '{}'), coalesce(a.types, '{}'), coalesce(a.defaults, '{}'), coalesce(a.comments, '{}'),
       CASE WHEN c.relkind = 'm' THEN m.amname ELSE '' END, CASE WHEN c.relkind = 'm' THEN coalesce((
         SELECT array_agg(ARRAY[s.attname, o.option, o.value] ORDER BY s.attnum, o.option)
         FROM pg_attribute s JOIN pg_type t ON t.oid = s.atttypid, LATERAL (VALUES
           ('STORAGE', CASE WHEN s.attstorage <> t.typstorage THEN CASE s.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
                         WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END END),
           ('STATISTICS', nullif(s.attstattarget::int, -1)::text),
           ('COMPRESSION', CASE s.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END)) o (option, value)
         WHERE s.attrelid = c.oid AND s.attnum > 0 AND NOT s.attisdropped AND o.value IS NOT NULL), '{}') ELSE '{}' END,
       (SELECT ic.relname FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisclustered),
       d.description
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am m ON m.oid = c.relam
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
LEFT JOIN LATERAL (
  SELECT array_agg(a.attname::text ORDER BY a.attnum) AS names,
         array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types,
         array_agg(ARRAY[a.attname::text, pg_get_expr(f.adbin, f.adrelid)] ORDER BY a.attnum) FILTER (WHERE a.atthasdef) AS defaults,
         array_agg(ARRAY[a.attname::text, ad.description] ORDER BY a.attnum) FILTER (WHERE ad.description IS NOT NULL) AS comments
  FROM pg_attribute a
  LEFT JOIN pg_description ad ON ad.classoid = 'pg_class'::regclass AND ad.objoid = c.oid AND ad.objsubid = a.attnum
  LEFT JOIN pg_attrdef f ON a.atthasdef AND f.adrelid = a.attrelid AND f.adnum = a.attnum
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) a ON true
WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e');

-- name: functions
SELECT p.oid, n.nspname, p.proname, oidvectortypes(p.proargtypes), p.prokind::text, pg_get_function_identity_arguments(p.oid),
       pg_get_function_result(p.oid), p.pronargdefaults,
       CASE WHEN p.prokind = 'a' THEN (
         SELECT format('CREATE AGGREGATE %I.%I(%s) (%s)', n.nspname, p.proname,
           coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*'),
           concat_ws(', ', 'SFUNC = ' || a.aggtransfn, 'STYPE = ' || format_type(a.aggtranstype, NULL),
             'SSPACE = ' || nullif(a.aggtransspace, 0), 'FINALFUNC = ' || nullif(a.aggfinalfn::text, '-'),
             CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
             CASE WHEN a.aggfinalmodify <> CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END THEN 'FINALFUNC_MODIFY = '
               || CASE a.aggfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END,
             'COMBINEFUNC = ' || nullif(a.aggcombinefn::text, '-'), 'SERIALFUNC = ' || nullif(a.aggserialfn::text, '-'),
             'DESERIALFUNC = ' || nullif(a.aggdeserialfn::text, '-'), 'INITCOND = ' || quote_literal(a.agginitval),
             'MSFUNC = ' || nullif(a.aggmtransfn::text, '-'), 'MINVFUNC = ' || nullif(a.aggminvtransfn::text, '-'),
             CASE WHEN a.aggmtranstype <> 0 THEN 'MSTYPE = ' || format_type(a.aggmtranstype, NULL) END,
             'MSSPACE = ' || nullif(a.aggmtransspace, 0), 'MFINALFUNC = ' || nullif(a.aggmfinalfn::text, '-'),
             CASE WHEN a.aggmfinalextra THEN 'MFINALFUNC_EXTRA' END, 'MINITCOND = ' || quote_literal(a.aggminitval),
             (SELECT format('SORTOP = OPERATOR(%I.%s)', opn.nspname, o.oprname) FROM pg_operator o
              JOIN pg_namespace opn ON opn.oid = o.oprnamespace WHERE o.oid = a.aggsortop),
             CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE' WHEN 'r' THEN 'PARALLEL = RESTRICTED' END,
             CASE WHEN a.aggkind = 'h' THEN 'HYPOTHETICAL' END))
         FROM pg_aggregate a WHERE a.aggfnoid = p.oid)
       ELSE pg_get_functiondef(p.oid) END,
       d.description
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_proc'::regclass AND d.objoid = p.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype IN ('e', 'i'));

-- name: triggers
SELECT t.oid, n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, d.description
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = t.oid
WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e');

-- name: rules
SELECT r.oid, n.nspname, c.relname, r.rulename, pg_get_ruledef(r.oid), r.ev_enabled::text, d.description
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_rewrite'::regclass AND d.objoid = r.oid
WHERE r.rulename <> '_RETURN' AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e');

-- name: policies
SELECT p.oid, n.nspname, c.relname, p.polname,
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
       p.polpermissive,
       coalesce((SELECT array_agg(r.rolname::text ORDER BY r.rolname) FROM pg_roles r WHERE r.oid = ANY (p.polroles)), '{}'),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), d.description
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_policy'::regclass AND d.objoid = p.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e');

-- name: statistics
SELECT s.oid, n.nspname, c.relname, sn.nspname, s.stxname, pg_get_statisticsobjdef(s.oid), nullif(s.stxstattarget::int, -1), d.description
FROM pg_statistic_ext s
JOIN pg_class c ON c.oid = s.stxrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_namespace sn ON sn.oid = s.stxnamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_statistic_ext'::regclass AND d.objoid = s.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't';

-- name: event_triggers
SELECT t.oid, t.evtname, t.evtevent, coalesce(t.evttags, '{}'), format('%I.%I', n.nspname, p.proname), t.evtenabled::text, d.description
FROM pg_event_trigger t
JOIN pg_proc p ON p.oid = t.evtfoid
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_description d ON d.classoid = 'pg_event_trigger'::regclass AND d.objoid = t.oid
WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_event_trigger'::regclass AND e.objid = t.oid AND e.deptype = 'e');

-- name: publications
SELECT p.oid, p.pubname, p.puballtables,
       format('publish = %L, publish_via_partition_root = %s',
         concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
           CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END), p.pubviaroot::text),
       coalesce((SELECT array_agg(format('TABLE ONLY %I.%I', n.nspname, c.relname) ORDER BY n.nspname, c.relname)
         FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE r.prpubid = p.oid), '{}'),
       d.description
FROM pg_publication p
LEFT JOIN pg_description d ON d.classoid = 'pg_publication'::regclass AND d.objoid = p.oid;

-- name: publications since 15
SELECT p.oid, p.pubname, p.puballtables,
       format('publish = %L, publish_via_partition_root = %s',
         concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
           CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END), p.pubviaroot::text)
         || CASE to_jsonb(p) ->> 'pubgencols' WHEN 's' THEN ', publish_generated_columns = stored' ELSE '' END,
       coalesce((SELECT array_agg(format('TABLE ONLY %I.%I', n.nspname, c.relname)
           || coalesce((SELECT format(' (%s)', string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum))
                        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (r.prattrs) HAVING count(*) > 0), '')
           || coalesce(' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')', '') ORDER BY n.nspname, c.relname)
         FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE r.prpubid = p.oid), '{}')
       || coalesce((SELECT array_agg(format('TABLES IN SCHEMA %I', n.nspname) ORDER BY n.nspname)
         FROM pg_publication_namespace r JOIN pg_namespace n ON n.oid = r.pnnspid WHERE r.pnpubid = p.oid), '{}'),
       d.description
FROM pg_publication p
LEFT JOIN pg_description d ON d.classoid = 'pg_publication'::regclass AND d.objoid = p.oid;

-- name: grants
-- Only what is not usual: an object without an access list of its own has that of acldefault(). In the lists' order.
SELECT NULL::oid, o.object, o.schema, o.name, o.part, coalesce(r.rolname, ''), coalesce(e.given, '{}'), coalesce(e.usual, '{}')
FROM (
  SELECT CASE WHEN c.relkind = 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS object, n.nspname AS schema, c.relname AS name,
         ''::text AS part, c.relacl AS acl, acldefault(CASE WHEN c.relkind = 'S' THEN 's' ELSE 'r' END::"char", c.relowner) AS usual
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relacl IS NOT NULL AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
  UNION ALL
  SELECT 'COLUMN', n.nspname, c.relname, a.attname, a.attacl, NULL
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
  UNION ALL
  SELECT 'ROUTINE', n.nspname, p.proname, oidvectortypes(p.proargtypes),
         p.proacl, acldefault('f', p.proowner)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.proacl IS NOT NULL AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
  UNION ALL
  SELECT CASE WHEN t.typtype = 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, t.typname, '', t.typacl, acldefault('T', t.typowner)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typacl IS NOT NULL AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
  UNION ALL
  SELECT 'FOREIGN SERVER', '', s.srvname, '', s.srvacl, acldefault('S', s.srvowner)
  FROM pg_foreign_server s
  WHERE s.srvacl IS NOT NULL
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_foreign_server'::regclass AND e.objid = s.oid AND e.deptype = 'e')
  UNION ALL
  SELECT 'FOREIGN DATA WRAPPER', '', w.fdwname, '', w.fdwacl, acldefault('F', w.fdwowner)
  FROM pg_foreign_data_wrapper w
  WHERE w.fdwacl IS NOT NULL
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_foreign_data_wrapper'::regclass AND e.objid = w.oid AND e.deptype = 'e')
  UNION ALL
  SELECT 'LANGUAGE', '', l.lanname, '', l.lanacl, acldefault('l', l.lanowner)
  FROM pg_language l
  WHERE l.lanacl IS NOT NULL
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_language'::regclass AND e.objid = l.oid AND e.deptype = 'e')
  UNION ALL
  -- What initdb gave to everybody on public is no more than the usual either, whoever made it again.
  SELECT 'SCHEMA', '', n.nspname, '', coalesce(n.nspacl, acldefault('n', n.nspowner)),
         acldefault('n', n.nspowner) || CASE WHEN n.nspname = 'public' THEN coalesce(
           (SELECT i.initprivs FROM pg_init_privs i WHERE i.classoid = 'pg_namespace'::regclass AND i.objoid = n.oid AND i.privtype = 'i'),
           ARRAY[makeaclitem(0, n.nspowner, 'USAGE', false)]) END
  FROM pg_namespace n
  WHERE (n.nspacl IS NOT NULL OR n.nspname = 'public') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e')
) o
CROSS JOIN LATERAL (
  SELECT x.grantee, array_agg(DISTINCT x.privilege ORDER BY x.privilege) FILTER (WHERE x.given) AS given,
         array_agg(DISTINCT x.privilege ORDER BY x.privilege) FILTER (WHERE NOT x.given) AS usual,
         min(x.place) FILTER (WHERE x.given) AS place
  FROM (SELECT grantee, privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END AS privilege, true AS given, ordinality AS place
        FROM aclexplode(o.acl) WITH ORDINALITY
        UNION ALL
        SELECT grantee, privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, false, 0 FROM aclexplode(o.usual)) x
  GROUP BY x.grantee
) e
LEFT JOIN pg_roles r ON r.oid = e.grantee
WHERE e.given IS DISTINCT FROM e.usual
ORDER BY e.place;

-- name: default_privileges
SELECT NULL::oid, o.rolname, coalesce(n.nspname, ''),
       CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
         WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
       coalesce(r.rolname, ''), coalesce(e.given, '{}'), coalesce(e.usual, '{}')
FROM pg_default_acl a
JOIN pg_roles o ON o.oid = a.defaclrole
LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace
CROSS JOIN LATERAL (
  SELECT x.grantee, array_agg(DISTINCT x.privilege ORDER BY x.privilege) FILTER (WHERE x.given) AS given,
         array_agg(DISTINCT x.privilege ORDER BY x.privilege) FILTER (WHERE NOT x.given) AS usual
  FROM (SELECT grantee, privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END AS privilege, true AS given FROM aclexplode(a.defaclacl)
        UNION ALL
        SELECT grantee, privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, false
        FROM aclexplode(CASE WHEN a.defaclnamespace = 0
             THEN acldefault(CASE a.defaclobjtype WHEN 'S' THEN 's' ELSE a.defaclobjtype END, a.defaclrole) END)) x
  GROUP BY x.grantee
) e
LEFT JOIN pg_roles r ON r.oid = e.grantee
WHERE e.given IS DISTINCT FROM e.usual;

-- name: settings
SELECT NULL::oid, coalesce(r.rolname, ''), split_part(v, '=', 1), substr(v, strpos(v, '=') + 1)
FROM pg_db_role_setting s
LEFT JOIN pg_roles r ON r.oid = s.setrole
CROSS JOIN LATERAL unnest(s.setconfig) v
WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database());

-- name: customs
-- What extends SQL itself. Sixteen thousand three hundred and eighty-four is the first oid that users get. The name that
-- DROP takes is that of pg_identify_object(). An operator or function that an operator family has apart from its classes
-- is the family's.
SELECT x.oid, x.class::text, i.type, coalesce(i.schema, ''),
       CASE WHEN x.class IN ('pg_language'::regclass, 'pg_foreign_data_wrapper'::regclass)
            THEN (pg_identify_object_as_address(x.class, x.oid, 0)).object_names[1]
            WHEN i.schema IS NULL THEN i.identity ELSE substr(i.identity, length(quote_ident(i.schema)) + 2) END, i.identity,
       CASE WHEN x.class = 'pg_cast'::regclass THEN 'CREATE CAST ' || i.identity || x.definition
            WHEN x.class = 'pg_opfamily'::regclass THEN 'CREATE OPERATOR FAMILY ' || i.identity ELSE x.definition END,
       coalesce(x.parts, '{}'), d.description
FROM (
  SELECT 'pg_cast'::regclass AS class, c.oid,
         CASE c.castmethod WHEN 'f' THEN ' WITH FUNCTION ' || c.castfunc::regprocedure WHEN 'i' THEN ' WITH INOUT'
           ELSE ' WITHOUT FUNCTION' END
         || CASE c.castcontext WHEN 'i' THEN ' AS IMPLICIT' WHEN 'a' THEN ' AS ASSIGNMENT' ELSE '' END AS definition,
         NULL::text[] AS parts
  FROM pg_cast c
  UNION ALL
  SELECT 'pg_operator'::regclass, o.oid, format('CREATE OPERATOR %I.%s (%s)', n.nspname, o.oprname,
           concat_ws(', ', 'FUNCTION = ' || o.oprcode, 'LEFTARG = ' || format_type(nullif(o.oprleft, 0), NULL),
             'RIGHTARG = ' || format_type(nullif(o.oprright, 0), NULL),
             (SELECT format('COMMUTATOR = OPERATOR(%I.%s)', m.nspname, c.oprname) FROM pg_operator c
              JOIN pg_namespace m ON m.oid = c.oprnamespace WHERE c.oid = o.oprcom),
             (SELECT format('NEGATOR = OPERATOR(%I.%s)', m.nspname, c.oprname) FROM pg_operator c
              JOIN pg_namespace m ON m.oid = c.oprnamespace WHERE c.oid = o.oprnegate),
             'RESTRICT = ' || nullif(o.oprrest::text, '-'), 'JOIN = ' || nullif(o.oprjoin::text, '-'),
             CASE WHEN o.oprcanhash THEN 'HASHES' END, CASE WHEN o.oprcanmerge THEN 'MERGES' END)), NULL
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oprcode <> 0
  UNION ALL
  SELECT 'pg_opfamily'::regclass, f.oid, NULL, (SELECT array_agg(ARRAY[m.name, m.name || m.said] ORDER BY m.name) FROM (
           SELECT format('OPERATOR %s (%s, %s)', p.amopstrategy, format_type(p.amoplefttype, NULL), format_type(p.amoprighttype, NULL)),
                  format(' %s', p.amopopr::regoper) || coalesce((SELECT format(' FOR ORDER BY %I.%I', n.nspname, s.opfname)
                    FROM pg_opfamily s JOIN pg_namespace n ON n.oid = s.opfnamespace WHERE s.oid = p.amopsortfamily), '')
           FROM pg_depend e JOIN pg_amop p ON p.oid = e.objid
           WHERE e.classid = 'pg_amop'::regclass AND e.refclassid = 'pg_opfamily'::regclass AND e.refobjid = f.oid
           UNION ALL
           SELECT format('FUNCTION %s (%s, %s)', p.amprocnum, format_type(p.amproclefttype, NULL), format_type(p.amprocrighttype, NULL)),
                  format(' %s', p.amproc::regprocedure)
           FROM pg_depend e JOIN pg_amproc p ON p.oid = e.objid
           WHERE e.classid = 'pg_amproc'::regclass AND e.refclassid = 'pg_opfamily'::regclass AND e.refobjid = f.oid) m (name, said))
  FROM pg_opfamily f
  UNION ALL
  SELECT 'pg_opclass'::regclass, c.oid, format('CREATE OPERATOR CLASS %I.%I %sFOR TYPE %s USING %I FAMILY %I.%I AS %s', n.nspname,
           c.opcname, CASE WHEN c.opcdefault THEN 'DEFAULT ' ELSE '' END, format_type(c.opcintype, NULL), a.amname, fn.nspname, f.opfname,
           concat_ws(', ', 'STORAGE ' || format_type(coalesce(nullif(c.opckeytype, 0), c.opcintype), NULL),
             (SELECT string_agg(format('OPERATOR %s %s', p.amopstrategy, p.amopopr::regoperator)
                || coalesce((SELECT format(' FOR ORDER BY %I.%I', sn.nspname, s.opfname) FROM pg_opfamily s
                             JOIN pg_namespace sn ON sn.oid = s.opfnamespace WHERE s.oid = p.amopsortfamily), ''), ', ' ORDER BY p.amopstrategy, p.oid)
              FROM pg_depend e JOIN pg_amop p ON p.oid = e.objid
              WHERE e.classid = 'pg_amop'::regclass AND e.refclassid = 'pg_opclass'::regclass AND e.refobjid = c.oid),
             (SELECT string_agg(format('FUNCTION %s (%s, %s) %s', p.amprocnum, format_type(p.amproclefttype, NULL),
                format_type(p.amprocrighttype, NULL), p.amproc::regprocedure), ', ' ORDER BY p.amprocnum, p.oid)
              FROM pg_depend e JOIN pg_amproc p ON p.oid = e.objid
              WHERE e.classid = 'pg_amproc'::regclass AND e.refclassid = 'pg_opclass'::regclass AND e.refobjid = c.oid))), NULL
  FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace JOIN pg_am a ON a.oid = c.opcmethod
  JOIN pg_opfamily f ON f.oid = c.opcfamily JOIN pg_namespace fn ON fn.oid = f.opfnamespace
  UNION ALL
  SELECT 'pg_conversion'::regclass, c.oid, format('CREATE %sCONVERSION %I.%I FOR %L TO %L FROM %s', CASE WHEN c.condefault THEN 'DEFAULT ' ELSE '' END,
           n.nspname, c.conname, pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding), c.conproc), NULL
  FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace
  UNION ALL
  SELECT 'pg_ts_parser'::regclass, p.oid, format('CREATE TEXT SEARCH PARSER %I.%I (%s)', n.nspname, p.prsname,
           concat_ws(', ', 'START = ' || p.prsstart, 'GETTOKEN = ' || p.prstoken, 'END = ' || p.prsend, 'LEXTYPES = ' || p.prslextype,
             'HEADLINE = ' || nullif(p.prsheadline::text, '-'))), NULL
  FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace
  UNION ALL
  SELECT 'pg_ts_template'::regclass, t.oid, format('CREATE TEXT SEARCH TEMPLATE %I.%I (%s)', n.nspname, t.tmplname,
           concat_ws(', ', 'INIT = ' || nullif(t.tmplinit::text, '-'), 'LEXIZE = ' || t.tmpllexize)), NULL
  FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace
  UNION ALL
  SELECT 'pg_ts_dict'::regclass, t.oid, format('CREATE TEXT SEARCH DICTIONARY %I.%I (TEMPLATE = %I.%I)', n.nspname, t.dictname, mn.nspname, m.tmplname),
         (SELECT array_agg(o) FROM regexp_matches(t.dictinitoption, $$("(?:[^"]|"")+"|\w+) = (E?'(?:[^']|'')*')$$, 'g') o)
  FROM pg_ts_dict t JOIN pg_namespace n ON n.oid = t.dictnamespace
  JOIN pg_ts_template m ON m.oid = t.dicttemplate JOIN pg_namespace mn ON mn.oid = m.tmplnamespace
  UNION ALL
  SELECT 'pg_ts_config'::regclass, c.oid, format('CREATE TEXT SEARCH CONFIGURATION %I.%I (PARSER = %I.%I)', n.nspname, c.cfgname, pn.nspname, p.prsname),
         (SELECT array_agg(ARRAY[m.alias, m.dictionaries] ORDER BY m.alias) FROM (
            SELECT k.alias, string_agg(format('%I.%I', tn.nspname, t.dictname), ', ' ORDER BY m.mapseqno) AS dictionaries
            FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) k ON k.tokid = m.maptokentype
            JOIN pg_ts_dict t ON t.oid = m.mapdict JOIN pg_namespace tn ON tn.oid = t.dictnamespace
            WHERE m.mapcfg = c.oid GROUP BY k.alias) m)
  FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace
  JOIN pg_ts_parser p ON p.oid = c.cfgparser JOIN pg_namespace pn ON pn.oid = p.prsnamespace
  UNION ALL
  SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, format('CREATE FOREIGN DATA WRAPPER %I %s %s', w.fdwname,
           coalesce('HANDLER ' || nullif(w.fdwhandler, 0)::regproc, 'NO HANDLER'),
           coalesce('VALIDATOR ' || nullif(w.fdwvalidator, 0)::regproc, 'NO VALIDATOR')),
         (SELECT array_agg(ARRAY[o.option_name, o.option_value] ORDER BY o.option_name) FROM pg_options_to_table(w.fdwoptions) o)
  FROM pg_foreign_data_wrapper w
  UNION ALL
  SELECT 'pg_language'::regclass, l.oid, concat_ws(' ', format('CREATE %sLANGUAGE %I', CASE WHEN l.lanpltrusted THEN 'TRUSTED ' ELSE '' END, l.lanname),
           'HANDLER ' || l.lanplcallfoid::regproc, 'INLINE ' || nullif(l.laninline, 0)::regproc, 'VALIDATOR ' || nullif(l.lanvalidator, 0)::regproc), NULL
  FROM pg_language l WHERE l.lanispl
  UNION ALL
  SELECT 'pg_transform'::regclass, t.oid, format('CREATE TRANSFORM FOR %s LANGUAGE %I (%s)', format_type(t.trftype, NULL), l.lanname,
           concat_ws(', ', 'FROM SQL WITH FUNCTION ' || nullif(t.trffromsql, 0)::regprocedure,
             'TO SQL WITH FUNCTION ' || nullif(t.trftosql, 0)::regprocedure)), NULL
  FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang
  UNION ALL
  SELECT 'pg_am'::regclass, a.oid, format('CREATE ACCESS METHOD %I TYPE %s HANDLER %s', a.amname,
           CASE a.amtype WHEN 't' THEN 'TABLE' ELSE 'INDEX' END, a.amhandler), NULL
  FROM pg_am a
) x
CROSS JOIN LATERAL pg_identify_object(x.class, x.oid, 0) i
LEFT JOIN pg_description d ON d.classoid = x.class AND d.objoid = x.oid
WHERE x.oid >= 16384 AND coalesce(i.schema, '') !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = x.class AND e.objid = x.oid AND e.deptype IN ('e', 'i'));

-- name: others
-- Kinds whose definitions are not read.
SELECT x.oid, x.class::text, i.type, i.identity
FROM (
  SELECT 'pg_user_mapping'::regclass AS class, umid AS oid FROM pg_user_mappings
  UNION ALL SELECT 'pg_subscription'::regclass, oid FROM pg_subscription
            WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typtype IN ('b', 'p') AND typelem = 0
) x
CROSS JOIN LATERAL pg_identify_object(x.class, x.oid, 0) i
WHERE x.oid >= 16384 AND coalesce(i.schema, '') !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = x.class AND e.objid = x.oid AND e.deptype IN ('e', 'i'));

-- name: dependencies
-- What needs what, by the oids of pg_depend. A view's query and a column's default are the view's and the column's
-- own, an attribute is the composite type's; what a sequence is owned by, it does not need.
-- A foreign key needs the constraint behind the unique index that it names; what the index of an exclusion constraint
-- needs, the constraint does. What is a member of an operator class or family, that needs.
SELECT CASE WHEN r.oid IS NOT NULL THEN 'pg_class' WHEN f.oid IS NOT NULL THEN 'pg_class' WHEN x.oid IS NOT NULL THEN 'pg_constraint'
            WHEN k.contypid <> 0 OR w.oid IS NOT NULL THEN 'pg_type' WHEN p.oid IS NOT NULL THEN 'pg_publication'
            ELSE d.classid::regclass::text END,
       coalesce(CASE WHEN r.oid IS NOT NULL THEN r.ev_class END, f.adrelid, nullif(k.contypid, 0), w.reltype, p.prpubid, x.oid, d.objid),
       CASE WHEN f.oid IS NOT NULL THEN f.adnum WHEN w.oid IS NOT NULL THEN 0 ELSE d.objsubid END,
       CASE WHEN i.oid IS NOT NULL THEN 'pg_constraint' ELSE d.refclassid::regclass::text END, coalesce(i.oid, d.refobjid), d.refobjsubid
FROM pg_depend d
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
LEFT JOIN pg_constraint i ON k.contype = 'f' AND i.conindid = d.refobjid AND i.contype IN ('p', 'u')
                         AND d.refclassid = 'pg_class'::regclass
LEFT JOIN pg_constraint x ON d.classid = 'pg_class'::regclass AND x.conindid = d.objid AND x.contype = 'x'
LEFT JOIN pg_class w ON d.classid = 'pg_class'::regclass AND w.oid = d.objid AND w.relkind = 'c'
LEFT JOIN pg_publication_rel p ON d.classid = 'pg_publication_rel'::regclass AND p.oid = d.objid
LEFT JOIN pg_sequence s ON d.classid = 'pg_class'::regclass AND s.seqrelid = d.objid
WHERE d.refobjid >= 16384 AND d.objid >= 16384 AND d.deptype IN ('n', 'a', 'P')
  AND d.refclassid <> 'pg_namespace'::regclass
  AND d.classid NOT IN ('pg_amop'::regclass, 'pg_amproc'::regclass)
  AND NOT (d.deptype = 'a' AND d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_attrdef'::regclass)
  AND NOT (d.deptype = 'a' AND d.classid = 'pg_class'::regclass AND s.seqrelid IS NOT NULL)
UNION ALL
SELECT o.refclassid::regclass::text, o.refobjid, 0, d.refclassid::regclass::text, d.refobjid, 0
FROM pg_depend d
JOIN pg_depend o ON o.classid = d.classid AND o.objid = d.objid AND o.refclassid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass)
WHERE d.classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass) AND d.refobjid >= 16384 AND d.refobjid <> o.refobjid;

-- name: aliases
-- The type of a table's rows, and the types of arrays, are the table's and the element's; a multirange is the range's.
SELECT t.oid, CASE WHEN coalesce(e.typrelid, t.typrelid) <> 0 AND c.relkind <> 'c' THEN 'pg_class' ELSE 'pg_type' END,
       CASE WHEN coalesce(e.typrelid, t.typrelid) <> 0 AND c.relkind <> 'c' THEN c.oid ELSE coalesce(r.rngtypid, e.oid, t.oid) END
FROM pg_type t
LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
LEFT JOIN pg_range r ON r.rngmultitypid = coalesce(e.oid, t.oid)
LEFT JOIN pg_class c ON c.oid = coalesce(nullif(e.typrelid, 0), t.typrelid)
WHERE t.oid = ANY (%s);

-- name: volatile
SELECT DISTINCT proname FROM pg_proc WHERE provolatile = 'v';
