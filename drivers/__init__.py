"""Device input and output: one device family a file; nothing here judges or stores."""
