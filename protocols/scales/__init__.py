"""What serial scales and filling scales say; one module or package a protocol."""
