# SPDX-License-Identifier: Apache-2.0
"""Guests of another architecture: what cannot be is told with a way out, and what can works.

The second half needs images of such guests: `./dev test --guest-arch arm64`."""

import json
import os
import platform
import shutil
import subprocess

import pytest

from support import BINARY, Failure, Session, out, with_settings

OWN = platform.machine()
OTHER, OTHER_NAME = ("aarch64", "arm64") if OWN == "x86_64" else ("x86_64", "amd64")
IMAGES = os.environ["GLASSBELL_IMAGES"]
WANTED = os.environ.get("GLASSBELL_GUEST_ARCH", "")
foreign = pytest.mark.skipif(WANTED not in (OTHER, OTHER_NAME), reason="needs images of another architecture")
native = pytest.mark.skipif(bool(WANTED), reason="needs images of this architecture")


def doctor(**env):
    """The finding about the host, and all of them."""
    env = {"GLASSBELL_GUEST_ARCH": "", "GLASSBELL_ACCEL": "", **{k: str(v) for k, v in env.items()}}
    done = subprocess.run([BINARY, "doctor", "--json"], env=dict(os.environ, **env), capture_output=True, text=True,
                          check=False)
    findings = {one["what"]: one for one in json.loads(done.stdout)["findings"]}
    return findings.get("host", {}).get("text"), findings


@pytest.fixture
def pretended(tmp_path):
    """Images whose manifests say that they are of the other architecture."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in os.listdir(IMAGES):
        if name.endswith(".json"):
            with open(os.path.join(IMAGES, name)) as file:
                manifest = json.load(file)
            (folder / name).write_text(json.dumps({**manifest, "architecture": OTHER}))
        elif not name.startswith("."):
            (folder / name).symlink_to(os.path.join(IMAGES, name))
    return folder


def test_an_architecture_that_there_is_not():
    why, _ = doctor(GLASSBELL_GUEST_ARCH="sparc64")
    assert why == 'GLASSBELL_GUEST_ARCH is "sparc64"; it can be x86_64 (amd64) or aarch64 (arm64)'


@native
def test_images_of_another_architecture():
    why, _ = doctor(GLASSBELL_GUEST_ARCH=OTHER_NAME)
    assert why.startswith(f"the images in {os.path.realpath(IMAGES)} are for guests of {OWN}, not of {OTHER}")
    assert "$GLASSBELL_IMAGES" in why and "$GLASSBELL_GUEST_ARCH" in why


def test_images_that_are_for_others(pretended):
    why, _ = doctor(GLASSBELL_IMAGES=pretended)
    assert f"are for guests of {OTHER}, not of {OWN}" in why


@native
def test_one_image_of_another_architecture(tmp_path, pretended):
    """It does not fit the kernel beside it; the others are there."""
    for name in os.listdir(IMAGES):
        if name.endswith(".json") and name != "shell.json":
            shutil.copy(os.path.join(IMAGES, name), pretended / name)
    done = subprocess.run([BINARY, "image", "ls", "--names", "--images", pretended], capture_output=True, text=True,
                          check=True)
    assert "python\n" in done.stdout and "shell\n" not in done.stdout
    assert "of another architecture than the kernel" in done.stderr


def test_without_its_qemu(pretended, tmp_path):
    why, _ = doctor(GLASSBELL_GUEST_ARCH=OTHER_NAME, GLASSBELL_IMAGES=pretended, PATH=tmp_path)
    assert f"qemu-system-{OTHER} cannot be run; install the package qemu-system-" in why


def test_hardware_runs_its_own_only(pretended):
    why, _ = doctor(GLASSBELL_GUEST_ARCH=OTHER_NAME, GLASSBELL_IMAGES=pretended, GLASSBELL_ACCEL="kvm")
    assert why == (f"guests of {OTHER} are emulated here: KVM only runs those of {OWN}; "
                   "unset GLASSBELL_ACCEL, or GLASSBELL_GUEST_ARCH")


def test_an_accelerator_of_another_system():
    why, _ = doctor(GLASSBELL_ACCEL="hvf")
    assert why == 'GLASSBELL_ACCEL is "hvf"; on this system it can be kvm or tcg'


# ---- with images ----


@foreign
def test_doctor_tells():
    why, findings = doctor(GLASSBELL_GUEST_ARCH=WANTED, GLASSBELL_IMAGES=IMAGES)
    assert why is None
    assert findings["guests"]["text"].startswith(f"of {OTHER}, ")
    assert f"guests of {OTHER} are emulated on a machine of {OWN}" in findings["accelerator"]["text"]
    assert findings["firmware"]["text"].startswith("none" if OTHER == "aarch64" else "/")


@foreign
@pytest.mark.parametrize("image, code", [
    ("python", "import platform; print(platform.machine())"),
    ("javascript", "console.log({arm64: 'aarch64', x64: 'x86_64'}[process.arch])"),
    ("shell", "uname -m"),
])
def test_guests_are_of_the_other_architecture(shared, image, code):
    assert out(shared.get(image).exec(code)) == OTHER + "\n"


@foreign
def test_a_session_wakes_only_where_it_was_put_to_sleep(tmp_path):
    with with_settings(tmp_path, "") as server, server.client() as client:
        session = Session(client, image="shell", key="kept", idle_ms=0)
        session.exec("x=1")
        session.call("session.sleep")
    native_images = os.path.join(os.path.dirname(IMAGES), "images")
    with with_settings(tmp_path, "", {"GLASSBELL_GUEST_ARCH": "", "GLASSBELL_IMAGES": native_images}) as server, \
            server.client() as client:
        with pytest.raises(Failure) as caught:
            client.call("session.exec", session=session.id, code="echo $x")
        assert caught.value.kind == "gone"
        assert f'with "architecture {OTHER}", and this server has "architecture {OWN}"' in str(caught.value)
    with with_settings(tmp_path, "") as server, server.client() as client:
        assert out(client.call("session.exec", session=session.id, code="echo $x")) == "1\n"
