"""Where Debian's packages come from: the host's own apt configuration, read when it is needed.

Only entries of Debian's archive count: suite bookworm, -updates or -security, component main, and
either no Signed-By or Debian's keyring. A machine may well have other vendors' sources for the same
suite; what they offer has no place in an image.
"""

import glob
import os
import re

from .report import BuildError

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def from_host(etc="/etc/apt"):
    """Returns [(uri, suite)] in the order of SUITES, without repetition."""
    found = []
    for path in [os.path.join(etc, "sources.list"),
                 *sorted(glob.glob(os.path.join(etc, "sources.list.d", "*.list"))),
                 *sorted(glob.glob(os.path.join(etc, "sources.list.d", "*.sources")))]:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except FileNotFoundError:
            continue
        parse = parse_deb822 if path.endswith(".sources") else parse_one_line
        found += [entry for entry in parse(text) if entry not in found]
    if not any(suite == SUITES[0] for _, suite in found):
        raise BuildError("apt on this machine has no source for Debian 12 (bookworm, main)")
    return sorted(found, key=lambda entry: SUITES.index(entry[1]))


def parse_one_line(text):
    """Reads `deb [options] uri suite component...` lines."""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if match:
            options = dict(o.split("=", 1) for o in (match[1] or "").split() if "=" in o)
            yield from accept([match[2]], [match[3]], match[4].split(),
                              options.get("signed-by", ""))


def parse_deb822(text):
    """Reads stanzas of `Field: value` with continuation lines."""
    text = re.sub(r"(?m)^#.*\n?", "", text)
    for stanza in re.split(r"\n\s*\n", text):
        fields = {}
        for match in re.finditer(r"(?m)^([A-Za-z-]+):((?:.*)(?:\n[ \t]+.*)*)", stanza):
            fields[match[1].lower()] = match[2].strip()
        if "deb" in fields.get("types", "").split() \
                and fields.get("enabled", "yes").lower() not in ("no", "false", "0"):
            yield from accept(fields.get("uris", "").split(), fields.get("suites", "").split(),
                              fields.get("components", "").split(), fields.get("signed-by", ""))


def accept(uris, suites, components, signed_by):
    if "main" not in components or (signed_by and "debian-archive" not in signed_by):
        return
    for uri in uris:
        for suite in suites:
            if suite in SUITES and not uri.startswith(("cdrom:", "mirror+file:")):
                yield uri, suite


def as_list(entries):
    """The sources.list with which packages are fetched."""
    return "".join(f"deb [signed-by={KEYRING}] {uri} {suite} main\n" for uri, suite in entries)
