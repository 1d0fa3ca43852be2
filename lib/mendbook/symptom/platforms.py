"""What belongs to a hosting platform and not to the application: its schemas, and the roles that own them.

From the platforms' documentation: Supabase ("Schemas", supabase.com/docs/guides/database/overview, and its postgres
image's migrations), Neon, Hasura, Amazon RDS ("rdsadmin"), Google Cloud SQL ("cloudsqladmin"), Azure ("azuresu"),
TimescaleDB.
"""

from __future__ import annotations

from mendbook.symptom.facts import Named

SCHEMAS = frozenset(
    {"auth", "storage", "realtime", "_realtime", "extensions", "graphql", "graphql_public", "vault", "pgsodium"}
    | {"pgsodium_masks", "supabase_functions", "supabase_migrations", "_supabase", "_analytics", "pgbouncer", "pgmq"}
    | {"net", "cron", "neon", "neon_auth", "hdb_catalog", "hdb_views", "google_vacuum_mgmt"}
    | {"_timescaledb_catalog", "_timescaledb_config", "_timescaledb_internal", "_timescaledb_cache"}
)
OWNERS = frozenset(
    {"supabase_admin", "supabase_auth_admin", "supabase_storage_admin", "supabase_realtime_admin"}
    | {"supabase_functions_admin", "supabase_replication_admin", "supabase_etl_admin", "dashboard_user", "pgbouncer"}
    | {"cloud_admin", "rdsadmin", "rdsrepladmin", "cloudsqladmin", "cloudsqlagent", "azuresu", "azure_pg_admin"}
)


def owns(item: Named) -> bool:
    """Whether *item* is a platform's: by its owner, or by its schema's name where no ordinary role owns it.

    An application may have a schema ``auth`` of its own: then a role of the application owns what is in it.
    """
    return item.owner in OWNERS or (item.schema in SCHEMAS and item.by_superuser)
