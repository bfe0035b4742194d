"""One file per peer; a function per task takes a `Job` and returns its `Measure`."""
