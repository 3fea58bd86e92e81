"""Checks of the builder, and of the images in $GLASSBELL_IMAGES or build/images."""

import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

from imagekit import cpio, kernel, recipe, sources  # noqa: E402
from imagekit.report import BuildError  # noqa: E402

IMAGES = os.environ.get("GLASSBELL_IMAGES") or os.path.join(HERE, "../build/images")
NAMES = recipe.names(os.path.join(HERE, "recipes"))


def link_or_copy(source, target):
    """A link where both are on one file system, which is quick."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


# The host's apt configuration

def test_one_line_sources():
    text = ("deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
            "http://one.example/debian bookworm main contrib # note\n"
            "# deb http://two.example/debian bookworm main\n"
            "deb-src http://three.example/debian bookworm main\n"
            "deb http://four.example/debian bookworm-backports main\n"
            "deb http://five.example/debian bookworm contrib\n"
            "deb [signed-by=/etc/apt/keyrings/vendor.gpg] http://six.example/apt bookworm main\n"
            "deb http://seven.example/security bookworm-security main\n")
    assert list(sources.parse_one_line(text)) == [
        ("http://one.example/debian", "bookworm"),
        ("http://seven.example/security", "bookworm-security")]


def test_deb822_sources():
    text = ("Types: deb deb-src\n# a remark\nURIs: http://one.example/debian\n"
            "Suites: bookworm\n bookworm-updates\nComponents: main\n"
            "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
            "Types: deb\nURIs: http://two.example/node\nSuites: bookworm\nComponents: main\n"
            "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n\n"
            "Enabled: no\nTypes: deb\nURIs: http://three.example\nSuites: bookworm\n"
            "Components: main\n")
    assert list(sources.parse_deb822(text)) == [
        ("http://one.example/debian", "bookworm"),
        ("http://one.example/debian", "bookworm-updates")]


def test_no_debian_source(tmp_path):
    (tmp_path / "sources.list").write_text("deb http://one.example/debian trixie main\n")
    with pytest.raises(BuildError, match="bookworm"):
        sources.from_host(str(tmp_path))


# Recipes, archive, kernel

def test_recipe_includes(tmp_path):
    (tmp_path / "base.recipe").write_text("packages: bash\n    git\n")
    (tmp_path / "more.recipe").write_text("language: shell\ninclude: base\npackages: jq\n")
    assert recipe.load(tmp_path, "more").packages == ["bash", "git", "jq"]
    assert recipe.names(tmp_path) == ["more"]


@pytest.mark.parametrize("text", ["colour: red\n", "packages bash\n", "include: bad\n",
                                  "language: a\nlanguage: b\n"])
def test_bad_recipe(tmp_path, text):
    (tmp_path / "bad.recipe").write_text(text)
    with pytest.raises(BuildError):
        recipe.load(tmp_path, "bad")


@pytest.mark.parametrize("name", ["../base", "", "Base", "none"])
def test_no_such_recipe(tmp_path, name):
    with pytest.raises(BuildError):
        recipe.load(tmp_path, name)


def test_archive_is_read_by_cpio(tmp_path):
    file = io.BytesIO()
    archive = cpio.Archive(file)
    archive.directory("a")
    archive.data("a/b", b"text", 0o755)
    archive.link("c", "a/b")
    archive.close()
    subprocess.run(["cpio", "--extract", "--quiet"], cwd=tmp_path, input=file.getvalue(),
                   check=True)
    assert (tmp_path / "c").read_bytes() == b"text"
    assert os.stat(tmp_path / "a/b").st_mode & 0o777 == 0o755


def test_kernel_that_is_none():
    with pytest.raises(BuildError):
        kernel.take_vmlinux(b"\0" * 4096)


# What was built

def load(name):
    try:
        with open(os.path.join(IMAGES, name), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        pytest.skip("no images were built")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def entries(data):
    """Reads a newc archive: {name: (mode, content)}."""
    found, at = {}, 0
    while True:
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        assert data[at:at + 6] == b"070701"
        name = data[at + 110:at + 110 + fields[11] - 1].decode()
        body = (at + 110 + fields[11] + 3) & ~3
        if name == "TRAILER!!!":
            return found
        found[name] = fields[1], data[body:body + fields[6]]
        at = (body + fields[6] + 3) & ~3


@pytest.mark.parametrize("manifest", ["boot", *NAMES])
def test_digests(manifest):
    values = load(manifest + ".json")
    files = [v for v in values.values() if isinstance(v, dict) and "sha256" in v]
    assert files
    for entry in files:
        path = os.path.join(IMAGES, entry["file"])
        assert (os.path.getsize(path), digest(path)) == (entry["size"], entry["sha256"])


def test_initramfs():
    boot = load("boot.json")
    with open(os.path.join(IMAGES, "initramfs.cpio"), "rb") as file:
        found = entries(file.read())
    assert found["init"][0] == stat.S_IFREG | 0o755
    assert hashlib.sha256(found["init"][1]).hexdigest() == boot["agent_sha256"]
    order = found["modules/order"][1].decode().split()
    assert sorted(f"modules/{name}" for name in order) == sorted(
        name for name in found if name.startswith("modules/") and name != "modules/order")


@pytest.fixture(scope="module", params=NAMES)
def root(request, tmp_path_factory):
    """An image, unpacked with its modes; the owners need root, so they are left out."""
    load(request.param + ".json")
    target = tmp_path_factory.mktemp(request.param) / "root"
    subprocess.run(["fsck.erofs", f"--extract={target}", "--preserve-perms", "--no-preserve-owner",
                    os.path.join(IMAGES, request.param + ".erofs")], check=True,
                   stdout=subprocess.DEVNULL)
    yield request.param, str(target)
    shutil.rmtree(target)


def inside(top, path, depth=0):
    """Follows links as a guest whose root is `top` would."""
    assert depth < 40
    full = top
    for part in os.path.normpath(path).strip("/").split("/"):
        full = os.path.join(full, part)
        if os.path.islink(full):
            link = os.readlink(full)
            base = "" if link.startswith("/") else os.path.dirname(full)[len(top):]
            full = inside(top, os.path.normpath(f"/{base}/{link}"), depth + 1)
    return full


def test_contents(root):
    name, top = root
    for tool in recipe.load(os.path.join(HERE, "recipes"), name).tools:
        assert any(os.access(inside(top, f"{folder}/{tool}"), os.X_OK)
                   for folder in ("/usr/bin", "/usr/sbin")), tool
    for mount in ("proc", "sys", "dev", "tmp", "run", "home/user"):
        assert os.listdir(os.path.join(top, mount)) == [], mount
    with open(os.path.join(top, "etc/passwd"), encoding="utf-8") as file:
        assert "user:x:1000:1000::/home/user:/bin/bash\n" in file.readlines()
    for path in ("etc/ld.so.cache", "etc/ssl/certs/ca-certificates.crt"):
        assert os.path.getsize(os.path.join(top, path)), path
    assert not os.path.exists(os.path.join(top, "usr/share/man"))


def test_no_setuid(root):
    _, top = root
    marked = []
    for folder, folders, files in os.walk(top):
        for entry in files + folders:
            mode = os.lstat(os.path.join(folder, entry)).st_mode
            if mode & (stat.S_ISUID | stat.S_ISGID) or stat.S_ISBLK(mode) or stat.S_ISCHR(mode):
                marked.append(os.path.join(folder, entry))
    assert marked == []


def test_python_is_compiled_for_good(root):
    name, top = root
    if not recipe.load(os.path.join(HERE, "recipes"), name).python:
        pytest.skip("an image without Python's library")
    library = os.path.join(top, "usr/lib/python3.11")
    for module in ("os", "json/decoder", "sqlite3/dbapi2", "ssl", "ctypes/__init__",
                   "multiprocessing/pool", "zoneinfo/__init__"):
        folder, _, file = module.rpartition("/")
        path = os.path.join(library, folder, "__pycache__", file + ".cpython-311.pyc")
        with open(path, "rb") as code:
            # Flags of PEP 552: a hash, not to be checked.
            assert code.read(8)[4:] == b"\x01\0\0\0", path


@pytest.fixture
def copy(tmp_path):
    """The images once more (the big files as links), with the agent and workers they hold."""
    load("boot.json")
    shutil.copytree(IMAGES, tmp_path / "out", copy_function=link_or_copy)
    with open(os.path.join(IMAGES, "initramfs.cpio"), "rb") as file:
        found = entries(file.read())
    for name, (mode, content) in found.items():
        if name != "init" and not name.startswith("worker") or name.endswith((".pyc", "__pycache__")):
            continue
        path = tmp_path / name
        if stat.S_ISDIR(mode):
            path.mkdir()
        else:
            path.write_bytes(content)
            path.chmod(mode & 0o777)
    return tmp_path


def build(folder):
    """Builds the images that are there; returns what was said and the seconds it took."""
    names = [name for name in NAMES if os.path.exists(folder / "out" / (name + ".json"))]
    start = time.monotonic()
    done = subprocess.run([os.path.join(HERE, "build"), "--output", folder / "out", "--cache",
                           folder / "cache", "--agent", folder / "init", "--workers",
                           folder / "worker", *names], check=True, capture_output=True, text=True)
    return done.stdout, time.monotonic() - start


def test_a_root_that_was_made_before_is_taken(copy):
    """Another folder with the same inputs: nothing is fetched and nothing installed."""
    roots = copy / "cache/roots"
    roots.mkdir(parents=True)
    for name in ("shell.erofs", "shell.json"):
        shutil.move(copy / "out" / name, roots / name)
    names = ["shell"]
    run = [os.path.join(HERE, "build"), "--output", copy / "out", "--cache", copy / "cache",
           "--agent", copy / "init", "--workers", copy / "worker", *names]
    done = subprocess.run(run, check=True, capture_output=True, text=True)
    assert "taken as it was made before" in done.stdout and "fetching" not in done.stdout
    assert digest(copy / "out/shell.erofs") == load("shell.json")["root"]["sha256"]
    assert "up to date" in subprocess.run(run, check=True, capture_output=True, text=True).stdout


def test_second_build_does_nothing(copy):
    before = {e.name: e.stat().st_mtime_ns for e in os.scandir(copy / "out")}
    text, seconds = build(copy)
    assert "up to date" in text
    assert before == {e.name: e.stat().st_mtime_ns for e in os.scandir(copy / "out")}
    assert not os.path.exists(copy / "cache")
    assert seconds < 5


def test_new_agent_makes_only_the_initramfs(copy):
    before = {e.name: e.inode() for e in os.scandir(copy / "out")}
    with open(copy / "init", "ab") as agent:
        agent.write(b"more")
    text, _ = build(copy)
    changed = {e.name for e in os.scandir(copy / "out") if before.get(e.name) != e.inode()}
    assert changed <= {"initramfs.cpio", "boot.json", ".lock", "log"}
    assert "initramfs.cpio" in changed, text
    with open(copy / "out/boot.json", encoding="utf-8") as file:
        assert json.load(file)["agent_sha256"] == digest(copy / "init")
    assert "up to date" in build(copy)[0]


def test_missing_agent(tmp_path):
    done = subprocess.run([os.path.join(HERE, "build"), "--output", tmp_path / "out", "--agent",
                           tmp_path / "none", "--workers", tmp_path], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1
    assert "there is no agent" in done.stderr
