"""How the crawler finds pages: bytes of an index in, links out. Pure."""
