"""Validators that cannot be right are not sent back."""

from datetime import UTC, datetime

import pytest

from crawler.validators import LONGEST, usable_validators
from storage.model import HttpExchange
from storage.records import MOST_NOT_MODIFIED, proved_by, validators_hold

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FUTURE = "Sat, 16 Nov 2041 19:11:00 GMT"
PAST = "Sun, 01 Mar 2026 10:00:00 GMT"


def answer(**headers) -> HttpExchange:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpExchange(
        record_id="urn:uuid:1",
        url="https://c.example/",
        method="GET",
        request_headers=(),
        status=200,
        reason_phrase="OK",
        http_version="HTTP/1.1",
        ip_address=None,
        response_headers=tuple(names.items()),
        body=b"",
        started_at=NOW,
        finished_at=NOW,
    )


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (None, None)),
        ({"etag": '"a"', "last_modified": PAST}, ('"a"', PAST)),
        ({"etag": "a" * LONGEST, "last_modified": PAST}, ("a" * LONGEST, PAST)),
        ({"etag": "a" * (LONGEST + 1), "last_modified": PAST}, (None, PAST)),
        ({"etag": '"a"', "last_modified": FUTURE}, ('"a"', None)),
        ({"etag": f'"{FUTURE}"', "last_modified": FUTURE}, (None, None)),
        ({"etag": FUTURE, "last_modified": FUTURE}, (None, None)),
        ({"last_modified": FUTURE, "date": PAST}, (None, None)),
        # Its clock is ahead as a whole.
        ({"last_modified": FUTURE, "date": "Sat, 16 Nov 2041 19:12:00 GMT"}, (None, FUTURE)),
        ({"last_modified": "Sun, 01 Mar 2026 12:05:00 GMT"}, (None, "Sun, 01 Mar 2026 12:05:00 GMT")),
        ({"last_modified": "yesterday"}, (None, "yesterday")),
        ({"last_modified": "0"}, (None, "0")),
    ],
)
def test_what_is_sent_back(headers, expected):
    assert usable_validators(answer(**headers), received_at=NOW) == expected


@pytest.mark.parametrize(
    ("proved", "not_modified", "hold"),
    [
        (0, 0, True),
        (0, 1, False),
        (1, 1, True),
        (1, 2, False),
        (9, 15, True),
        (9, MOST_NOT_MODIFIED, False),
        (-1, 0, False),
    ],
)
def test_how_many_304_in_a_row_are_believed(proved, not_modified, hold):
    assert validators_hold(proved=proved, not_modified=not_modified) is hold


@pytest.mark.parametrize(
    ("proved", "not_modified", "same_validators", "same", "changed", "after"),
    [
        (2, 1, True, True, False, 3),
        (2, 1, True, False, True, -1),
        (2, 1, True, False, False, 2),
        (2, 0, True, False, True, 2),
        (2, 1, False, False, True, 2),
        (-1, 1, True, True, False, -1),
    ],
)
def test_what_a_whole_answer_proves(proved, not_modified, same_validators, same, changed, after):
    found = proved_by(
        proved=proved, not_modified=not_modified, same_validators=same_validators, same=same, changed=changed
    )
    assert found == after
