"""A backfill: a column's value in the rows that were there before it, written in batches."""

from __future__ import annotations

from psycopg import sql

from mendbook.schema.key import qualified
from mendbook.schema.locks import Lock
from mendbook.schema.relations import Column
from mendbook.schema.step import Step, Transaction
from mendbook.schema.text import text

_BLOCKS = 64  # blocks of the table in the first transaction
_BLOCKS_MOST = 8_192
_MS = 100  # the time for which each transaction is meant to hold its rows


def step(new: Column, table: str) -> Step:
    """Fill the rows that were there before, some blocks in each transaction: nobody waits for long.

    The setting mendbook.slice, where there is one, ends it after that time; mendbook.filled then says how far it came,
    and the same statement goes on from there while the rows are still in the same file.
    """
    body = text(
        """
DECLARE
  file text := pg_relation_filenode({table}::regclass);
  filled text := coalesce(current_setting('mendbook.filled', true), '');
  slice interval := nullif(current_setting('mendbook.slice', true), '');
  block bigint := CASE split_part(filled, '/', 1) WHEN file THEN split_part(filled, '/', 2)::bigint ELSE 0 END;
  batch bigint := {batch};
  began timestamptz := clock_timestamp();
  asked timestamptz;
BEGIN
  WHILE block <= pg_relation_size({table}::regclass) / current_setting('block_size')::bigint LOOP
    asked := clock_timestamp();
    UPDATE ONLY {relation} SET {name} = DEFAULT
    WHERE {name} IS NULL AND ctid >= format('(%s,0)', block)::tid AND ctid < format('(%s,0)', block + batch)::tid;
    COMMIT;
    block := block + batch;
    IF clock_timestamp() - asked < interval {short} THEN
      batch := least(batch * 2, {most});
    ELSIF clock_timestamp() - asked > interval {long} THEN
      batch := greatest(batch / 2, 1);
    END IF;
    IF clock_timestamp() > began + slice THEN
      PERFORM set_config('mendbook.filled', file || '/' || block, false);
      RETURN;
    END IF;
  END LOOP;
  PERFORM set_config('mendbook.filled', '', false);
END
""",
        table=sql.Literal(table),
        relation=table,
        name=sql.Identifier(new.name),
        batch=str(_BLOCKS),
        most=str(_BLOCKS_MOST),
        short=sql.Literal(f"{_MS // 2} ms"),
        long=sql.Literal(f"{_MS * 2} ms"),
    )
    return Step(
        title=f"Fill {new.key} in batches" if table == qualified(new.schema, new.table) else f"Fill {table} in batches",
        forward=(text("DO {body}", body=sql.Literal(body)),),
        undo=(),
        locks={table: Lock.ROW_EXCLUSIVE},
        transaction=Transaction.NONE,
        batched=True,
    )
