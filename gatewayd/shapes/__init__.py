"""What leaves this gateway, shape by shape: the one source of its JSON Schemas and of AsyncAPI."""
