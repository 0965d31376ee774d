"""The command line: one file a command group; arguments in, one call, one rendering out."""
