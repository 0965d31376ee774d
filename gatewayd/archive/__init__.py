"""The archive file: a CSV by the template of contract §9 to cylinders, every cell checked."""
