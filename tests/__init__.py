"""The promises of gatewayd, kept against real parts made small; the folders mirror the code."""
