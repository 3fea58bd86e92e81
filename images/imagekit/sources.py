# SPDX-License-Identifier: Apache-2.0
"""Where Debian's packages come from: the host's own apt configuration, read when it is needed.

The host may run another Debian than the guests: one archive holds all suites, so that an entry for
the host's serves for any other with the suite's name exchanged, updates and security as well. Where
the host names the wanted suite itself, that entry is taken as it is.

Only entries of Debian's archive count: component main, signed with Debian's keys. A machine may well
have other vendors' sources for the same suite; what they offer has no place in an image, and apt
proves each list with Debian's keyring in any case.
"""

import glob
import os
import re
import urllib.parse

from . import architecture
from .report import BuildError

KINDS = ("", "-updates", "-security")
KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg",
            "/usr/share/keyrings/debian-archive-keyring.pgp")
LISTS = "/var/lib/apt/lists"

SUITE = re.compile(r"([a-z]+?)(-updates|-security)?")
# What others call their suites too needs a sign that it is Debian's.
CODENAMES = ("bookworm", "trixie", "forky", "duke", "sid")
KEY_NAME = re.compile(r"/\S*/debian-archive-[a-z0-9-]+\.(gpg|pgp|asc)")
# What can stand in one field of a line; `#` would begin a remark.
URI = re.compile(r"(?:(?:tor\+|mirror\+)?(?:https?|ftp)|mirror\+file|mirror|file|copy):[!$%&'()*+,./0-9:;=?@A-Z\[\]_a-z~-]+")


def from_host(suite, etc="/etc/apt", lists=LISTS):
    """Returns [(uri, suite)] for a suite, its updates and its security, without repetition."""
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
        found += parse(text, lists)
    entries = []
    for kind in KINDS:
        own = [uri for uri, name, k in found if k == kind and name == suite]
        other = [uri for uri, _, k in found if k == kind]
        uris = [resolve(uri) for uri in own or other]
        entries += [(uri, suite + kind) for uri in dict.fromkeys(uris) if uri]
    if not any(name == suite for _, name in entries):
        raise BuildError("apt on this machine has no source of Debian (suite "
                         f"{suite} or another one, main)")
    return entries


def parse_one_line(text, lists=LISTS):
    """Reads `deb [options] uri suite component...` lines; gives (uri, name, kind)."""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if match:
            options = dict(o.split("=", 1) for o in (match[1] or "").lower().split() if "=" in o)
            signed_by = dict(o.split("=", 1) for o in (match[1] or "").split() if "=" in o)
            yield from accept([match[2]], [match[3]], match[4].split(),
                              signed_by.get("signed-by", ""), options.get("arch", ""), lists)


def parse_deb822(text, lists=LISTS):
    """Reads stanzas of `Field: value` with continuation lines; gives (uri, name, kind)."""
    text = re.sub(r"(?m)^#.*\n?", "", text.replace("\r\n", "\n"))
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields = {}
        for match in re.finditer(r"(?m)^([A-Za-z-]+):((?:.*)(?:\n[ \t]+.*)*)", stanza):
            fields[match[1].lower()] = match[2].strip()
        if "deb" in fields.get("types", "").split() \
                and fields.get("enabled", "yes").lower() not in ("no", "false", "0"):
            yield from accept(fields.get("uris", "").split(), fields.get("suites", "").split(),
                              fields.get("components", "").split(), fields.get("signed-by", ""),
                              fields.get("architectures", ""), lists)


def accept(uris, suites, components, signed_by, architectures, lists):
    if "main" not in components:
        return
    # One archive holds all of them: what the host has of its own is there for any other.
    if architectures and architecture.native().debian not in re.split(r"[\s,]+", architectures):
        return
    keys = [key for key in re.split(r"[\s,]+", signed_by) if key]
    if keys and not all(KEY_NAME.fullmatch(key) for key in keys):
        return
    for uri in uris:
        for suite in suites:
            match = SUITE.fullmatch(suite)
            if not match or not URI.fullmatch(uri):
                continue
            origin = known_origin(uri, suite, lists)
            if origin == "Debian" or (origin is None and (keys or match[1] in CODENAMES)):
                yield uri, match[1], match[2] or ""


def known_origin(uri, suite, lists):
    """Whose archive the host's own apt found there; None: it has not looked."""
    place = urllib.parse.quote(re.sub(r"^[^:]*:/*(?:[^/@]*@)?", "", uri).rstrip("/"), safe="/:+,")
    name = f"{place}/dists/{suite}/".replace("_", "%5f").replace("/", "_")
    for file in ("InRelease", "Release"):
        try:
            with open(os.path.join(lists, name + file), encoding="utf-8", errors="replace") as text:
                match = re.search(r"(?m)^Origin:[ \t]*(.*?)[ \t]*$", text.read(4096))
                return match[1] if match else ""
        except (OSError, ValueError):
            continue
    return None


def resolve(uri):
    """The address behind a list of mirrors on this machine (the first), and a form of the local
    ones with which packages come into the store."""
    if uri.startswith("mirror+file:"):
        try:
            with open(re.sub(r"^mirror\+file:/*", "/", uri), encoding="utf-8",
                      errors="replace") as file:
                lines = [line.split()[0] for line in file
                         if line.strip() and not line.startswith("#")]
        except OSError:
            return None
        return next((resolve(line) for line in lines
                     if URI.fullmatch(line) and not line.startswith("mirror")), None)
    return re.sub(r"^file:", "copy:", uri)


def keyring():
    """Debian's keys; newer releases of the package name the file otherwise."""
    for path in KEYRINGS:
        if os.path.exists(path):
            return path
    raise BuildError("the package debian-archive-keyring is not installed")


def as_list(entries):
    """The sources.list with which packages are fetched."""
    key = keyring()
    return "".join(f"deb [signed-by={key}] {uri} {suite} main\n" for uri, suite in entries)
