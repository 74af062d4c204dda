"""Where `morgue sources reload` asks a service to read its configuration again, and where it is answered.

Both stand in `service_state`. Several may ask at once; each with an id of its own, and one answer is for all of them.
"""

ASKED, ANSWERED = "reload", "reloaded"


def ids_in(value: object) -> list[str]:
    """Return the ids in what stands under `ASKED` or `ANSWERED`, the last one last; none in what makes no sense."""
    ids = value.get("ids") if isinstance(value, dict) else None
    return [one for one in ids if isinstance(one, str)] if isinstance(ids, list) else []
