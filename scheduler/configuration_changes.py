"""Which changes of the configuration come into force while the service runs, and which need a restart. Pure."""

from collections.abc import Mapping

from scheduler.settings import Settings

IN_FORCE_AT_ONCE = {
    "crawl": frozenset({"refetches_per_article"}),
    "archive": frozenset({"max_file_age"}),
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


def poll_rules(settings: Settings) -> Mapping[str, tuple[str | None, str | None]]:
    """Return by what each configured source's feeds are polled: its `poll`, or the default's, and its time zone."""
    default = settings.service.poll
    return {source.slug: (source.poll or default, source.timezone) for source in settings.source}


def newly_polled(before: Settings, after: Settings) -> set[str]:
    """Return the sources that were and are configured whose feeds are polled by another rule now."""
    old, new = poll_rules(before), poll_rules(after)
    return {slug for slug in old.keys() & new.keys() if old[slug] != new[slug]}


def differing(before: Settings, after: Settings) -> dict[str, int]:
    """Return how many sources were added, removed and changed."""
    old = {source.slug: source for source in before.source}
    new = {source.slug: source for source in after.source}
    return {
        "added": len(new.keys() - old.keys()),
        "removed": len(old.keys() - new.keys()),
        "changed": sum(old[slug] != new[slug] for slug in old.keys() & new.keys()),
    }
