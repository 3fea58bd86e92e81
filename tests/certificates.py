# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of the tests' own, for servers that they play."""

import subprocess

HOST = "api.test"


def make_authority(folder):
    """Writes ca.pem, leaf.key, and certificates for it by that authority: leaf.pem for HOST, the names below it and
    other.test; partial.pem for a part of a name; common.pem, which has HOST only as its common name."""

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "leaf.key", "-out",
            "leaf.csr", "-subj", "/CN=leaf")
    openssl("req", "-new", "-key", "leaf.key", "-out", "common.csr", "-subj", f"/CN={HOST}")
    for name, request, names in [("leaf", "leaf", f"DNS:{HOST},DNS:*.{HOST},DNS:other.test"),
                                 ("partial", "leaf", f"DNS:a*.{HOST}"), ("common", "common", None)]:
        (folder / "ext").write_text(f"subjectAltName={names}\n" if names else "basicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", f"{request}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                "2", "-extfile", "ext", "-out", f"{name}.pem")
