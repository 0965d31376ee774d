"""What the daemon tells a monitoring system; README.md beside this has every metric."""
