"""The one digest of an article that is read from several responses. Pure."""

import hashlib
from collections.abc import Sequence


def digest_of_parts(digests: Sequence[str]) -> str:
    """Return the digest under which the bodies of all parts, in order, are compared; of one body, its own.

    Raises ValueError for none.
    """
    if not digests:
        raise ValueError("an article has at least one part")
    if len(digests) == 1:
        return digests[0]
    return "sha256:" + hashlib.sha256("\n".join(digests).encode()).hexdigest()
