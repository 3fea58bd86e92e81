# SPDX-License-Identifier: Apache-2.0
"""Libraries that tests need and the program does not: installed once, into folders under build/."""

import contextlib
import fcntl
import pathlib
import shutil
import subprocess
import sys

import pytest

BUILD = pathlib.Path(__file__).resolve().parent.parent / "build"


@contextlib.contextmanager
def installing(folder):
    """One at a time: test processes run side by side."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def python(name, *requirements):
    """A virtual environment with @requirements; its `site-packages` is put first on the path of the tests.
    Returns its folder. Newer versions are looked for when the folder is gone."""
    if "attr" in sys.modules:
        # pytest has loaded the system's already, and the halves of two versions do not fit.
        requirements += (f"attrs=={sys.modules['attr'].__version__}",)
    folder = BUILD / "venv" / name
    mark = folder / "requirements.txt"
    wanted = "\n".join(requirements)
    with installing(folder):
        if not mark.exists() or mark.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            install = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", *requirements]
            done = subprocess.run(install, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            assert done.returncode == 0, f"{requirements} cannot be installed:\n{done.stderr[-3000:]}"
            mark.write_text(wanted)
    site = next((folder / "lib").glob("python*")) / "site-packages"
    if str(site) not in sys.path:
        sys.path.insert(0, str(site))
    return folder


def node(name, package):
    """A folder with @package of npm; skips the test when this machine cannot have it."""
    folder = BUILD / "npm" / name
    mark = folder / "installed"
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("there is no npm here")
    with installing(folder):
        if mark.exists():
            return folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", package], cwd=folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"npm cannot install {package}: {done.stderr.strip()[-300:]}")
        mark.touch()
    return folder
