"""Functions and types that an extension brings: where one is missing, the extension is.

From the manual's appendix F and the documentation of PostGIS and pgvector. Names that extensions of PostgreSQL's own
distribution and the two others install, as far as applications call them and
name nothing of their own so.
"""

from __future__ import annotations

from collections.abc import Mapping

_BROUGHT: Mapping[str, str] = {
    "uuid-ossp": "uuid_generate_v1 uuid_generate_v1mc uuid_generate_v3 uuid_generate_v4 uuid_generate_v5 uuid_nil",
    "pgcrypto": "crypt gen_salt digest hmac gen_random_bytes pgp_sym_encrypt pgp_sym_decrypt pgp_pub_encrypt",
    "pg_trgm": "similarity word_similarity strict_word_similarity show_trgm",
    "unaccent": "unaccent",
    "fuzzystrmatch": "levenshtein levenshtein_less_equal soundex metaphone dmetaphone daitch_mokotoff",
    "hstore": "hstore hstore_to_json hstore_to_jsonb akeys avals skeys svals",
    "citext": "citext",
    "ltree": "ltree lquery ltxtquery subpath subltree nlevel text2ltree ltree2text",
    "cube": "cube cube_distance",
    "earthdistance": "earth_distance earth_box ll_to_earth",
    "intarray": "intset query_int",
    "tablefunc": "crosstab crosstab2 crosstab3 crosstab4 normal_rand connectby",
    "dblink": "dblink dblink_connect dblink_disconnect dblink_exec",
    "xml2": "xpath_table xslt_process",
    "pg_stat_statements": "pg_stat_statements_reset",
    "pgstattuple": "pgstattuple pgstatindex",
    "pg_prewarm": "pg_prewarm",
    "vector": "vector halfvec sparsevec cosine_distance l2_distance inner_product",
    "postgis": "geometry geography box2d box3d st_point st_makepoint st_setsrid st_transform st_distance st_dwithin "
    "st_contains st_within st_intersects st_area st_length st_buffer st_centroid st_astext st_asgeojson "
    "st_geomfromtext st_geomfromgeojson st_geogfromtext st_x st_y",
}
_BY_NAME = {name: extension for extension, names in _BROUGHT.items() for name in names.split()}


def bringing(name: str | None) -> str | None:
    """The extension that brings the function or type *name*, if it is one of those known here."""
    return _BY_NAME.get(name or "")
