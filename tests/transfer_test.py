# SPDX-License-Identifier: Apache-2.0
"""Files between this machine and a session: whatever bytes their names have, and whatever stands at the
other end. The program's verbs, with real guests."""

import json
import os
import socket
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from support import BINARY, DEADLINE, wait_for


@pytest.fixture(scope="module")
def work(cli):
    """The label of a shell session that has a file and a history."""
    label = "transfer-" + os.urandom(4).hex()
    cli("open", "-l", "bash", "--label", label, "--idle", 0)
    cli("exec", label, "-c", "printf 'the content\\n' > file; echo done")
    yield label
    cli("close", label, status=None)


def content_of(cli, work, path):
    return subprocess.run([BINARY, "get", work, path, "-"], env=cli.env, capture_output=True, check=True,
                          timeout=DEADLINE).stdout


# ---- names ----


def test_a_folder_of_any_names(cli, work, tmp_path):
    """All files come, also where a page of the listing ends with a name that is not UTF-8."""
    cli("exec", work, "-c", r"""(mkdir -p many/$'sub\xfe' && cd many && for i in $(seq 1000 2499); do : > f$i; done
        rm f1999; printf odd > $'f1999\xff'; printf deep > $'sub\xfe/caf\xe9'; ln -s f1000 link; mkfifo pipe)""")
    done = cli("get", work, "many", tmp_path / "many")
    names = set(os.listdir(os.fsencode(tmp_path / "many")))
    assert names == {b"f%d" % i for i in range(1000, 2500) if i != 1999} | {b"f1999\xff", b"sub\xfe"}
    assert (tmp_path / "many" / os.fsdecode(b"f1999\xff")).read_text() == "odd"
    assert (tmp_path / "many" / os.fsdecode(b"sub\xfe") / os.fsdecode(b"caf\xe9")).read_text() == "deep"
    assert b"2 symbolic links or special files" in done.stderr


@pytest.mark.parametrize("name", [b"odd\xff", b"\xc3", b"\x01\n\t", b"\xed\xa0\x80x"])
def test_one_file_of_any_name(cli, work, tmp_path, name):
    here = os.path.join(os.fsencode(tmp_path), b"local \xfe" + name)
    with open(here, "wb") as file:
        file.write(b"up and down")
    def run(*arguments):
        return subprocess.run([BINARY, *arguments], env=cli.env, capture_output=True, check=True, cwd=tmp_path,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE)

    run("put", work, here)
    run("put", work, here, b"there/" + name)
    run("get", work, b"local \xfe" + name, b"back")
    assert (tmp_path / "back").read_bytes() == b"up and down"
    os.mkdir(os.path.join(os.fsencode(tmp_path), b"into"))
    run("get", work, b"there/" + name, b"into")
    assert os.listdir(os.path.join(os.fsencode(tmp_path), b"into")) == [name]
    run("exec", work, "-c", "true", "--download", b"there/" + name + b":again")
    assert (tmp_path / "again").read_bytes() == b"up and down"


def test_a_folder_with_more_than_its_limits(cli, work, tmp_path):
    cli("exec", work, "-c", "(mkdir deep && cd deep && for i in $(seq 30); do d=$(printf '%0150d' $i); mkdir $d; cd $d; done; "
                            "echo x > file)")
    assert b"longer than" in cli("get", work, "deep", "d", status=125, cwd=tmp_path).stderr


def test_put_of_a_folder_says_what_it_leaves(cli, work, tmp_path):
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / "file").write_text("1")
    (tmp_path / "up" / "link").symlink_to("file")
    os.mkfifo(tmp_path / "up" / "fifo")
    assert b"2 symbolic links or special files" in cli("put", work, tmp_path / "up", "left").stderr
    assert cli.out("exec", work, "-c", "ls left") == "file\n"


# ---- what stands at the other end ----


def writers(cli, work):
    """The ways to write a local file, each with the bytes that it writes."""
    document = cli("export", work, "--format", "md").stdout
    return {"get": (lambda to: ["get", work, "file", to], b"the content\n"),
            "export": (lambda to: ["export", work, "--format", "md", "-o", to], document),
            "download": (lambda to: ["exec", work, "-c", "true", "--download", f"file:{to}"], b"the content\n")}


WAYS = ["get", "export", "download"]


@pytest.mark.parametrize("way", WAYS)
def test_links_are_followed(cli, work, tmp_path, way):
    make, content = writers(cli, work)[way]
    (tmp_path / "target").write_text("before")
    (tmp_path / "target").chmod(0o640)
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "dangling").symlink_to("made")
    cli(*make(tmp_path / "link"))
    cli(*make(tmp_path / "dangling"))
    assert (tmp_path / "link").is_symlink() and (tmp_path / "dangling").is_symlink()
    written = (tmp_path / "target").read_bytes()
    assert written.startswith(content[:10]) and (tmp_path / "made").read_bytes().startswith(content[:10])
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dangling", "link", "made", "target"]


@pytest.mark.parametrize("way", WAYS)
def test_devices_stay_devices(cli, work, way):
    make, _ = writers(cli, work)[way]
    cli(*make("/dev/null"))
    done = cli(*make("/dev/full"), status=125)
    assert b"No space left on device" in done.stderr
    for device in ("/dev/null", "/dev/full", "/dev/stdout"):
        assert not stat.S_ISREG(os.lstat(device).st_mode), device


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["/dev/stdout", "/proc/self/fd/1", "-"])
def test_standard_output(cli, work, way, name):
    if way == "download" and name == "-":
        pytest.skip("--download has no name for it")
    make, content = writers(cli, work)[way]
    assert content[:10] in cli(*make(name)).stdout


@pytest.mark.parametrize("way", WAYS)
def test_a_fifo_and_a_socket(cli, work, tmp_path, way):
    make, content = writers(cli, work)[way]
    os.mkfifo(tmp_path / "fifo")
    process = cli.start(*make(tmp_path / "fifo"))
    assert (tmp_path / "fifo").read_bytes().startswith(content[:10])
    assert process.wait(DEADLINE) == 0 and stat.S_ISFIFO((tmp_path / "fifo").lstat().st_mode)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        process = cli.start(*make(tmp_path / "socket"))
        peer, _ = listener.accept()
        with peer, peer.makefile("rb") as stream:
            assert stream.read().startswith(content[:10])
        assert process.wait(DEADLINE) == 0
    assert stat.S_ISSOCK((tmp_path / "socket").lstat().st_mode)


@pytest.mark.parametrize("way", WAYS)
def test_a_fifo_without_a_reader_can_be_given_up(cli, work, tmp_path, way):
    make, _ = writers(cli, work)[way]
    os.mkfifo(tmp_path / "fifo")
    process = cli.start(*make(tmp_path / "fifo"))
    wait_for(lambda: "wait_for_partner" in Path(f"/proc/{process.pid}/wchan").read_text(), what="open() of the FIFO")
    process.terminate()
    process.communicate(timeout=DEADLINE)
    assert process.returncode != 0


def test_a_reader_that_goes_away(cli, work):
    cli("exec", work, "-c", "head -c 30000000 /dev/zero > large")
    with cli.start("get", work, "large", "-") as process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(DEADLINE) == 125
        assert process.stderr.read() == b""


def test_folders(cli, work, tmp_path):
    cli("export", work, "--format", "py", "-o", tmp_path, status=125)  # it is bash
    cli("export", work, "--format", "json", "-o", tmp_path)
    assert json.loads((tmp_path / f"{work}.json").read_text())["cells"]
    cli("export", work, "-o", f"{tmp_path}/")
    assert json.loads((tmp_path / f"{work}.ipynb").read_text())["cells"]
    cli("exec", work, "-c", "mkdir -p folder; echo x > folder/x")
    for target in ("-", "/dev/null", tmp_path / f"{work}.json"):
        assert b"cannot be one" in cli("get", work, "folder", target, status=125).stderr


# ---- standard input and the like ----


def test_put_of_a_stream(cli, work, tmp_path):
    data = os.urandom((3 << 20) + 5)
    cli("put", work, "-", "from stdin", input=data)
    assert content_of(cli, work, "from stdin") == data
    cli("put", work, "/dev/stdin", "named", input=b"by its name")
    assert content_of(cli, work, "named") == b"by its name"
    cli("put", work, "-", "empty", input=b"")
    assert content_of(cli, work, "empty") == b""
    os.mkfifo(tmp_path / "fifo")
    feeder = threading.Thread(target=lambda: (tmp_path / "fifo").write_bytes(b"through a fifo"))
    feeder.start()
    cli("put", work, tmp_path / "fifo", "piped")
    feeder.join()
    assert content_of(cli, work, "piped") == b"through a fifo"
    assert b"no name" in cli("put", work, "-", input=b"x", status=2).stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
@pytest.mark.parametrize("way", ["get", "download"])
def test_a_full_disk_leaves_what_was_there(cli, work, tmp_path, way):
    disk = tmp_path / "disk"
    disk.mkdir()
    cli("exec", work, "-c", "head -c 5000000 /dev/zero > five")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True)
    try:
        (disk / "old").write_text("before")
        for name in ("old", "new"):
            arguments = ["get", work, "five", disk / name] if way == "get" else [
                "exec", work, "-c", "true", "--download", f"five:{disk}/{name}"]
            assert b"No space left" in cli(*arguments, status=125).stderr
        assert [p.name for p in disk.iterdir()] == ["old"] and (disk / "old").read_text() == "before"
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
