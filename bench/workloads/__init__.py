"""One file per workload: `NEEDS_POSTGRES`, `COLUMNS` of its table, `run(context)`."""
