"""Running notebooks, and the jobs made of such runs."""

import sys

# With jupyterlab installed, importing jsonschema compiles a grammar for a second, only to check the format "iri"
# (python-jsonschema/jsonschema#1428). Notebooks have none.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
