"""What people may ask of the running daemon: by page, by command, by card. Durable first, recorded."""
