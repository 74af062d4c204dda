"""What recording a poll changes in a feed's row. Pure: the row as it was and the poll in, values out."""

from typing import Any

from sqlalchemy import RowMapping

from storage.model import PollReason
from storage.outcomes import POLLED_WELL, Outcome
from storage.records import EntriesRecorded, FeedPoll, kept_validators, proved_by


def polled_values(poll: FeedPoll, feed: RowMapping, recorded: EntriesRecorded) -> dict[str, Any]:
    """Return the columns that a poll changes. `feed` is the row before, `recorded` what the poll's own entries were."""
    values: dict[str, Any] = {
        "last_outcome": poll.outcome.value,
        "last_polled_at": poll.polled_at,
        **_owed(poll, feed),
    }
    if poll.kind is not None:
        values["kind"] = poll.kind.value
    if poll.title is not None:
        values["title"] = poll.title
    if poll.outcome not in POLLED_WELL:
        # What moved may have moved back, so the next poll asks at the address that people know.
        failures = {"consecutive_failures": feed["consecutive_failures"] + 1, "moved_polls": 0}
        return values | failures | {"etag": None, "last_modified": None}
    values |= {"consecutive_failures": 0, "last_success_at": poll.polled_at, **_moved(poll, feed)}
    if poll.max_age_seconds is not None or poll.outcome is not Outcome.NOT_MODIFIED:
        values["max_age_seconds"] = poll.max_age_seconds or None
    values |= _validators_tried(poll, feed, poll.new + recorded.new)
    if poll.outcome is not Outcome.LISTED:
        # All that stood there stands there still, and is known.
        etag, last_modified = kept_validators(poll, feed)
        return values | {
            "etag": etag,
            "last_modified": last_modified,
            "last_new": 0,
            "last_known": (feed["last_new"] or 0) + (feed["last_known"] or 0),
        }
    new, known = poll.new + recorded.new, poll.known + recorded.known
    return values | {
        "etag": poll.etag,
        "last_modified": poll.last_modified,
        "body_digest": poll.body_digest,
        "ttl_seconds": poll.ttl_seconds,
        "skip_hours": list(poll.skip_hours) or None,
        "skip_days": list(poll.skip_days) or None,
        "last_new": new,
        "last_known": known,
        "unlearnt_new": feed["unlearnt_new"] + new,
    }


def _owed(poll: FeedPoll, feed: RowMapping) -> dict[str, Any]:
    """Return the next poll: none until it is planned, or one that was asked for after this one had begun."""
    asked_at = feed["requested_at"]
    if asked_at is not None and asked_at > (poll.began_at or poll.polled_at):
        return {"next_poll_at": asked_at, "next_poll_reason": PollReason.REQUESTED.value}
    return {"next_poll_at": None, "next_poll_reason": None, "requested_at": None}


def _moved(poll: FeedPoll, feed: RowMapping) -> dict[str, Any]:
    """Return where a feed moved, and how many polls in a row said so."""
    if poll.moved_to is None:
        return {"moved_to": None, "moved_polls": 0}
    again = feed["moved_polls"] + 1 if poll.moved_to == feed["moved_to"] else 1
    return {"moved_to": poll.moved_to, "moved_polls": again}


def _validators_tried(poll: FeedPoll, feed: RowMapping, new: int) -> dict[str, Any]:
    """Return what an answer tells of the validators that the feed had (`storage.records.validators_hold`)."""
    if poll.outcome is Outcome.NOT_MODIFIED:
        return {"not_modified_polls": feed["not_modified_polls"] + 1}
    changed = poll.outcome is Outcome.LISTED and new > 0
    proved = proved_by(
        proved=feed["validators_proved"],
        not_modified=feed["not_modified_polls"],
        same_validators=(poll.etag, poll.last_modified) == (feed["etag"], feed["last_modified"]),
        # It may say when it was made, which is no news.
        same=not changed,
        changed=changed,
    )
    return {"not_modified_polls": 0, "validators_proved": proved}
