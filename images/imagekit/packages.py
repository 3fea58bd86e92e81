# SPDX-License-Identifier: Apache-2.0
"""A private apt for a suite: package lists and one store of .debs for all its images, without root.

It takes the host's settings (proxies and the like) but its own sources, keyring, lists and cache,
and starts from an empty package state, so what is installed on the host has no influence.
"""

import glob
import os
import subprocess

from . import architecture, sources
from .report import BuildError

CONFIG = """\
APT::Architecture "{architecture}";
APT::Architectures "{architecture}";
Dir::State "{root}/state";
Dir::State::status "{root}/state/status";
Dir::State::lists "{root}/lists";
Dir::Cache "{root}/cache";
Dir::Cache::archives "{root}/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "{root}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "/dev/null";
Dir::Log "{root}/log";
APT::Sandbox::User "";
APT::Install-Recommends "false";
APT::Get::Assume-Yes "true";
APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
Acquire::Retries "3";
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large;
#clear Acquire::IndexTargets::deb::DEP-11-icons-hidpi;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large-hidpi;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
"""


class Packages:
    """The lists and packages of one suite for one architecture (this machine's own, if none is named)
    below the folder `cache`."""

    def __init__(self, cache, suite, report, of=None):
        native = architecture.native()
        self.architecture = of or native
        self.suite = suite
        self.root = root = os.path.join(
            cache, suite if self.architecture is native else f"{suite}-{self.architecture.debian}")
        self.report = report
        self.archives = os.path.join(root, "archives")
        self.single = os.path.join(root, "single")
        self.lists = os.path.join(root, "lists")
        self.sources_list = os.path.join(root, "sources.list")
        self.config = os.path.join(root, "apt.conf")

    def update(self):
        """Fetches the package lists."""
        for path in ("state", "log", "cache", "lists/partial", "archives/partial", "single"):
            os.makedirs(os.path.join(self.root, path), exist_ok=True)
        for path, text in ((self.sources_list, sources.as_list(sources.from_host(self.suite))),
                           (self.config, CONFIG.format(root=self.root,
                                                    architecture=self.architecture.debian)),
                           (os.path.join(self.root, "state/status"), "")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.report.run("packages",
                        ["apt-get", "-c", self.config, "--error-on=any", "update"],
                        failure="the package lists could not be fetched")

    def download(self, names):
        """Fetches the named packages and all that they need, with the essential packages."""
        self.report.run("packages", ["apt-get", "-c", self.config, "--download-only", "install",
                                     "?essential", *names],
                        failure="packages could not be fetched")

    def forget_old(self):
        """Removes from the store what the lists no longer offer."""
        self.report.run("packages", ["apt-get", "-c", self.config, "autoclean"],
                        failure="the store of packages could not be cleaned")

    def query(self, *argv):
        return subprocess.run(["apt-cache", "-c", self.config, *argv], check=True,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout

    def field(self, package, name):
        """A field of the candidate version of a package."""
        for line in self.query("show", "--no-all-versions", package).splitlines():
            if line.startswith(name + ": "):
                return line.split(": ", 1)[1]
        raise BuildError(f"Debian has no package {package} with a field {name}")

    def fetch_one(self, package):
        """Fetches a package without what it depends on; returns its file.

        It goes into a folder of its own: roots are being installed from the store at the same time, and
        mmdebstrap fails when the store changes while it copies it.
        """
        version = self.field(package, "Version")
        self.report.run("packages", ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh",
                                     self.single, "apt-get", "-c", self.config, "download",
                                     f"{package}={version}"],
                        failure=f"the package {package} could not be fetched")
        name, upstream = glob.escape(os.path.join(self.single, package)), version.replace(":", "%3a")
        (found,) = glob.glob(f"{name}_{glob.escape(upstream)}_*.deb")
        for other in glob.glob(f"{name}_*.deb"):
            if other != found:
                os.remove(other)  # of an older version
        return found
