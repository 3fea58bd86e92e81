# SPDX-License-Identifier: Apache-2.0
"""Real programs and libraries in sessions with a network: over TLS with a server of the test's own on loopback, and with
the package index that this machine's pip and npm use, found where they find it and nowhere written down."""

import base64
import hashlib
import http.server
import json
import ssl
import subprocess

import pytest

from certificates import HOST
from support import Session, err, out
from web import serving

LONG = 900  # seconds: builders boot, and pip and npm are slow where they are emulated
pytestmark = pytest.mark.timeout(LONG)
PYTHON = ["requests", "httpx", "aiohttp", "websockets"]
NODE = ["undici@^7", "ws"]  # later ones want another Node.js than that of the image
BODY = bytes(range(256)) * 512  # too large for one frame


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files, a POST that is sent back, and a WebSocket that repeats each message."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.converse()
        else:
            super().do_GET()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def converse(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.close_connection = True
        while head := self.rfile.read(2):
            size = head[1] & 0x7f
            mask = self.rfile.read(4)
            data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(size)))
            self.wfile.write(bytes([head[0], size]) + data)
            if head[0] & 0xf == 8:
                return

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory, authority):
    """An HTTPS server, with a git repository: its port."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "page").write_bytes(BODY)
    work = folder / "work"

    def git(*words, at=work):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t.test", *words], cwd=at, check=True,
                       capture_output=True)
    git("init", "-q", "work", at=folder)
    (work / "file").write_text("of a repository\n")
    git("add", "file")
    git("commit", "-qm", "one")
    git("clone", "-q", "--bare", "work", "work.git", at=folder)
    git("update-server-info", at=folder / "work.git")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "leaf.pem", authority / "leaf.key")
    with serving(lambda *args: Handler(*args, directory=folder), tls=context) as server:
        yield server.server_address[1]


def opened(client, site, authority, image, **options):
    """A session that may reach the site, and trusts it as its user would have it."""
    file = "/home/user/authority.pem"
    names = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO")
    session = Session.__new__(Session)
    session.client = client
    network = {"rules": [f"allow {HOST} :{site} tls private", f"resolve {HOST} 127.0.0.1"]}
    session.opened = client.send("session.open", image=image, network=network, env=dict.fromkeys(names, file),
                                 **options).wait(LONG)
    session.id = session.opened["session"]
    session.write(file, (authority / "ca.pem").read_bytes())
    return session


def says(session, code):
    cell = session.send(code, timeout_ms=LONG * 1000).wait(LONG)
    assert cell["exit_code"] == 0, err(cell) + out(cell)
    return out(cell).strip()


def tells(session, code):
    """What the last line says, in JSON."""
    return json.loads(says(session, code).splitlines()[-1])


def test_curl_and_git(client, site, authority):
    session = opened(client, site, authority, "shell")
    at = f"https://{HOST}:{site}"
    assert says(session, f"curl -sS {at}/page | sha256sum").split()[0] == hashlib.sha256(BODY).hexdigest()
    assert says(session, f"head -c 300000 /dev/urandom > up; curl -sS --data-binary @up {at}/ | cmp - up && echo same") \
        == "same"
    assert says(session, f"git clone -q {at}/work.git && cat work/file") == "of a repository"
    print(says(session, "curl --version | head -1; git --version"))
    session.close()


def test_libraries_of_python(client, site, authority, pip_index):
    session = opened(client, site, authority, "python", packages=PYTHON)
    at = f"{HOST}:{site}"
    body = "bytes(range(256)) * 512"
    says(session, "import hashlib, json, urllib.request, requests, httpx, aiohttp, asyncio, websockets")
    assert tells(session, f"print(len(urllib.request.urlopen('https://{at}/page').read()))") == len(BODY)
    assert tells(session, f"s = requests.Session()\nprint(json.dumps([s.get('https://{at}/page').content == {body},"
                          f" s.post('https://{at}/', data={body}).content == {body}]))") == [True, True]
    assert tells(session, f"with httpx.Client() as c:\n print(json.dumps([c.get('https://{at}/page').content == {body},"
                          f" c.post('https://{at}/', content={body}).content == {body}]))") == [True, True]
    assert tells(session, f"""
async def one():
    async with aiohttp.ClientSession() as s:
        async def get():
            async with s.get('https://{at}/page') as answer:
                return await answer.read() == {body}
        found = await asyncio.gather(*[get() for _ in range(8)])
        async with s.ws_connect('wss://{at}/') as ws:
            await ws.send_str('over aiohttp')
            return [all(found), (await ws.receive()).data]
print(json.dumps(asyncio.run(one())))""") == [True, "over aiohttp"]
    assert tells(session, f"""
async def two():
    async with httpx.AsyncClient() as c, websockets.connect('wss://{at}/') as ws:
        await ws.send('over websockets')
        return [(await c.get('https://{at}/page')).content == {body}, await ws.recv()]
print(json.dumps(asyncio.run(two())))""") == [True, "over websockets"]
    refused = tells(session, """
kinds = []
for call in (lambda: requests.get('https://other.test/'), lambda: httpx.get('https://other.test/')):
    try:
        call()
    except Exception as error:
        kinds.append(type(error).__name__)
print(json.dumps(kinds))""")
    assert refused == ["ConnectionError", "ConnectError"]
    print(says(session, "import sys, ssl, importlib.metadata as m\nprint(sys.version.split()[0], ssl.OPENSSL_VERSION,"
                        f" {{n: m.version(n) for n in {PYTHON}}})"))
    session.close()


def test_libraries_of_node(client, site, authority, npm_index):
    session = opened(client, site, authority, "javascript", packages=NODE)
    at = f"{HOST}:{site}"
    length = len(BODY)
    assert tells(session, f"console.log((await (await fetch('https://{at}/page')).arrayBuffer()).byteLength)") == length
    assert says(session, f"console.log(await (await fetch('https://{at}/', {{method: 'POST', body: 'sent'}})).text())") \
        == "sent"
    assert tells(session, f"""const undici = require('undici');
const one = await undici.request('https://{at}/page');
console.log((await one.body.arrayBuffer()).byteLength)""") == length
    assert tells(session, f"""const WebSocket = require('ws');
const said = await new Promise((done, fail) => {{
    const socket = new WebSocket('wss://{at}/');
    socket.on('open', () => socket.send('over ws'));
    socket.on('message', data => {{ socket.close(); done(String(data)); }});
    socket.on('error', fail);
}});
console.log(JSON.stringify(said))""") == "over ws"
    assert tells(session, "let code; try { await fetch('https://other.test/') } catch (e) { code = e.cause.code }\n"
                          "console.log(JSON.stringify(code))") == "ENOTFOUND"
    print(says(session, "console.log(process.version, require('undici/package.json').version,"
                        " require('ws/package.json').version)"))
    session.close()


def test_package_managers_with_the_index_of_this_machine(client, pip_index, npm_index):
    session = Session(client, "python", network="python")
    says(session, "import subprocess; subprocess.run(['pip', 'install', '-q', 'idna'], check=True)")
    assert says(session, "import idna; print(idna.encode('ä.test').decode())") == "xn--4ca.test"
    print(says(session, "print(subprocess.run(['pip', '--version'], capture_output=True, text=True).stdout)"))
    session.close()
    session = Session(client, "javascript", network="node")
    says(session, "require('node:child_process').execSync('npm install --silent left-pad')")
    assert says(session, "console.log(require('left-pad')('7', 3, '0'))") == "007"
    print(says(session, "console.log(require('node:child_process').execSync('npm --version').toString())"))
    session.close()
