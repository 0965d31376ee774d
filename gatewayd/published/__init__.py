"""What an upstream team builds against: JSON Schemas and an AsyncAPI document, made from the code."""
