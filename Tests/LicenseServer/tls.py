"""A certificate authority for tests, made at start with the `openssl` command.

`openssl ca` is used since it can set both ends of the validity in every OpenSSL from 1.1.1 on:
the good certificate is valid from 2020, so that tests may run with clocks that are years off.
The authority is kept in the folder, so an emulator that starts again there is still trusted.
"""

import os
import secrets
import shutil
import ssl
import subprocess
import tempfile
import time
import warnings

KINDS = ("good", "expired", "not-yet-valid", "wrong-name", "self-signed")
YEAR_SECONDS = 31_556_952

CONFIGURATION = """\
[ca]
default_ca = emulator
[emulator]
database = index.txt
serial = serial.txt
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
CN = Handback license server emulator
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""

# 10.0.2.2 is what a machine emulated by QEMU calls this one (cross/boot); license.test is a server's
# name in network namespaces.
GOOD_NAMES = "DNS:localhost,DNS:license.test,IP:127.0.0.1,IP:::1,IP:10.0.2.2"


class CertificateError(Exception):
    """`openssl` is missing or failed."""


def _run(folder, *arguments):
    try:
        done = subprocess.run(["openssl", *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
    except FileNotFoundError:
        raise CertificateError("the openssl command is not installed") from None
    if done.returncode:
        raise CertificateError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")


def _date(epoch):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(epoch))


def _request(folder, key, request, common_name):
    _run(folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-config", "openssl.cnf", "-subj", f"/CN={common_name}", "-keyout", key, "-out", request)


def _sign(folder, section, begin, end, request, out, *authority):
    with open(os.path.join(folder, "index.txt"), "w"):
        pass
    with open(os.path.join(folder, "serial.txt"), "w") as file:
        # 15 random bytes below 0x80…: positive, and different from run to run, since a client
        # that kept the authority may refuse two certificates with one serial number.
        file.write("01" + secrets.token_hex(15) + "\n")
    _run(folder, "ca", "-batch", "-notext", "-config", "openssl.cnf", "-extensions", section,
         "-startdate", begin, "-enddate", end, "-in", request, "-out", out, *authority)


def make_certificates(folder, kind, until=None):
    """Writes ca.pem, server.pem and their keys into `folder`; returns the path of ca.pem.

    `until` is when the server's certificate ends, in seconds since 1970-01-01 UTC.
    """
    now = time.time()
    begin, end = "20200101000000Z", _date(max(until or 0, now + 10 * YEAR_SECONDS))
    server_begin, server_end = begin, _date(until) if until else end
    names = GOOD_NAMES
    if kind == "expired":
        server_end = "20200201000000Z"
    elif kind == "not-yet-valid":
        server_begin = _date(time.time() + 5 * YEAR_SECONDS)
    elif kind == "wrong-name":
        names = "DNS:wrong-name.invalid,IP:192.0.2.1"
    ca_file = os.path.join(folder, "ca.pem")
    # Keys are never readable by others, not even for a moment.
    umask = os.umask(0o077)
    try:
        # In a folder of its own, since `openssl ca` leaves an index, serial numbers and copies.
        with tempfile.TemporaryDirectory(prefix=".certificates-", dir=folder) as work:
            with open(os.path.join(work, "openssl.cnf"), "w") as file:
                file.write(CONFIGURATION.format(names=names))
            authority = [os.path.join(folder, name) for name in ("ca.pem", "ca.key")]
            if all(os.path.exists(path) for path in authority):
                for path in authority:
                    shutil.copy(path, work)
            else:
                _request(work, "ca.key", "ca.csr", "Handback emulator CA (tests only)")
                _sign(work, "authority", begin, end, "ca.csr", "ca.pem",
                      "-selfsign", "-keyfile", "ca.key")
            _request(work, "server.key", "server.csr", "localhost")
            if kind == "self-signed":
                signer = ("-selfsign", "-keyfile", "server.key")
            else:
                signer = ("-cert", "ca.pem", "-keyfile", "ca.key")
            _sign(work, "server", server_begin, server_end, "server.csr", "server.pem", *signer)
            for name in ("ca.key", "ca.pem", "server.key", "server.pem"):
                os.replace(os.path.join(work, name), os.path.join(folder, name))
        # The certificate is public; an agent under another user must be able to read it.
        os.chmod(ca_file, 0o644)
    finally:
        os.umask(umask)
    return ca_file


def server_context(folder, newest=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if newest == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    elif newest == "1.1":
        # Out of fashion: OpenSSL wants to be told, and says that it is deprecated.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(os.path.join(folder, "server.pem"), os.path.join(folder, "server.key"))
    return context
