# SPDX-License-Identifier: Apache-2.0
"""Starts IPython kernels and runs print(1) in them; prints its samples as JSON. A process of its own,
so that its libraries are not in the way of other measurements."""

import json
import sys
import time

from jupyter_client.manager import KernelManager


def execute(client):
    begin = time.perf_counter()
    number = client.execute("print(1)")
    while True:
        message = client.get_iopub_msg(timeout=60)
        if (message["parent_header"].get("msg_id") == number and message["msg_type"] == "status" and
                message["content"]["execution_state"] == "idle"):
            return (time.perf_counter() - begin) * 1000


def main():
    starts, executes = [], []
    for _ in range(int(sys.argv[1])):
        begin = time.perf_counter()
        manager = KernelManager()
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        execute(client)
        starts.append((time.perf_counter() - begin) * 1000)
        executes += [execute(client) for _ in range(int(sys.argv[2]))]
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    json.dump({"start": starts, "execute": executes}, sys.stdout)


main()
