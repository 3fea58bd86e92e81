# SPDX-License-Identifier: Apache-2.0
"""A real guest with the agent and the smallest of workers, and what tests ask of it.

Needs GLASSBELL_IMAGES (a folder with vmlinux, python.erofs and the kernel's modules, as the image
builder leaves it) and GLASSBELL_AGENT (the built agent)."""

import glob
import os
import re
import struct
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../images")]

import guest as g  # noqa: E402
from guest import Fields, Refused, blob, pairs  # noqa: E402

IMAGES, AGENT = os.environ.get("GLASSBELL_IMAGES"), os.environ.get("GLASSBELL_AGENT")
needs_guest = pytest.mark.skipif(not IMAGES or not AGENT,
                                 reason="GLASSBELL_IMAGES and GLASSBELL_AGENT name no images and agent")

INVALID, NOT_FOUND, BUSY, POLICY, TOO_LARGE, INTERNAL = 1, 2, 4, 8, 11, 12


def configure_start(guest, env=None, entropy=b"\x07" * 32, hostname="box-1", nproc=0):
    payload = blob(entropy) + struct.pack("<Q", time.time_ns()) + blob(hostname)
    payload += blob("0123456789abcdef" * 2) + pairs(env or {}) + struct.pack("<I", nproc)
    return guest.send("CONFIGURE", payload)


def configure(guest, *args, **options):
    number = configure_start(guest, *args, **options)
    frame = guest.wait(lambda f: f.id == number)
    if frame.type == "ERROR":
        raise Refused(frame)
    return frame


def boot(folder, **options):
    from imagekit import initramfs
    archive = os.path.join(folder, "initramfs.cpio")
    modules = glob.glob(os.path.join(IMAGES, "kernel-*", "modules"))[0]
    initramfs.build(archive, AGENT, modules, os.path.join(HERE, "workers"))
    return g.Guest(os.path.join(IMAGES, "vmlinux"), archive, os.path.join(IMAGES, "python.erofs"),
                   **options)


def version():
    with open(os.path.join(HERE, "../../engine/wire/guest.h")) as header:
        return int(re.search(r"#define GB_GUEST_VERSION (\d+)u", header.read())[1])


def refused(code, call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code, caught.value
    return caught.value.message


def write(vm, path, data, mode=0):
    upload = vm.upload(path, mode)
    if upload.give(vm, data):
        return upload.end(vm)
    raise upload.refused


def read(vm, path, offset=0, length=1 << 60):
    """The bytes, and at the end the size of the file and whether they went to its end."""
    download = vm.download(path, offset, length)
    download.wait(vm)
    return bytes(download.data), *struct.unpack("<QB", download.word)


def entries(vm, kind, payload):
    fields = Fields(vm.ask(kind, payload).payload)
    more, count = fields.number("B"), fields.number("I")
    found = [(fields.bytes(), fields.number("B"), fields.number("Q"), fields.number("Q"),
              fields.number("q"), fields.number("I")) for _ in range(count)]
    assert fields.at == len(fields.payload)
    return more, found
