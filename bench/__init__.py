"""Rowmill and its peers, measured side by side: `python -m bench NAME` (see README.md)."""
