"""Mendbook: incident runbooks for PostgreSQL as Jupyter notebooks."""

__version__ = "0.1.0"
