"""Flow meters: what went through a pipe, for a second look at what was recorded."""
