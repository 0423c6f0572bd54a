"""The hash chain of a ledger, with only the standard library."""

import hashlib
import json


def first_broken(text: bytes) -> int | None:
    """Return the number of the first line that breaks the chain, from 1; None for a whole chain."""
    before = "0" * 64
    lines = text.split(b"\n")
    last = lines.pop()
    for number, line in enumerate(lines, start=1):
        try:
            seal = json.loads(line)
            sealed = seal.pop("hash")
        except (ValueError, KeyError, AttributeError):
            return number
        again = json.dumps(seal, sort_keys=True, ensure_ascii=False).encode()
        whole = json.dumps({**seal, "hash": sealed}, sort_keys=True, ensure_ascii=False).encode()
        if hashlib.sha256(again).hexdigest() != sealed or whole != line:
            return number
        if seal["number"] != number or seal["previous"] != before:
            return number
        before = sealed
    return len(lines) + 1 if last else None
