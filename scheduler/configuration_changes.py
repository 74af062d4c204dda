"""Which changes of the configuration come into force while the service runs, and which need a restart. Pure."""

from scheduler.settings import Settings

IN_FORCE_AT_ONCE = {
    "crawl": frozenset({"refetches_per_article"}),
    "archive": frozenset({"max_file_seconds"}),
}
"""Keys that are only asked for when something is planned or looked after, by their sections."""
NEEDS_RESTART_OF_SERVICE = frozenset({"http"})


def needs_restart(running: Settings, wanted: Settings) -> list[str]:
    """Return the keys whose new values the running service cannot take up, as `[section] key`."""
    keys = []
    for section in ("database", "archive", "crawl"):
        old, new = getattr(running, section), getattr(wanted, section)
        fixed = [key for key in type(old).model_fields if key not in IN_FORCE_AT_ONCE.get(section, ())]
        keys += [f"[{section}] {key}" for key in fixed if getattr(old, key) != getattr(new, key)]
    for key in sorted(NEEDS_RESTART_OF_SERVICE & type(running.service).model_fields.keys()):
        if getattr(running.service, key) != getattr(wanted.service, key):
            keys.append(f"[service] {key}")
    return keys


def differing(before: Settings, after: Settings) -> dict[str, int]:
    """Return how many sources were added, removed and changed."""
    old = {source.slug: source for source in before.source}
    new = {source.slug: source for source in after.source}
    return {
        "added": len(new.keys() - old.keys()),
        "removed": len(old.keys() - new.keys()),
        "changed": sum(old[slug] != new[slug] for slug in old.keys() & new.keys()),
    }
