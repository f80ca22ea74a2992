"""Passwords that people type into addresses: such an address is refused, and no line repeats it.

What a flow is asked for is kept in Prefect's database and shown on its page; an error line ends in logs.
"""

import re

_ADDRESS = re.compile(r"(?!file:)(?:[A-Za-z][\w+.-]*:/|/*[^/\s:]*:)\S*[@?]")
_NAMED = re.compile(r"(?<![^\s'\"(=,])(?!file:)[^\s'\"(=,:@]*:[^\s]*@")
_QUERY = re.compile(r"(?<![^\s'\"(=,])(?!file:)([A-Za-z][\w+.-]*:/[^\s?]*\?)[^\s'\")]+")


def may_hold_secret(address: str) -> bool:
    """Whether an address has a sign in it that names, passwords and tokens come with: `@` or `?`, unless it is a path.

    >>> may_hold_secret("https:/me:hush@host/a.zip"), may_hold_secret("me:hush@host"), may_hold_secret("/home/a@b/c?")
    (True, True, False)
    """
    return _ADDRESS.match(address.strip()) is not None


def redacted(text: str) -> str:
    """A line without what may be a name, a password or a token of an address in it.

    >>> redacted("--cluster tcp://me:hush@host:1: no"), redacted("--from https://host/a?key=hush is none")
    ('--cluster ***@host:1: no', '--from https://host/a?*** is none')
    """
    return _QUERY.sub(r"\1***", _NAMED.sub("***@", text))
