"""How numbers are put into words."""


def counted(count: int, what: str, many: str | None = None) -> str:
    """Return a number with what it counts: `1 page`, `1,200 pages`. `many` is the plural where an s makes none."""
    return f"{count:,} {what if count == 1 else many or f'{what}s'}"
