# SPDX-License-Identifier: Apache-2.0
"""What a guest sees of its processor."""

from support import out


def flags(session):
    text = out(session.exec("cat /proc/cpuinfo"))
    [line] = [line for line in text.splitlines() if line.startswith("flags")]
    return set(line.split(":", 1)[1].split())


def test_what_no_guest_is_shown(sh, client):
    found = flags(sh)
    assert "hypervisor" in found and "sse2" in found  # it is the right line
    # Nested virtualisation, with all that hangs on it, and the host's performance counters.
    assert not found & {"svm", "npt", "nrip_save", "vgif", "svme_addr_chk", "vmx", "ept", "vpid",
                        "arch_perfmon", "perfctr_core"}
    if client.call("hello")["accel"] == "tcg":
        assert not found & {"erms", "fsrm", "fsrs", "smap", "pku", "la57"}


def test_its_caches_and_addresses_have_sizes(sh):
    """Libraries choose their block sizes by them, and complain on standard error where there are none."""
    text = out(sh.exec("cat /proc/cpuinfo"))
    [cache] = [line.split(":")[1].split()[0] for line in text.splitlines() if line.startswith("cache size")]
    assert int(cache) >= 256
    assert "bits physical" in text
