# SPDX-License-Identifier: Apache-2.0
"""Packages without a network: what a session pays whose layer is there. The index is this program's own, on loopback."""

import hashlib
import http.server
import io
import threading
import time
import zipfile

from groups.opening import pool_of
from kit.server import Server
from kit.wait import until

GROUP = "packages"
INFO = "measured-1.0.dist-info"
FILES = {"measured.py": "VALUE = 1\n", f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: measured\nVersion: 1.0\n",
         f"{INFO}/WHEEL": "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
         f"{INFO}/RECORD": f"measured.py,,\n{INFO}/METADATA,,\n{INFO}/WHEEL,,\n{INFO}/RECORD,,\n"}
NAME = "measured-1.0-py3-none-any.whl"


def wheel():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, text in FILES.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return data.getvalue()


WHEEL = wheel()


class Index(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        link = f'<a href="/files/{NAME}#sha256={hashlib.sha256(WHEEL).hexdigest()}">{NAME}</a>'
        body = WHEEL if self.path.startswith("/files/") else link.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if body != WHEEL else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def measure(report, plan):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index) as index:
        threading.Thread(target=index.serve_forever, daemon=True).start()
        at = f"index.test:{index.server_address[1]}"
        settings = f'[network "python"]\nallow index.test :{index.server_address[1]} http private\n' \
                   'resolve index.test 127.0.0.1\n[pool "python"]\nfloor = 1\nceiling = 1\n'
        with Server(settings, env={"PIP_INDEX_URL": f"http://{at}/simple"}) as server, server.client() as client:
            client.call("image.warm", image="python")
            opens(report, plan, client)
        index.shutdown()


def opens(report, plan, client):
    """Sessions with the same packages and without any in turn, from a pool that has one ready."""
    times = {name: [] for name in ("open, without packages", "open, with packages that are there",
                                   "import of one of them", "import of one of Python's")}
    begin = time.perf_counter()
    client.call("session.close", session=client.call("session.open", image="python", packages=["measured"])["session"])
    report.add(GROUP, "open, with packages that are fetched first", "ms", [(time.perf_counter() - begin) * 1000])
    for turn in range(plan(20, 40) * 2):
        until(lambda: pool_of(client, "python")["ready"] > 0)
        has = turn % 2 == 0
        begin = time.perf_counter()
        session = client.call("session.open", image="python", packages=["measured"] if has else [])["session"]
        opened = time.perf_counter()
        cell = client.call("session.exec", session=session, code="import measured" if has else "import pydoc_data")
        if cell["exit_code"] != 0:
            raise RuntimeError(cell["stderr"])
        times["open, with packages that are there" if has else "open, without packages"].append((opened - begin) * 1000)
        times["import of one of them" if has else "import of one of Python's"].append((time.perf_counter() - opened) * 1000)
        client.call("session.close", session=session)
    for name, samples in times.items():
        report.add(GROUP, name, "ms", samples)
    pairs = zip(times["open, with packages that are there"], times["open, without packages"])
    report.add(GROUP, "put behind the disk and mounted", "ms", [one - other for one, other in pairs])
