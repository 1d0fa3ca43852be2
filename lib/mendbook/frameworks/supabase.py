"""PostgREST and Supabase, whose clients hand its answers on."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="supabase",
    title="Supabase / PostgREST",
    home="https://docs.postgrest.org/en/stable/references/errors.html",
    marks=(
        "PostgrestError",
        "PostgrestException",
        "postgrest-js",
        "supabase-js",
        "/rest/v1/",
        "PGRST",
        "APIError: {",
    ),
    shapes=(
        r"\bcode['\"]?: ?['\"][0-9A-Z]{5}['\"],\s*['\"]?details['\"]?:",
        r"\bsupabase(?:_\w+|-\w+)?\b",
    ),
    wordings=(
        Wording(text="Could not find the '{column}' column of '{table}' in the schema cache", kind="missing_column"),
        Wording(text="Could not find the table '{relation}' in the schema cache", kind="missing_table"),
        Wording(text="Could not find the function {routine} in the schema cache", kind="missing_function"),
        Wording(
            text="Could not find the function {routine} with parameter{} in the schema cache", kind="missing_function"
        ),
        Wording(
            text="Could not find the function {routine} without parameters in the schema cache",
            kind="missing_function",
        ),
        Wording(
            text="Searched for the function {routine} with parameter{} in the schema cache…", kind="missing_function"
        ),
        Wording(
            text="Could not find a relationship between '{table}' and '{}' in the schema cache",
            kind="missing_constraint",
        ),
        Wording(text="The schema must be one of the following: {}", kind="missing_schema"),
        Wording(text="Invalid schema: {schema}", kind="missing_schema", own=False),
        Wording(text="Could not query the database for the schema cache. Retrying.", kind="connection_refused"),
        Wording(text="Database connection error. Retrying the connection.", kind="connection_refused"),
        Wording(text="Timed out acquiring connection from connection pool.", kind="pool_exhausted"),
        Wording(text="Max client connections reached", kind="pool_exhausted"),
        Wording(text="MaxClientsInSessionMode: {}", kind="pool_exhausted"),
        Wording(text="Tenant or user not found", kind="authentication", own=False),
    ),
    codes={
        "PGRST000": "connection_refused",
        "PGRST001": "connection_lost",
        "PGRST002": "connection_refused",
        "PGRST003": "pool_exhausted",
        "PGRST106": "missing_schema",
        "PGRST116": "other",
        "PGRST200": "missing_constraint",
        "PGRST201": "other",
        "PGRST202": "missing_function",
        "PGRST203": "other",
        "PGRST204": "missing_column",
        "PGRST205": "missing_table",
        "PGRST300": "authentication",
        "PGRST301": "authentication",
        "PGRST302": "authentication",
    },
    qualifies_by="table",
)
