"""Templates: made once, restored many times, never believed unseen; and nothing that two clones share."""

import pathlib
import shutil
import time
import shutil
import time

import pytest

from support import Server, Session, out


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def serve(cache, *arguments, **env):
    return Server("--verbose", *arguments, env={"XDG_CACHE_HOME": str(cache), **env})


def templates(cache):
    return [path for path in (cache / "glovebox/templates").iterdir() if path.is_dir()]


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
    assert one[-2] == "glovebox-" + first.id[2:8]


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
        assert Session(client, "shell").opened["source"] == "template"
    (template,) = templates(cache)
    good = {name: (template / name).read_bytes() for name in ("ram", "state", "manifest")}
    for name in good:
        damage(template / name)
        with serve(cache) as server, server.client() as client:
            session = Session(client, "shell")
            assert session.opened["source"] == "template" and out(session.exec("echo 1")) == "1\n"
            assert "made anew" in server.log.read_text(), name
    assert templates(cache) == [template]
    # What is as it was made is not made again.
    with serve(cache) as server, server.client() as client:
        assert Session(client, "shell").opened["source"] == "template"
        assert "made anew" not in server.log.read_text()
    shutil.rmtree(cache)


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
    "shell": (120, """
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
    """Two hundred clones, and no two equal values of any source."""
    seen, clones, few = {}, 0, 5

    def note(image, cell):
        assert cell["exit_code"] == 0, cell["stderr"]
        assert cell["source"] in ("template", "pool")
        for line in out(cell).splitlines():
            name, value = line.split(" ", 1)
            values = seen.setdefault((image, name), [])
            assert value not in values, f"{name} of {image}: {value} comes twice"
            values.append(value)

    for image, (count, code, more) in SOURCES.items():
        pending = []
        for i in range(count):
            pending.append(client.send("run", image=image, timeout_ms=60000,
                                       code=code + (more if i < few else "")))
            clones += 1
            if len(pending) > 3:
                note(image, pending.pop(0).wait())
        for reply in pending:
            note(image, reply.wait())
        assert {len(seen[key]) for key in seen if key[0] == image} == {few, count}
    assert clones == 200


def test_clock_is_right(fresh):
    """A clone's clock stood still since its template was made."""
    def guest_time(session):
        before = time.time()
        inside = float(out(session.exec("echo $EPOCHREALTIME")))
        return before, inside, time.time()

    for _ in range(3):
        session = fresh("shell")
        session.exec(":")
        # The error is at most what one look cannot tell, so the best of some looks counts.
        errors = []
        for _ in range(5):
            before, inside, after = guest_time(session)
            errors.append(max(before - inside, inside - after, 0))
        assert min(errors) < 0.05
