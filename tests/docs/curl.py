"""As much of curl as the documents use (-s, -X, -H, -d, -o), for machines that come without it."""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main() -> None:
    """Send one request and print the answer's body, whatever its status."""
    asked = argparse.ArgumentParser()
    asked.add_argument("url")
    asked.add_argument("-s", action="store_true")
    asked.add_argument("-X", dest="method")
    asked.add_argument("-H", dest="headers", action="append", default=[])
    asked.add_argument("-d", dest="body")
    asked.add_argument("-o", dest="file", type=Path)
    given = asked.parse_args()
    headers = dict(each.split(": ", 1) for each in given.headers)
    body = None if given.body is None else given.body.encode()
    request = urllib.request.Request(given.url, body, headers, method=given.method)  # noqa: S310 - the documents' own addresses
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
            said = answer.read()
    except urllib.error.HTTPError as refused:
        said = refused.read()
    if given.file:
        given.file.write_bytes(said)
    else:
        sys.stdout.buffer.write(said)


if __name__ == "__main__":
    main()
