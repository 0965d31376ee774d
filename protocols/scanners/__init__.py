"""Scanner text framing."""
