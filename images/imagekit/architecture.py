# SPDX-License-Identifier: Apache-2.0
"""What differs between the architectures of guests: one row each, and nowhere else."""

import os
from dataclasses import dataclass

from . import kernel
from .report import BuildError


@dataclass(frozen=True)
class Architecture:
    debian: str         # in Debian's notation
    machine: str        # in that of uname(2), which manifests have
    triplet: str        # of the folders of its libraries
    loader: str         # of dynamically linked programs
    kernel_package: str  # depends on the newest kernel
    take_kernel: object  # what QEMU boots, out of the file that the package has
    elf: int            # the machine's number in an ELF header
    emulator: str       # QEMU's program that runs its programs


ALL = (
    Architecture("amd64", "x86_64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2",
                 "linux-image-cloud-amd64", kernel.take_vmlinux, 62, "qemu-x86_64"),
    Architecture("arm64", "aarch64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1",
                 "linux-image-cloud-arm64", kernel.take_arm64_image, 183, "qemu-aarch64"),
)


def find(name):
    """By either name."""
    for architecture in ALL:
        if name in (architecture.debian, architecture.machine):
            return architecture
    raise BuildError(f"there are no guests of the architecture {name}; there are "
                     + " and ".join(f"{a.debian} ({a.machine})" for a in ALL))


def native():
    """This machine's own."""
    return find(os.uname().machine)
