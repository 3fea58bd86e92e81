# SPDX-License-Identifier: Apache-2.0
"""Templates: made once, restored many times, never believed unseen; and nothing that two clones share."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

from support import BINARY, RELEASE, Failure, Server, Session, out, wait_for


RESTORED = ("template", "pool")
CLONES = int(os.environ.get("GLASSBELL_CLONES", "50"))  # over all images


@pytest.fixture
def cache(tmp_path):
    yield tmp_path / "cache"
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)


def serve(cache, *arguments, **env):
    return Server("--verbose", *arguments, env={"XDG_CACHE_HOME": str(cache), **env})


def templates(cache):
    return [path for path in (cache / "glassbell/templates").iterdir() if path.is_dir()]


def damage(path: pathlib.Path):
    """Changes one byte in the middle of what is there, and its size not."""
    content = path.read_bytes()
    at = next(i for i in range(len(content) // 2, len(content)) if content[i])
    with path.open("r+b") as file:
        file.seek(at)
        file.write(bytes([content[at] ^ 1]))


def test_restores_from_a_template(fresh):
    """Two clones of one template know nothing of each other, and are who they are told to be."""
    first, second = fresh("shell"), fresh("shell", env={"MINE": "2"})
    assert "boot" not in (first.opened["source"], second.opened["source"])
    assert first.get()["source"] == first.opened["source"]
    code = "a=$((a+1)); echo $a $MINE; touch file$a; ls; hostname; cat /etc/machine-id"
    one, two = out(first.exec(code)).split(), out(second.exec(code)).split()
    assert one[:2] == ["1", "file1"] and two[:3] == ["1", "2", "file1"]
    assert one[-1] != two[-1] and one[-2] != two[-2]
    assert one[-2] == "glassbell-" + first.id[2:8]


def test_other_memory_is_not_ignored(fresh):
    """A size that was asked for once boots; from the second time on it has a template of its own."""
    sizes = [fresh("shell", memory_mb=144) for _ in range(2)]
    assert sizes[1].opened["source"] != "boot"
    for session in sizes:
        total = int(out(session.exec("free -m | awk '/Mem/ {print $2}'")))
        assert 90 < total < 144


def test_damaged_templates_are_made_anew(cache):
    """Whatever is wrong with it: it is never loaded, and the log says so."""
    with serve(cache) as server, server.client() as client:
        assert Session(client, "shell").opened["source"] in RESTORED
    (template,) = templates(cache)
    good = {name: (template / name).read_bytes() for name in ("ram", "state", "manifest")}
    for name in good:
        damage(template / name)
        with serve(cache) as server, server.client() as client:
            session = Session(client, "shell")
            assert session.opened["source"] in RESTORED and out(session.exec("echo 1")) == "1\n"
            assert "made anew" in server.log.read_text(), name
    assert templates(cache) == [template]
    # What is as it was made is not made again.
    with serve(cache) as server, server.client() as client:
        assert Session(client, "shell").opened["source"] in RESTORED
        assert "made anew" not in server.log.read_text()


def make_useless(template, file):
    """All of it is as its manifest says, and no clone of it comes up: there are zeros in a file."""
    path = template / file
    size = path.stat().st_size
    os.truncate(path, 0)
    os.truncate(path, size)
    lines = (template / "manifest").read_bytes().split(b"\n")
    [at] = [i for i, line in enumerate(lines) if line.startswith(file.encode() + b" ")]
    lines[at] = f"{file} {size} {hashlib.sha256().hexdigest()}".encode()
    (template / "manifest").write_bytes(b"\n".join(lines))


@pytest.mark.parametrize("file", ["ram", "state"])
def test_template_of_no_use_is_made_anew(cache, file):
    """As a template of another processor than it says: twice one boots instead, then there is a new one."""
    with serve(cache) as server, server.client() as client:
        works(Session(client, "shell"), RESTORED)
    (template,) = templates(cache)
    make_useless(template, file)
    before = (template / "ram").stat()
    with serve(cache) as server, server.client() as client:
        works(Session(client, "shell"), ["boot"])
        assert (template / "ram").stat().st_mtime_ns == before.st_mtime_ns  # one may be an accident
        works(Session(client, "shell"), ["boot"])
        works(Session(client, "shell"), RESTORED)
        works(Session(client, "shell"), RESTORED)
        text = server.log.read_text()
        assert text.count("its clone did not come up") == 2 and text.count("is made anew") == 1
        assert (template / "ram").stat().st_mtime_ns > before.st_mtime_ns
    with serve(cache) as server, server.client() as client:
        works(Session(client, "shell"), RESTORED)


# Everything that a program takes for its own, one `name value` a line. What is read by a program of its
# own is asked for by a few clones only: each costs many times what the rest does.
SOURCES = {
    "python": (30, """
import os, random
print('getrandom', os.getrandom(16).hex())
print('urandom', open('/dev/urandom', 'rb').read(16).hex())
print('random', random.random())
print('fresh', random.Random().random())
""", """
import secrets, ssl, tempfile, uuid
print('uuid1', uuid.uuid1())
print('node', uuid.getnode())
print('uuid4', uuid.uuid4())
print('secrets', secrets.token_hex())
print('openssl', ssl.RAND_bytes(16).hex())
print('tempfile', tempfile.mktemp())
"""),
    "python-data": (10, """
import os, random
print('random', random.random(), random.getrandbits(64))
print('getrandom', os.getrandom(16).hex())
import numpy
print('numpy', numpy.random.random(), numpy.random.randint(1 << 62))
print('default_rng', numpy.random.default_rng().random())
""", """
import uuid, ssl
print('uuid1', uuid.uuid1(), uuid.uuid4())
print('openssl', ssl.RAND_bytes(16).hex())
"""),
    "javascript": (50, """
const crypto = require('crypto');
console.log('Math.random', Math.random(), Math.random());
console.log('randomUUID', crypto.randomUUID());
console.log('randomBytes', crypto.randomBytes(16).toString('hex'));
console.log('getRandomValues', crypto.webcrypto.getRandomValues(new Uint32Array(4)).join());
""", """
console.log('webcrypto', crypto.webcrypto.randomUUID());
console.log('generated', crypto.generateKeySync('hmac', { length: 128 }).export().toString('hex'));
"""),
    "shell": (110, """
echo RANDOM $RANDOM $RANDOM $RANDOM $RANDOM
echo SRANDOM $SRANDOM $SRANDOM
echo HOSTNAME $HOSTNAME
for name in /proc/sys/kernel/{hostname,random/boot_id,random/uuid} /etc/machine-id; do
    read -r value < $name; echo $name $value
done
""", """
echo mktemp $(mktemp -u)
echo hostname-program $(hostname)
echo urandom $(od -An -tx1 -N16 /dev/urandom | tr -d ' ')
echo hosts $(grep 127.0.1.1 /etc/hosts)
echo awk $(awk 'BEGIN { srand(); print rand() }' | md5sum) $$ $SRANDOM
"""),
}


def test_clones_share_nothing(client):
    """Many clones, and no two equal values of any source."""
    seen, clones, few = {}, 0, 5

    def note(image, cell):
        assert cell["exit_code"] == 0, cell["stderr"]
        assert cell["source"] in RESTORED
        for line in out(cell).splitlines():
            name, value = line.split(" ", 1)
            values = seen.setdefault((image, name), [])
            assert value not in values, f"{name} of {image}: {value} comes twice"
            values.append(value)

    # Of guests of another architecture there are fewer images.
    there = {one["name"] for one in client.call("hello")["images"]}
    sources = {image: source for image, source in SOURCES.items() if image in there}
    assert len(sources) >= 3
    for image, (count, code, more) in sources.items():
        count = max(few, count * CLONES // 200)
        client.send("image.warm", image=image).wait(240)
        pending = []
        for i in range(count):
            pending.append(client.send("run", image=image, timeout_ms=120000,
                                       code=code + (more if i < few else "")))
            clones += 1
            if len(pending) > 3:
                note(image, pending.pop(0).wait())
        for reply in pending:
            note(image, reply.wait())
        assert {len(seen[key]) for key in seen if key[0] == image} == {few, count}
    assert clones >= CLONES or len(sources) < len(SOURCES)


def clock_error(session, offset=0):
    """By how much the guest's clock is wrong, where it is to be @offset seconds from ours.

    The error is at most what one look cannot tell, so the best of some looks counts.
    """
    errors = []
    for _ in range(5):
        before = time.time() + offset
        inside = float(out(session.exec("echo $EPOCHREALTIME")))
        errors.append(max(before - inside, inside - time.time() - offset, 0))
    return min(errors)


def test_clock_is_right(fresh):
    """A clone's clock stood still since its template was made."""
    for _ in range(3):
        session = fresh("shell")
        session.exec(":")
        assert clock_error(session) < 0.05


@pytest.mark.parametrize("pool", ["0:0", "1:1"])
def test_clock_jumps(tmp_path, pool):
    """The host's clock is set, forth and back, after the template was saved, and while a clone stands ready."""
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        pytest.skip("setting a server's clock needs faketime")
    clock = tmp_path / "clock"

    def set_clock(offset):
        """In one step: the server reads it at any time, and ends at half a line."""
        new = tmp_path / "new"
        new.write_text(f"{offset:+}\n")
        new.replace(clock)

    set_clock(0)
    env = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
           "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
    with Server("--pool", "shell=" + pool, binary=RELEASE, env=env) as server, server.client() as client:
        client.call("image.warm", image="shell")
        for offset in (86400, -3600):
            # Of the server alone: QEMU's environment is empty.
            if pool != "0:0":
                wait_for(lambda: any(vm["pool"] == "ready" for vm in client.call("stats")["vms"]), what="a ready VM")
            set_clock(offset)
            session = Session(client, "shell")
            assert session.opened["source"] == ("template" if pool == "0:0" else "pool")
            assert clock_error(session, offset) < 0.05
            session.close()


def qemus(server):
    """The QEMU processes below a server, whoever they are for."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = stat.read_text().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        parents[int(stat.parent.name)] = (int(rest.split()[1]), name)
    launchers = [pid for pid, (parent, _) in parents.items() if parent == server.process.pid]
    return [pid for pid, (parent, name) in parents.items() if parent in launchers and "qemu" in name]


def being_made(cache, name):
    """A file of a template that is not finished, once it is there."""
    return next(iter(cache.glob(f"glassbell/templates/new.*/{name}")), None)


def works(session, source=("boot", "template", "pool")):
    assert session.opened["source"] in source
    assert out(session.exec("echo fine")) == "fine\n"
    session.close()


@pytest.mark.parametrize("file", ["ram", "state"])
def test_qemu_killed_while_a_template_is_made(cache, file):
    """Whoever waits for it boots; nothing half made is left; and it can be made again."""
    with serve(cache) as server, server.client() as client:
        pending = client.send("session.open", image="shell")
        wait_for(lambda: being_made(cache, file), what=f"the file {file}")
        for pid in qemus(server):
            with contextlib.suppress(ProcessLookupError):  # it may have done its work by now
                os.kill(pid, signal.SIGKILL)
        session = pending.wait()["session"]
        assert out(client.call("session.exec", session=session, code="echo fine")) == "fine\n"
        assert client.call("image.warm", image="shell")["bytes"] > 1 << 20
        works(Session(client, "shell"), RESTORED)
    assert len(templates(cache)) == 1 and being_made(cache, "*") is None


def test_qemu_killed_while_it_loads(fresh, server, client):
    """A clone that dies before anything ran in it is replaced, and its session knows nothing of it."""
    works(fresh("shell"))
    before = set(qemus(server))
    pending = client.send("session.open", image="shell")
    killed = wait_for(lambda: set(qemus(server)) - before, what="a QEMU process")
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    client.call("session.close", session=pending.wait()["session"])
    works(fresh("shell"))


def test_qemu_killed_again_and_again(fresh, server, client):
    """The session has its clone but is not open: another clone follows, and after two of them a boot.
    The moment is a short one, though many variables make it longer: when one of the two gets through, it
    is tried again."""
    env = {f"VARIABLE_{i}": "x" * 600 for i in range(100)}
    with server.client() as eye:
        seen = {vm["pid"] for vm in eye.call("stats")["vms"]}
        source = None
        for _ in range(20):
            pending = client.send("session.open", image="shell", env=env)
            while not pending.done():
                for vm in eye.call("stats")["vms"]:
                    if vm["source"] in ("template", "pool") and vm["pid"] not in seen and not pending.done():
                        seen.add(vm["pid"])
                        os.kill(vm["pid"], signal.SIGKILL)
            opened = pending.wait()
            source = opened["source"]
            if source == "boot":
                assert out(client.call("session.exec", session=opened["session"], code="echo 1")) == "1\n"
            client.call("session.close", session=opened["session"])
            if source == "boot":
                break
    assert source == "boot" and "is replaced" in server.log.read_text()


@pytest.fixture
def small_disk(cache):
    """A cache folder on a disk of its own."""
    cache.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "none", cache])
    if mounted.returncode != 0:
        pytest.skip("mounting a file system needs root")
    yield cache
    subprocess.run(["umount", "-l", cache], check=True)


def test_disk_full(small_disk):
    """No room for a template: sessions boot, the log says why, and it is made when there is room."""
    with serve(small_disk) as server, server.client() as client:
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(300 << 20))
        works(Session(client, "shell"), ["boot"])
        assert "has no room for a template" in server.log.read_text()
        assert client.call("hello")["protocol"] == 1
        # It fills up while the guest boots: what QEMU maps cannot be had any more.
        ballast.unlink()
        pending = client.send("image.warm", image="shell")
        wait_for(lambda: being_made(small_disk, "ram"), what="the RAM file")
        with ballast.open("wb") as file, contextlib.suppress(OSError):
            while file.write(bytes(1 << 20)):
                file.flush()
        with pytest.raises(Failure):
            pending.wait()
        wait_for(lambda: templates(small_disk) == [], what="the end of what was half made")
        ballast.unlink()
        client.call("image.warm", image="shell")
        works(Session(client, "shell"), RESTORED)


def test_two_servers_make_one_template(cache):
    with serve(cache) as first, serve(cache) as second, first.client() as one, second.client() as two:
        pending = [client.send("session.open", image="shell") for client in (one, two)]
        assert all(reply.wait()["source"] in RESTORED for reply in pending)
        logs = first.log.read_text() + second.log.read_text()
        assert logs.count("is made:") == 1
    assert len(templates(cache)) == 1


def test_the_maker_dies(cache):
    """The server that makes a template is killed: the one that waits for it makes it."""
    first = serve(cache)
    with serve(cache) as second, second.client() as client:
        one = first.client()
        one.send("session.open", image="shell")
        wait_for(lambda: being_made(cache, "ram"), what="the RAM file")
        pending = client.send("session.open", image="shell")
        assert client.call("hello")["protocol"] == 1  # it has been read
        first.process.kill()
        first.process.wait()
        assert pending.wait()["source"] in RESTORED
    assert len(templates(cache)) == 1 and being_made(cache, "*") is None


def test_another_qemu(cache):
    """What another version of QEMU has made is foreign, wherever it lies."""
    with serve(cache) as server, server.client() as client:
        client.call("image.warm", image="shell")
    manifest = templates(cache)[0] / "manifest"
    text = manifest.read_text()
    version = re.search(r"\nqemu (\S+)\n", text).group(1)
    manifest.write_text(text.replace(f"\nqemu {version}\n", "\nqemu " + "9" * len(version) + "\n"))
    with serve(cache) as server, server.client() as client:
        works(Session(client, "shell"), RESTORED)
        assert "made for something else" in server.log.read_text()
    assert f"\nqemu {version}\n" in manifest.read_text()


def test_the_store_keeps_its_limits(cache, tmp_path):
    """By size and by age; and what is in use stays in use."""
    config = tmp_path / "glassbell.conf"
    config.write_text("[templates]\nmax_size = 1M\n")
    with serve(cache, GLASSBELL_CONFIG=str(config)) as server, server.client() as client:
        works(Session(client, "shell"), RESTORED)
        wait_for(lambda: templates(cache) == [], what="the end of the template")
        works(Session(client, "shell"), RESTORED)
    with serve(cache) as server, server.client() as client:
        client.call("image.warm", image="shell")
    old = time.time() - 31 * 86400
    os.utime(templates(cache)[0] / "manifest", (old, old))
    with serve(cache) as server:
        wait_for(lambda: list((cache / "glassbell/templates").iterdir()) == [], what="the end of it")
        wait_for(lambda: "not been used for a long time" in server.log.read_text(), what="the reason in the log")


def test_warm(cache):
    with serve(cache) as server:
        done = subprocess.run([BINARY, "image", "warm", "shell"], env=server.env, capture_output=True,
                              text=True, timeout=300)
        assert done.returncode == 0 and done.stdout.startswith("shell, "), done
        done = subprocess.run([BINARY, "image", "warm", "shell", "-m", "150", "--json"], env=server.env,
                              capture_output=True, text=True, timeout=300)
        assert json.loads(done.stdout)["memory_mb"] == 150
        with server.client() as client:
            works(Session(client, "shell", memory_mb=150), RESTORED)
    assert len(templates(cache)) == 2
