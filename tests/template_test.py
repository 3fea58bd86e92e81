"""Templates: made once, restored many times, never believed unseen; and nothing that two clones share."""

import pathlib
import shutil
import shutil

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
