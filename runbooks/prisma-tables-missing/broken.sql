-- A database on which the first migration was tried, failed, and was marked as rolled back: there is only the ledger.
CREATE TABLE _prisma_migrations (
    id varchar(36) PRIMARY KEY NOT NULL,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
);

INSERT INTO _prisma_migrations (id, checksum, migration_name, logs, rolled_back_at) VALUES (
    '7b0c1c9e-3f57-4d0e-9a55-5f2b8a6f1c11',
    '0f5fb1bb109af9ec946626a5d2ef8cc80b1a7dad43c58f8c461b03cbf70f07cc',
    '20251014091500_init',
    'A migration failed to apply. Connection terminated unexpectedly.',
    now()
);
