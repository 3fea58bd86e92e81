# SPDX-License-Identifier: Apache-2.0
"""Root images: a Debian installation by mmdebstrap, stripped, as a read-only EROFS.

Theory of operation
mmdebstrap installs the packages from the private apt's store, maintainer scripts and all, so that
alternatives, the linker's cache and certificates are right. As root it uses chroot, otherwise a
user namespace. Everything that happens inside is one customize hook, finish-root.sh, which mmdebstrap
runs as (possibly namespaced) root; what comes out is the EROFS file and the list of packages.

Packages of another architecture are installed in the same way, their scripts by an emulator
(emulated.py).

The result depends on package versions and recipe alone: times are EPOCH, the UUID is fixed, all
belongs to root but /home/user, which the agent covers with a tmpfs anyway.
"""

import os
import shlex
import subprocess
import sys
import tempfile

from . import architecture
from .report import BuildError

# Every file's time. A constant, not the archive's date: that changes when no package did.
EPOCH = 1_700_000_000
UUID = "67620000-0000-4000-8000-000000000001"

FINISH = os.path.join(os.path.dirname(__file__), "finish-root.sh")
EMULATED = os.path.join(os.path.dirname(__file__), "emulated.py")


def build(recipe, packages, report, target, *, mode):
    """Makes `target`/NAME.erofs and `target`/NAME.packages."""
    part = recipe.name
    image = os.path.join(target, recipe.name + ".erofs")
    options = [f"-T{EPOCH}", f"-U{UUID}", "-x-1", "--all-root",
               "--exclude-regex=^([.]glassbell$|dev/|proc/|sys/)"]
    variables = {"REMOVE": " ".join(recipe.remove), "TOOLS": " ".join(recipe.tools),
                 "RUN": recipe.run, "WARM": recipe.warm,
                 "EROFS": " ".join(options)}
    settings = os.path.join(target, part + ".settings")
    with open(settings, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    # mmdebstrap may be interrupted at a point where it leaves its tree behind.
    scratch = tempfile.mkdtemp(prefix="glassbell-image-")
    os.chmod(scratch, 0o1777)   # its root is another user's id in a user namespace
    try:
        install(recipe, packages, report, target, settings, image, mode, scratch)
    finally:
        remove(scratch, mode)
    if not os.path.getsize(image):
        raise BuildError(f"the image {part} came out empty", report.log_path(part))


def install(recipe, packages, report, target, settings, image, mode, scratch):
    part = recipe.name
    report.run(part, [
        *installer(packages.architecture, mode), "--variant=essential", "--format=null",
        "--skip=update,essential/unlink,cleanup,check/qemu",
        "--include=" + ",".join(recipe.packages),
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/info/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        '--setup-hook=mkdir -p "$1/var/cache/apt/archives" "$1/var/lib/apt/lists" "$1/.glassbell"',
        f"--setup-hook=sync-in {packages.lists} /var/lib/apt/lists",
        f"--setup-hook=sync-in {packages.archives} /var/cache/apt/archives",
        f"--customize-hook=upload {settings} /.glassbell/settings",
        f"--customize-hook=upload {FINISH} /.glassbell/finish",
        '--customize-hook=sh "$1/.glassbell/finish" "$1"',
        f"--customize-hook=download /.glassbell/image {image}",
        f"--customize-hook=download /.glassbell/packages {os.path.join(target, part)}.packages",
        recipe.suite, "/dev/null", packages.sources_list,
    ], failure=f"the image {part} could not be made", env=environment(scratch))


def installer(of, mode):
    """mmdebstrap, in the namespaces that it needs."""
    together = ["setpriv", "--pdeathsig", "INT"]
    if of is not architecture.native():
        # Both modes are one here: it runs as root of a user namespace that has an emulator.
        own = ["unshare", "--map-root-user", "--map-auto", "--mount"] if mode == "unshare" else []
        return [*own, sys.executable, EMULATED, of.debian, *together, "mmdebstrap", "--mode=root",
                f"--architectures={of.debian}"]
    # As root it mounts /dev, /proc and /sys; in a namespace of its own they go with it, whatever
    # happens. The other mode makes its namespace itself.
    own = ["unshare", "--mount", "--propagation", "private"] if mode == "root" else []
    return [*own, *together, "mmdebstrap", f"--mode={mode}"]


def remove(scratch, mode):
    """Removes a tree whose files belong to ids that only a user namespace may touch."""
    prefix = ["unshare", "--map-root-user", "--map-auto"] if mode == "unshare" else []
    subprocess.run([*prefix, "rm", "-rf", "--one-file-system", scratch], check=False,
                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def environment(scratch):
    """Nothing of the caller's environment may reach maintainer scripts."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND":
            "noninteractive", "SOURCE_DATE_EPOCH": str(EPOCH),
            "TMPDIR": scratch, "HOME": "/"}
