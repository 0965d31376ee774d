"""The conformance kit: what a platform's own subscriber must end up with, tried over its broker."""
