#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the root of another Debian with the packages that ./dev asks for, and prints its folder.

    tests/suite_root.py SUITE PACKAGE…

It is made once for a list of packages and kept in the cache folder, beside the packages, which it
shares with the builder of the guest images; a new one takes the place of the old one of its suite.
Made by root it is installed by chroot, by anybody else in a user namespace.
"""

import argparse
import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "images"))

from imagekit import rootfs  # noqa: E402
from imagekit.packages import Packages  # noqa: E402
from imagekit.report import BuildError, Report  # noqa: E402

# What the mounts of tests/suite need, and no more.
PLACES = ("src", "dev", "proc", "sys", "tmp", "run", "root")
# A user namespace in which files belong to whom they will belong when the root is entered.
NAMESPACE = ["unshare", "--map-root-user", "--map-auto"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite")
    parser.add_argument("packages", nargs="+")
    options = parser.parse_args()
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                         "glassbell")
    folder = os.path.join(cache, "suites")
    os.makedirs(folder, exist_ok=True)
    report = Report(os.path.join(folder, "log"))
    report.say = lambda text: print("suite:", text, file=sys.stderr, flush=True)
    try:
        with open(os.path.join(folder, options.suite + ".lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            print(made(options.suite, sorted(set(options.packages)), cache, folder, report))
    except (BuildError, OSError) as problem:
        print(f"suite: {problem}", file=sys.stderr)
        if getattr(problem, "log", None):
            print(f"suite: the log is {problem.log}", file=sys.stderr)
        return 1
    return 0


def made(suite, packages, cache, folder, report):
    with open(__file__, "rb") as code:
        key = hashlib.sha256(code.read() + repr((suite, packages, os.geteuid() == 0)).encode())
    name = f"{suite}-{key.hexdigest()[:16]}"
    root = os.path.join(folder, name)
    if os.path.isdir(root):
        return root
    report.say(f"making a root of {suite}, once for this list of packages")
    store = Packages(os.path.join(cache, "packages"), suite, report)
    store.update()
    store.download(packages)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as work:
        os.chmod(work, 0o1777)  # its files may be another user's in a namespace
        try:
            install(store, packages, report, work, "root" if os.geteuid() == 0 else "unshare")
            os.rename(os.path.join(work, "root"), root)
        finally:
            remove(os.path.join(work, "root"))
    for old in os.listdir(folder):
        if old.startswith(suite + "-") and old != name:
            remove(os.path.join(folder, old))
    return root


def install(store, packages, report, work, mode):
    target = os.path.join(work, "root" if mode == "root" else "root.tar")
    own_mounts = ["unshare", "--mount", "--propagation", "private"] if mode == "root" else []
    report.run("suite-" + store.suite, [
        *own_mounts, "setpriv", "--pdeathsig", "INT",
        "mmdebstrap", f"--mode={mode}", "--variant=minbase", "--skip=update,essential/unlink",
        "--include=" + ",".join(packages),
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        '--setup-hook=mkdir -p "$1/var/cache/apt/archives" "$1/var/lib/apt/lists"',
        f"--setup-hook=sync-in {store.lists} /var/lib/apt/lists",
        f"--setup-hook=sync-in {store.archives} /var/cache/apt/archives",
        *(f'--customize-hook=mkdir -p "$1/{place}"' for place in PLACES),
        store.suite, target, store.sources_list,
    ], failure=f"a root of {store.suite} could not be made", env=rootfs.environment(work))
    if mode != "root":
        report.run("suite-" + store.suite, [
            *NAMESPACE, "sh", "-c", 'mkdir "$2" && tar -xf "$1" -C "$2" --exclude "./dev/*"', "sh",
            target, os.path.join(work, "root"),
        ], failure=f"a root of {store.suite} could not be unpacked")
        os.unlink(target)


def remove(folder):
    prefix = [] if os.geteuid() == 0 else NAMESPACE
    subprocess.run([*prefix, "rm", "-rf", "--one-file-system", folder], check=False,
                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
