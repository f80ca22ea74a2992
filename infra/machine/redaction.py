"""Find and hide passwords in addresses: such an address is refused, and no message repeats it.

The reason: a flow's parameters are kept in Prefect's database and shown on its page, and error lines end up in logs.
"""

import re

_ADDRESS = re.compile(r"(?!file:)(?:[A-Za-z][\w+.-]*:/|/*[^/\s:]*:)\S*[@?]")
_NAMED = re.compile(r"(?<![^\s'\"(=,])(?!file:)[^\s'\"(=,:@]*:[^\s]*@")
_QUERY = re.compile(r"(?<![^\s'\"(=,])(?!file:)([A-Za-z][\w+.-]*:/[^\s?]*\?)[^\s'\")]+")


def may_hold_secret(address: str) -> bool:
    """Whether an address other than a path contains `@` or `?`, and so may hold a user name, a password or a token.

    >>> may_hold_secret("https:/me:hush@host/a.zip"), may_hold_secret("me:hush@host"), may_hold_secret("/home/a@b/c?")
    (True, True, False)
    """
    return _ADDRESS.match(address.strip()) is not None


def redacted(text: str) -> str:
    """A line with every possible user name, password or token of an address replaced by `***`.

    >>> redacted("--cluster tcp://me:hush@host:1: no"), redacted("--from https://host/a?key=hush is none")
    ('--cluster ***@host:1: no', '--from https://host/a?*** is none')
    """
    return _QUERY.sub(r"\1***", _NAMED.sub("***@", text))
