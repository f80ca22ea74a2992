"""Whether the data of known vulnerabilities can be had here: `python -m infra.advisories`, before `pip-audit` asks it.

    exit 0    it answers, and knows a vulnerability that is known to be one: an audit can find something
    exit 1    it does not; one line says why

Without this control an index that knows no vulnerability at all would pass for pins that have none. It is one request
of a few seconds at most, so that CI without a network is not held up.
"""

import json
import sys
from urllib.error import URLError
from urllib.request import Request, urlopen

SERVICE = "https://api.osv.dev/v1/query"
"""The service that the Makefile has `pip-audit` ask."""
KNOWN = {"version": "2.4.1", "package": {"name": "jinja2", "ecosystem": "PyPI"}}
"""A version that has known vulnerabilities, since 2014."""
ANSWER_SECONDS = 3.0


def why_not(service: str = SERVICE) -> str | None:
    """The reason why the data cannot be had; None if it can."""
    asked = Request(service, json.dumps(KNOWN).encode(), {"Content-Type": "application/json"})  # noqa: S310  # https
    try:
        with urlopen(asked, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            found = json.load(answer)
    except URLError as error:
        return str(error.reason)
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    known = found.get("vulns") if isinstance(found, dict) else None
    return None if known else "it answers, and knows no vulnerability of a package that has some"


def main() -> None:
    """Print the reason, if there is one, and exit."""
    if (reason := why_not()) is not None:
        print(f"audit: the advisory data could not be had ({' '.join(reason.split())}): the pins are not audited")
        sys.exit(1)


if __name__ == "__main__":
    main()
