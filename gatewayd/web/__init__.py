"""The station's page and its API: it shows the board, and asks the desk. It opens nothing."""
