"""Files between this machine and a session, whatever bytes their names have. The program's verbs, with real
guests."""

import os
import subprocess

import pytest

from cli_test import Cli
from support import BINARY, DEADLINE


@pytest.fixture(scope="module")
def cli(server):
    return Cli(server.socket)


@pytest.fixture(scope="module")
def work(cli):
    """The label of a shell session that has a file and a history."""
    label = "transfer-" + os.urandom(4).hex()
    cli("open", "-l", "bash", "--label", label, "--idle", 0)
    cli("exec", label, "-c", "printf 'the content\\n' > file; echo done")
    yield label
    cli("close", label, status=None)


def test_a_folder_of_any_names(cli, work, tmp_path):
    """All files come, also where a page of the listing ends with a name that is not UTF-8."""
    cli("exec", work, "-c", r"""(mkdir -p many/$'sub\xfe' && cd many && for i in $(seq 1000 2499); do : > f$i; done
        rm f1999; printf odd > $'f1999\xff'; printf deep > $'sub\xfe/caf\xe9'; ln -s f1000 link; mkfifo pipe)""")
    done = cli("get", work, "many", tmp_path / "many")
    names = {name for name in os.listdir(os.fsencode(tmp_path / "many"))}
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
