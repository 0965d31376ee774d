"""`python -m gatewayd` and the `gatewayd` command."""

from gatewayd.cli.root import main

if __name__ == "__main__":
    main()
