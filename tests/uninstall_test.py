# SPDX-License-Identifier: Apache-2.0
"""Installing and removing the program: nothing of it stays, and what is somebody else's does."""
import os
import pathlib
import subprocess

import pytest

from support import BINARY

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(BINARY).resolve().parent.parent


@pytest.fixture
def installed(tmp_path):
    """The root of an installation, with a list of what is in it."""
    environment = dict(os.environ, DESTDIR=str(tmp_path / "root"))
    # All but the images, which are gigabytes and files like any others.
    subprocess.run(["cmake", "--install", BUILD, "--component", "Unspecified"], env=environment, check=True,
                   stdout=subprocess.DEVNULL)
    manifest = tmp_path / "manifest"
    manifest.write_bytes((BUILD / "install_manifest_Unspecified.txt").read_bytes())
    return tmp_path / "root", manifest


def prefix():
    cache = (BUILD / "CMakeCache.txt").read_text()
    return next(line.split("=", 1)[1] for line in cache.splitlines() if line.startswith("CMAKE_INSTALL_PREFIX:"))


def uninstall(root, manifest, where):
    return subprocess.run([TOP / "packaging/uninstall", manifest, where], capture_output=True, text=True, check=False,
                          env=dict(os.environ, DESTDIR=str(root)))


def files(root):
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def test_all_of_it_goes(installed):
    root, manifest = installed
    below = prefix().lstrip("/")
    there = files(root)
    for path in ("bin/glassbell", "libexec/glassbell/glassbell-launcher", "libexec/glassbell/glassbell-edge",
                 "share/man/man1/glassbell.1",
                 "share/bash-completion/completions/glassbell", "share/zsh/site-functions/_glassbell",
                 "share/fish/vendor_completions.d/glassbell.fish", "include/glassbell.h",
                 "lib/systemd/user/glassbell.socket"):
        assert f"{below}/{path}" in there
    compiled = root / below / "libexec/glassbell/images/imagekit/__pycache__/recipe.pyc"
    compiled.parent.mkdir()
    compiled.touch()
    done = uninstall(root, manifest, prefix())
    assert (done.returncode, done.stderr) == (0, "")
    assert files(root) == set()
    assert not (root / below / "libexec/glassbell").exists()
    assert not (root / below / "share/glassbell").exists()


def test_what_is_not_of_it_stays(installed):
    root, manifest = installed
    below = root / prefix().lstrip("/")
    own = below / "libexec/glassbell/images/recipes/mine.recipe"
    other = below / "bin/other"
    own.touch()
    other.touch()
    done = uninstall(root, manifest, prefix())
    assert done.returncode == 0 and "libexec/glassbell has files of others" in done.stderr
    assert files(root) == {str(own.relative_to(root)), str(other.relative_to(root))}


def test_another_prefix_removes_nothing(installed):
    root, manifest = installed
    there = files(root)
    done = uninstall(root, manifest, "/elsewhere")
    assert done.returncode == 1 and "PREFIX" in done.stderr
    assert files(root) == there


def test_without_a_list(tmp_path):
    done = uninstall(tmp_path, tmp_path / "none", "/usr/local")
    assert done.returncode == 1 and "install from here first" in done.stderr
