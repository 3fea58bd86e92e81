# SPDX-License-Identifier: Apache-2.0
"""Checks of the builder, and of the images in $GLASSBELL_IMAGES or build/images."""

import argparse
import fcntl
import hashlib
import importlib.machinery
import importlib.util
import io
import json
import lzma
import os
import pathlib
import re
import shutil
import stat
import struct
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

from imagekit import architecture, cpio, emulated, interpreter, kernel, language, recipe, sources  # noqa: E402
from imagekit.packages import Packages  # noqa: E402
from imagekit.report import BuildError  # noqa: E402

IMAGES = os.environ.get("GLASSBELL_IMAGES") or os.path.join(HERE, "../build/images")
WORKERS = os.path.join(HERE, "../agent/workers")
NAMES = recipe.names(os.path.join(HERE, "recipes"))


def link_or_copy(source, target):
    """A link where both are on one file system, which is quick."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


# The host's apt configuration

SIGNED = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "


def parsed(parse, text, lists="/nonexistent"):
    return list(parse(text, str(lists)))


def test_one_line_sources():
    text = ("deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
            "http://one.example/debian bookworm main contrib # note\n"
            "# deb http://two.example/debian bookworm main\n"
            "deb-src http://three.example/debian bookworm main\n"
            "deb http://four.example/debian bookworm-backports main\n"
            "deb http://five.example/debian bookworm contrib\n"
            "deb [signed-by=/etc/apt/keyrings/vendor.gpg] http://six.example/apt bookworm main\n"
            "deb http://seven.example/security bookworm-security main\n"
            "deb [arch=arm64] http://eight.example/debian bookworm main\n"
            "deb http://nine.example/debian trixie-updates non-free main\n")
    assert parsed(sources.parse_one_line, text) == [
        ("http://one.example/debian", "bookworm", ""),
        ("http://seven.example/security", "bookworm", "-security"),
        ("http://nine.example/debian", "trixie", "-updates")]


def test_deb822_sources():
    text = ("Types: deb deb-src\n# a remark\nURIs: http://one.example/debian\n"
            "Suites: bookworm\n# another\n bookworm-updates\nComponents: main\n"
            "Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp\n\n"
            "Types: deb\nURIs: http://two.example/node\nSuites: bookworm\nComponents: main\n"
            "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n\n"
            "Enabled: no\nTypes: deb\nURIs: http://three.example\nSuites: bookworm\n"
            "Components: main\n \n"
            "types: deb\nuris: http://four.example/a http://five.example/b\nSUITES: trixie\n"
            "Components: contrib main\nArchitectures: arm64 amd64\n")
    expected = [("http://one.example/debian", "bookworm", ""),
                ("http://one.example/debian", "bookworm", "-updates"),
                ("http://four.example/a", "trixie", ""),
                ("http://five.example/b", "trixie", "")]
    assert parsed(sources.parse_deb822, text) == expected
    assert parsed(sources.parse_deb822, text.replace("\n", "\r\n")) == expected


@pytest.mark.parametrize("line", [
    "deb cdrom:[Debian GNU/Linux 12 _Bookworm_]/ bookworm main",
    "deb [signed-by=/etc/keys/other.gpg] http://one.example/debian bookworm main",
    "deb [signed-by=/tmp/debian-archive-keyring.gpg,/tmp/mine.gpg] http://a.example/ trixie main",
    "deb http://one.example/debian stable main",               # whose stable?
    "deb http://one.example/debian ./ main",
    "deb http://one.example/debian bookworm/updates main",
    "deb http://one.example/debian BOOKWORM main",
    "deb http://one.example/deb\x1b[2Jian bookworm main",
    "deb http://one.example/'$(id)#x bookworm main",
    "deb ssh://one.example/debian bookworm main",
    "deb bookworm main",
    "deb [",
    "deb [a=b http://one.example/debian bookworm main",
    "debs http://one.example/debian bookworm main",
])
def test_what_is_no_source(line):
    assert parsed(sources.parse_one_line, line + "\n") == []


def test_deb822_cannot_smuggle_a_line(tmp_path):
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/a.sources").write_text(
        "Types: deb\nURIs: http://one.example/#x\n http://two.example/debian\n"
        " http://three.example/\x07deb\nSuites: trixie\nComponents: main\n")
    assert {uri for uri, _ in sources.from_host("trixie", str(tmp_path), "/nonexistent")
            } == {"http://two.example/debian"}


@pytest.mark.parametrize("host", ["bookworm", "trixie", "sid"])
@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
@pytest.mark.parametrize("form", ["line", "deb822"])
def test_any_host_serves_any_suite(tmp_path, host, suite, form):
    (tmp_path / "sources.list.d").mkdir()
    if form == "line":
        (tmp_path / "sources.list").write_text(
            f"deb http://one.example/debian {host} main\n"
            f"deb http://one.example/debian {host} main non-free\n"
            f"deb http://one.example/debian {host}-updates main\n"
            f"deb {SIGNED}http://two.example/debian-security {host}-security main\n")
    else:
        (tmp_path / "sources.list.d/debian.sources").write_text(
            f"Types: deb\nURIs: http://one.example/debian\nSuites: {host} {host}-updates\n"
            "Components: main\n\n"
            f"Types: deb\nURIs: http://two.example/debian-security\nSuites: {host}-security\n"
            "Components: main\n"
            "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n")
    found = sources.from_host(suite, str(tmp_path), "/nonexistent")
    assert found == [("http://one.example/debian", suite),
                     ("http://one.example/debian", suite + "-updates"),
                     ("http://two.example/debian-security", suite + "-security")]
    assert sources.as_list(found).splitlines()[0].endswith(f" http://one.example/debian {suite} main")


def test_own_entries_come_before_exchanged_ones(tmp_path):
    (tmp_path / "sources.list").write_text(
        "deb http://old.example/debian bookworm main\n"
        "deb http://new.example/debian trixie main\n"
        "deb http://old.example/debian bookworm-security main\n")
    assert sources.from_host("trixie", str(tmp_path), "/nonexistent") == [
        ("http://new.example/debian", "trixie"), ("http://old.example/debian", "trixie-security")]


def test_whose_archive_the_host_found(tmp_path):
    """What apt has read from a source decides over names that everybody uses."""
    for name, origin in (("one.example_debian_dists_stable_InRelease", "Debian"),
                         ("two.example_a%5fb_dists_bookworm_Release", "Vendor"),
                         ("three.example_deb_dists_stable_InRelease", "Vendor")):
        (tmp_path / name).write_text(f"Label: x\nOrigin: {origin}\nSuite: x\n")
    text = ("deb http://user:pw@one.example/debian/ stable main\n"
            "deb http://two.example/a_b bookworm main\n"
            "deb http://three.example/deb stable main\n")
    assert parsed(sources.parse_one_line, text, tmp_path) == [
        ("http://user:pw@one.example/debian/", "stable", "")]


def test_lists_of_mirrors_are_followed(tmp_path):
    mirrors = tmp_path / "mirrors.list"
    mirrors.write_text("# first\nhttp://one.example/debian\tpriority:1\nhttp://two.example/d\n")
    (tmp_path / "sources.list").write_text(f"deb mirror+file://{mirrors} bookworm main\n"
                                           "deb file:/srv/debian bookworm-updates main\n"
                                           "deb mirror+file:/nonexistent bookworm-security main\n")
    assert sources.from_host("trixie", str(tmp_path), "/nonexistent") == [
        ("http://one.example/debian", "trixie"), ("copy:/srv/debian", "trixie-updates")]


@pytest.mark.parametrize("text", ["", "deb http://one.example/debian trixie-updates main\n",
                                  "deb http://one.example/debian trixie contrib\n"])
def test_no_debian_source(tmp_path, text):
    (tmp_path / "sources.list").write_text(text)
    with pytest.raises(BuildError, match="trixie"):
        sources.from_host("trixie", str(tmp_path), "/nonexistent")


# Recipes, archive, kernel

def test_recipe_includes(tmp_path):
    (tmp_path / "base.recipe").write_text("packages: bash\n    git\n")
    (tmp_path / "more.recipe").write_text("language: shell\ninclude: base\npackages: jq\n")
    assert recipe.load(tmp_path, "more").packages == ["bash", "git", "jq"]
    assert recipe.names(tmp_path) == ["more"]


def test_recipe_inherits(tmp_path):
    """Lists, commands, warm-up and the suite come from what is included; one's own suite wins."""
    for name, text in (("base", "suite: trixie\npackages: bash\n"),
                       ("one", "language: python\ninclude: base\nrun: echo one\n"),
                       ("two", "language: python\ninclude: one\nrun: echo two\n"),
                       ("old", "language: python\ninclude: two\nsuite: bookworm\n"),
                       ("older", "language: python\ninclude: old\n"),
                       ("bare", "language: shell\n")):
        (tmp_path / (name + ".recipe")).write_text(text)
    (tmp_path / "one.warm").write_text("import a\n")
    (tmp_path / "old.warm").write_text("import b\n")
    assert [recipe.load(tmp_path, name).suite for name in ("one", "two", "old", "older", "bare")] \
        == ["trixie", "trixie", "bookworm", "bookworm", ""]
    assert recipe.load(tmp_path, "two").run.split("\n") == ["echo one", "echo two", ""]
    assert recipe.load(tmp_path, "older").warm == "import a\nimport b\n"


def test_recipe_keeps(tmp_path):
    """What an included recipe removes may be kept, by its own pattern and no other."""
    (tmp_path / "one.recipe").write_text("language: python\nremove: /a /b/* /c\n")
    (tmp_path / "two.recipe").write_text("language: python\ninclude: one\nkeep: /b/*\nremove: /d\n")
    (tmp_path / "bad.recipe").write_text("language: python\ninclude: one\nkeep: /b\n")
    assert recipe.load(tmp_path, "two").remove == ["/a", "/c", "/d"]
    with pytest.raises(BuildError, match="removes /b"):
        recipe.load(tmp_path, "bad")


def test_recipe_on_demand(tmp_path):
    for name, text in (("one", "language: python\non_demand: yes\n"),
                       ("two", "language: python\ninclude: one\n"),
                       ("three", "language: python\non_demand: no\n")):
        (tmp_path / (name + ".recipe")).write_text(text)
    assert [recipe.load(tmp_path, name).on_demand for name in ("one", "two", "three")] \
        == [True, False, False]


@pytest.mark.parametrize("text", ["colour: red\n", "on_demand: 1\n", "on_demand:\n", "keep: /x\n", "packages bash\n", "include: bad\n",
                                  "language: a\nlanguage: b\n", "suite: ../x\n",
                                  "suite: a b\n", "suite: Trixie\n", "suite: -x\n"])
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


ELF = b"\x7fELF" + bytes(range(256)) * 64


def packed(content, tool, size=None):
    """A bzImage as the kernel's build makes it: its payload is followed by the unpacked size."""
    data = subprocess.run([tool, "--compress", "--stdout", *(["-l"] if tool == "lz4" else [])],
                          input=content, check=True, capture_output=True).stdout
    data += struct.pack("<I", len(content) if size is None else size)
    head = bytearray(1024)
    head[0x1F1] = 1
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<II", head, 0x248, 0, len(data))
    return bytes(head) + data


@pytest.mark.parametrize("tool", ["lz4", "zstd"])
def test_kernel_is_taken_out(tool):
    assert kernel.take_vmlinux(packed(ELF, tool)) == ELF


@pytest.mark.parametrize("image", [
    b"", b"\0" * 4096, b"\0" * 0x202 + b"HdrS", packed(ELF, "lz4")[:-9], packed(ELF, "zstd")[:-9],
    packed(ELF, "zstd", size=5), packed(b"no kernel", "lz4"), packed(ELF, "xz"),
])
def test_kernel_that_is_none(image):
    with pytest.raises(BuildError):
        kernel.take_vmlinux(image)


# The start of a kernel of arm64, as QEMU boots it.
IMAGE = b"MZ" + bytes(0x36) + b"ARM\x64" + bytes(range(256)) * 16


def zboot(payload, length=None):
    """A kernel that unpacks itself, as newer ones of arm64 do under UEFI."""
    return (b"MZ\0\0zimg" + struct.pack("<II", 64, len(payload) if length is None else length)).ljust(64, b"\0") \
        + payload + b"more"


def squeezed(tool, content=IMAGE):
    return subprocess.run([tool, "--stdout"], input=content, check=True, capture_output=True).stdout


def test_kernel_of_arm64_is_taken_out():
    for packing in (lambda data: data, lambda data: squeezed("gzip", data), lambda data: squeezed("zstd", data)):
        assert kernel.take_arm64_image(packing(IMAGE)) == IMAGE
        assert kernel.take_arm64_image(zboot(packing(IMAGE))) == IMAGE


@pytest.mark.parametrize("image", [
    b"", b"\0" * 4096, ELF, zboot(b""), zboot(squeezed("gzip"), 1 << 30), zboot(squeezed("gzip")[:-9]),
    zboot(squeezed("zstd")[:-9]), squeezed("gzip", b"no kernel"), squeezed("gzip")[:20] + bytes(64),
], ids=range(9))
def test_kernel_of_arm64_that_is_none(image):
    with pytest.raises(BuildError):
        kernel.take_arm64_image(image)


# Architectures


def test_architectures_are_found_by_both_names():
    for one in architecture.ALL:
        assert architecture.find(one.debian) is one and architecture.find(one.machine) is one
    assert architecture.native().machine == os.uname().machine
    with pytest.raises(BuildError, match="amd64 .x86_64. and arm64 .aarch64."):
        architecture.find("sparc64")


@pytest.mark.parametrize("program, runs", [
    (b"\x7fELF\x02\x01\x01\x00" + bytes(8) + b"\x02\x00\xb7\x00", True),
    (b"\x7fELF\x02\x01\x01\x03" + bytes(8) + b"\x03\x00\xb7\x00", True),   # a shared object, of Linux's ABI
    (b"\x7fELF\x02\x01\x01\x00" + bytes(8) + b"\x02\x00\x3e\x00", False),  # of x86-64
    (b"\x7fELF\x01\x01\x01\x00" + bytes(8) + b"\x02\x00\xb7\x00", False),  # of 32 bits
    (b"\x7fELF\x02\x01\x01\x00" + bytes(8) + b"\x01\x00\xb7\x00", False),  # no program
])
def test_what_the_emulator_is_started_for(program, runs):
    """The kernel compares magic number and mask as is done here."""
    entry = emulated.entry(architecture.find("arm64"), "/usr/bin/emulator").split(":")
    assert entry[:4] == ["", emulated.NAME, "M", ""] and entry[6:] == ["/usr/bin/emulator", "F"]
    magic, mask = (bytes.fromhex(text.replace("\\x", "")) for text in entry[4:6])
    assert len(magic) == len(mask) == len(program)
    assert all((a ^ b) & m == 0 for a, b, m in zip(program, magic, mask)) == runs


def test_a_folder_has_images_of_one_architecture(tmp_path):
    (tmp_path / "boot.json").write_text(json.dumps({"format": 1, "architecture": "m68k"}))
    done = subprocess.run([os.path.join(HERE, "build"), "--output", tmp_path, "--agent", __file__, "--workers",
                           WORKERS], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "are for guests of m68k" in done.stderr


def module(depends=""):
    return b"\x7fELF\0license=GPL\0depends=" + depends.encode() + b"\0end"


SIGNATURE = bytes(20) + bytes(8) + struct.pack(">I", 20) + b"~Module signature appended~\n"


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A folder of modules as a package has it, of which `wanted` are asked for."""
    folder = tmp_path / "modules"
    (folder / "kernel/fs").mkdir(parents=True)

    def collect(files, wanted, builtin=()):
        for name, data in files.items():
            (folder / "kernel/fs" / name).write_bytes(data)
        (folder / "modules.builtin").write_text("".join(f"kernel/fs/{b}.ko\n" for b in builtin))
        monkeypatch.setattr(kernel, "MODULES", wanted)
        kernel.collect_modules(str(folder), str(tmp_path / "out"))
        order = (tmp_path / "out/order").read_text().split()
        return {name: (tmp_path / "out" / name).read_bytes() for name in order}
    return collect


def test_modules_of_all_packings(modules):
    zstd = subprocess.run(["zstd", "--stdout"], input=module(), check=True,
                          capture_output=True).stdout
    got = modules({"a.ko": module("b,c-d") + SIGNATURE, "b.ko.xz": lzma.compress(module("c-d")),
                   "c-d.ko.zst": zstd, "other.ko.xz": b"not looked at"}, ("a",))
    assert list(got) == ["c_d.ko", "b.ko", "a.ko"] and got["a.ko"] == module("b,c-d")
    assert got["b.ko"] == module("c-d") and got["c_d.ko"] == module()


def test_modules_that_are_built_in(modules):
    """They are no files, whether asked for or needed by another, with either sign in the name."""
    got = modules({"a.ko": module("x_y")}, ("a", "x-y", "z"), builtin=("x-y", "z"))
    assert list(got) == ["a.ko"]


@pytest.mark.parametrize("files", [{}, {"a.ko": module("gone")}, {"a.ko.xz": b"rubbish"},
                                   {"a.ko.zst": b"rubbish"}, {"a.ko": b""},
                                   {"a.ko.xz": lzma.compress(module())[:-9]}])
def test_modules_that_are_missing_or_broken(modules, files):
    with pytest.raises(BuildError):
        modules(files, ("a",), builtin=("b",))


def test_suite_of_the_base():
    """One line says what the images are of."""
    folder = os.path.join(HERE, "recipes")
    assert {recipe.load(folder, name).suite for name in NAMES} == {"trixie"}
    assert recipe.load(folder, "base").suite == "trixie"


# What was built

def load(name):
    try:
        with open(os.path.join(IMAGES, name), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        pytest.skip("no images were built")


def test_images_that_nobody_asked_for_are_not_due(tmp_path):
    """A folder that has it keeps it up to date; one that does not is complete without it."""
    source = importlib.machinery.SourceFileLoader("builder", os.path.join(HERE, "build"))
    builder = importlib.util.module_from_spec(importlib.util.spec_from_loader("builder", source))
    source.exec_module(builder)

    def wanted(*names):
        options = argparse.Namespace(names=names, output=str(tmp_path), agent=__file__, kernel_suite=None,
                                     workers=WORKERS, architecture=architecture.native().debian)
        return {item.name for item in builder.Build(options, None).recipes}

    default = wanted()
    assert default == {name for name in NAMES if name != "python-science"}
    assert wanted("python-science") == {"python-science"}
    (tmp_path / "python-science.json").write_text("{}")
    assert wanted() == default | {"python-science"}


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
    _, top = root
    if not os.path.exists(os.path.join(top, "usr/bin/python3")):
        pytest.skip("an image without Python")
    assert inside(top, "/usr/bin/python") == inside(top, "/usr/bin/python3")
    version = os.path.basename(inside(top, "/usr/bin/python3")).removeprefix("python")
    library, tag = os.path.join(top, "usr/lib/python" + version), version.replace(".", "")
    for module in ("os", "json/decoder", "sqlite3/dbapi2", "ssl", "ctypes/__init__",
                   "multiprocessing/pool", "zoneinfo/__init__"):
        folder, _, file = module.rpartition("/")
        path = os.path.join(library, folder, "__pycache__", f"{file}.cpython-{tag}.pyc")
        with open(path, "rb") as code:
            # Flags of PEP 552: a hash, not to be checked.
            assert code.read(8)[4:] == b"\x01\0\0\0", path


def test_workers_are_compiled_for_the_guest():
    """By the guests' own Python, whatever the host's is: its magic number is theirs."""
    boot = load("boot.json")
    with open(os.path.join(IMAGES, "initramfs.cpio"), "rb") as file:
        found = entries(file.read())
    assert boot["interpreters"]
    for folder in boot["interpreters"].values():
        tag = interpreter.cache_tag(os.path.join(IMAGES, folder))
        sample = interpreter.compile_module(os.path.join(IMAGES, folder), b"x = 1\n", "sample.py")
        for name, (mode, _) in list(found.items()):
            if name.endswith(".py") and stat.S_ISREG(mode):
                place, _, file = name.rpartition("/")
                code = found[f"{place}/__pycache__/{file.removesuffix('.py')}.{tag}.pyc"][1]
                assert code[:8] == sample[:8] and b"/run/glassbell/" in code, name


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
    for record in load("boot.json")["languages"]:
        shutil.copyfile(os.path.join(WORKERS, record["name"], language.RECORD),
                        tmp_path / "worker" / record["name"] / language.RECORD)
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


def test_two_builders_do_not_share_packages_at_once(copy):
    """Of two folders with one cache, the second waits for the first."""
    with open(copy / "init", "ab") as agent:
        agent.write(b"more")
    (copy / "cache").mkdir()
    with open(copy / "cache/.lock", "w", encoding="ascii") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        with subprocess.Popen([os.path.join(HERE, "build"), "--output", copy / "out", "--cache", copy / "cache",
                               "--agent", copy / "init", "--workers", copy / "worker", "shell"],
                              stdout=subprocess.PIPE, text=True) as second:
            assert "waiting for another builder" in second.stdout.readline()
            with open(copy / "out/boot.json", encoding="utf-8") as file:
                assert json.load(file)["agent_sha256"] != digest(copy / "init")
            fcntl.flock(first, fcntl.LOCK_UN)
            assert "done" in second.stdout.read()
        assert second.returncode == 0


class OneFetched:
    """The store of packages of a suite that has a package in two versions, one after the other."""

    version = None

    def run(self, name, argv, failure):
        assert argv[:3] == ["sh", "-c", 'cd "$1" && shift && exec "$@"']
        pathlib.Path(argv[4], f"tool_{self.version.replace(':', '%3a')}_amd64.deb").write_text(self.version)


def test_a_package_alone_leaves_the_store_as_it_is(tmp_path, monkeypatch):
    packages = Packages(tmp_path, "trixie", None)
    packages.report = fetched = OneFetched()
    monkeypatch.setattr(packages, "field", lambda package, name: fetched.version)
    for path in (packages.archives, packages.lists, packages.single):
        os.makedirs(path)
    before = [os.stat(path).st_mtime_ns for path in (packages.archives, packages.lists)]
    for fetched.version in ("1:1.0-1", "1:1.0-2"):
        assert pathlib.Path(packages.fetch_one("tool")).read_text() == fetched.version
        assert len(os.listdir(packages.single)) == 1
    assert before == [os.stat(path).st_mtime_ns for path in (packages.archives, packages.lists)]


# Records of languages

TOY = {"name": "toy", "title": "Toy", "prompt": {"first": "> ", "more": ". ", "indent": " "},
       "notebook": {"kernel": "toy", "title": "Toy"}, "highlight": {"lexer": "words"}}


def worker(folder, text, name="toy"):
    os.makedirs(folder / name)
    (folder / name / "argv").write_text("/bin/true\n")
    (folder / name / "language.json").write_text(text if isinstance(text, str) else json.dumps(text))
    return folder


def test_records_are_in_the_manifest_and_not_in_the_guest():
    """What is known of a language is told to clients, and changes no guest."""
    assert load("boot.json")["languages"] == language.load_all(WORKERS)
    with open(os.path.join(IMAGES, "initramfs.cpio"), "rb") as file:
        found = entries(file.read())
    assert "worker/python/argv" in found
    assert not [name for name in found if name.endswith("language.json")]


@pytest.mark.parametrize("change, sentence", [
    ({"colour": "red"}, '"colour" is not known'),
    ({"warm": {"up": []}}, '"warm.up" is not known'),
    ({"title": None}, '"title" is missing'),
    ({"prompt": {"first": "> "}}, '"prompt.more" is missing'),
    ({"prompt": "> "}, '"prompt" is no object'),
    ({"highlight": None}, '"highlight.lexer" is missing'),
    ({"endings": ".toy"}, '"endings" is no list'),
    ({"endings": [1]}, '"endings" is a list of something else'),
    ({"title": ""}, '"title" is no text, or empty'),
    ({"name": "Toy"}, "Toy is no name"),
    ({"name": "other"}, "it is of the language other"),
])
def test_a_wrong_record_is_told(tmp_path, change, sentence):
    record = {key: value for key, value in {**TOY, **change}.items() if value is not None}
    with pytest.raises(BuildError, match=re.escape(sentence)):
        language.load_all(worker(tmp_path, record))


@pytest.mark.parametrize("text, sentence", [
    ("{", "it is no JSON"), ("[]", "it is no object"), ('{"name": "toy", "name": "toy"}', "given twice"),
])
def test_what_is_no_record(tmp_path, text, sentence):
    with pytest.raises(BuildError, match=re.escape(sentence)):
        language.load_all(worker(tmp_path, text))


def records(ending):
    with open(os.path.join(HERE, "..", "tests", "records", f"language.{ending}"), encoding="utf-8") as file:
        return [line for line in file if not line.startswith("#")]


@pytest.mark.parametrize("line", records("wrong"))
def test_what_the_engine_refuses_is_refused(tmp_path, line):
    """The engine's own test reads the same file."""
    with pytest.raises(BuildError):
        language.load_all(worker(tmp_path, line))


@pytest.mark.parametrize("line", records("right"))
def test_what_the_engine_takes_is_taken(tmp_path, line):
    name = json.loads(line)["name"]
    assert language.load_all(worker(tmp_path, line, name)) == [json.loads(line)]


@pytest.mark.parametrize("one, other", [
    ({"aliases": ["x"]}, {"aliases": ["x"]}), ({"endings": [".x"]}, {"endings": [".x"]}),
    ({"programs": ["x"]}, {"programs": ["x"]}), ({}, {"aliases": ["toy"]}),
])
def test_nothing_is_of_two_languages(tmp_path, one, other):
    worker(tmp_path, {**TOY, **one})
    worker(tmp_path, {**TOY, **other, "name": "zoo"}, "zoo")
    with pytest.raises(BuildError, match="both claim"):
        language.load_all(tmp_path)


def test_a_worker_without_a_record(copy):
    os.remove(copy / "worker/python/language.json")
    done = subprocess.run([os.path.join(HERE, "build"), "--output", copy / "out", "--agent", copy / "init",
                           "--workers", copy / "worker"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the worker python has no language.json" in done.stderr


def test_missing_agent(tmp_path):
    done = subprocess.run([os.path.join(HERE, "build"), "--output", tmp_path / "out", "--agent",
                           tmp_path / "none", "--workers", tmp_path], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1
    assert "there is no agent" in done.stderr
