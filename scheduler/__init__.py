"""When things happen, and the composition of the whole."""
