"""Logins tied to the server's certificate, and logins that are not what was asked for."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

import rowmill as rm
from tests.postgres_server import PostgresServer

SSL_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f"


def test_a_login_is_tied_to_the_certificate(postgres_tls: PostgresServer) -> None:
    for binding in ("disable", "prefer", "require"):
        url = postgres_tls.dsn(user="scram_user", tls="require", channel_binding=binding)
        with rm.Database(url) as db:
            assert db.fetch_value("select current_user::text") == "scram_user"


async def test_a_login_is_tied_to_the_certificate_async(postgres_tls: PostgresServer) -> None:
    url = postgres_tls.dsn(user="scram_user", tls=True, channel_binding="require")
    async with rm.AsyncDatabase(url) as db:
        assert await db.fetch_value("select current_user::text") == "scram_user"


@pytest.mark.parametrize("tcp", [False, True])
def test_required_it_needs_tls(postgres: PostgresServer, tcp: bool) -> None:
    url = postgres.dsn(user="scram_user", tcp=tcp, channel_binding="require")
    with rm.Database(url) as db, pytest.raises(rm.ConnectError, match="not inside TLS") as caught:
        db.fetch("select 1")
    assert "sslmode=require" in (caught.value.hint or "")


@pytest.mark.direct("a pooler's ways of logging in are its own")
@pytest.mark.parametrize("role", ["md5_user", "password_user", "rowmill"])
def test_required_no_other_login_will_do(postgres_tls: PostgresServer, role: str) -> None:
    url = postgres_tls.dsn(user=role, tls="require", channel_binding="require")
    with rm.Database(url) as db, pytest.raises(rm.ConnectError, match="without channel binding"):
        db.fetch("select 1")


def test_the_environment_asks_for_it(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCHANNELBINDING", "require")
    with rm.Database(postgres.dsn(user="scram_user")) as db, pytest.raises(rm.ConnectError):
        db.fetch("select 1")


@pytest.mark.parametrize("binding", ["disable", "prefer", "require"])
def test_who_passes_a_login_on_is_found_out(postgres_tls: PostgresServer, binding: str) -> None:
    """Somebody between shows a certificate of his own, and speaks TLS with the server himself."""
    with between(postgres_tls, tls=True) as port:
        url = at_port(postgres_tls, port, channel_binding=binding)
        with rm.Database(url) as db:
            if binding == "disable":  # what the option is for
                assert db.fetch_value("select 1") == 1
            else:
                with pytest.raises(rm.ConnectError, match="binding"):
                    db.fetch("select 1")


def test_a_server_that_offers_none(postgres_tls: PostgresServer) -> None:
    """TLS ends before the server, which therefore offers SCRAM-SHA-256 alone."""
    with between(postgres_tls, tls=False) as port:
        with rm.Database(at_port(postgres_tls, port, channel_binding="prefer")) as db:
            assert db.fetch_value("select 1") == 1
        with (
            rm.Database(at_port(postgres_tls, port, channel_binding="require")) as db,
            pytest.raises(rm.ConnectError, match="offers no channel binding"),
        ):
            db.fetch("select 1")


@pytest.mark.direct("the server is the test's own")
def test_every_kind_of_certificate(postgres_tls: PostgresServer) -> None:
    with PostgresServer(tcp=True) as server:
        keys: list[tuple[Any, Any, Any]] = [
            (rsa.generate_private_key(65537, 2048), hashes.SHA256(), None),
            (rsa.generate_private_key(65537, 2048), hashes.SHA512(), None),
            (rsa.generate_private_key(65537, 2048), hashes.SHA384(), pss(hashes.SHA384())),
            (ec.generate_private_key(ec.SECP384R1()), hashes.SHA384(), None),
        ]
        for key, algorithm, rsa_padding in keys:
            serve_with(server, key, algorithm, rsa_padding)
            url = server.dsn(user="scram_user", tls="require", channel_binding="require")
            with rm.Database(url) as db:
                assert db.fetch_value("select 1") == 1
        # A signature without a hash of its own: the RFC leaves open what to bind to, and the server fails.
        serve_with(server, ed25519.Ed25519PrivateKey.generate(), None, None)
        url = server.dsn(user="scram_user", tls="require", channel_binding="require")
        with rm.Database(url) as db, pytest.raises(rm.ConnectError, match="no hash of its own"):
            db.fetch("select 1")


@pytest.mark.direct("a pooler's ways of logging in are its own")
@pytest.mark.parametrize(
    ("role", "asked", "words"),
    [
        ("scram_user", "scram-sha-256", None),
        ("scram_user", "!scram-sha-256", "scram-sha-256"),
        ("scram_user", "md5,password", "scram-sha-256"),
        ("md5_user", "md5,scram-sha-256", None),
        ("md5_user", "!md5", "md5"),
        ("password_user", "scram-sha-256", "password itself"),
        ("password_user", "!none, !md5", None),
        ("rowmill", "scram-sha-256", "without asking"),
        ("rowmill", "none", None),
    ],
)
def test_only_what_is_asked_for_will_do(
    postgres: PostgresServer, role: str, asked: str, words: str | None
) -> None:
    with rm.Database(postgres.dsn(user=role, require_auth=asked)) as db:
        if words is None:
            assert db.fetch_value("select current_user::text") == role
        else:
            with pytest.raises(rm.ConnectError, match=words) as caught:
                db.fetch("select 1")
            assert "require_auth" in str(caught.value)


@pytest.mark.parametrize(
    "option", ["channel_binding=yes", "require_auth=magic", "require_auth=md5,!password"]
)
def test_bad_options_are_named(option: str) -> None:
    with pytest.raises(rm.InterfaceError, match=option.partition("=")[0]):
        rm.Database(f"postgresql://ann@localhost/shop?{option}")


def at_port(server: PostgresServer, port: int, *, channel_binding: str) -> str:
    url = server.dsn(user="scram_user", tls="require", channel_binding=channel_binding)
    return url.replace(f"localhost:{server.port}", f"localhost:{port}")


@contextlib.contextmanager
def between(server: PostgresServer, *, tls: bool) -> Iterator[int]:
    """The port of one who shows a certificate of his own, and passes all on, with or without TLS."""
    certificate = trustme.CA().issue_cert("localhost")
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(here)
    there = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    there.check_hostname, there.verify_mode = False, ssl.CERT_NONE
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                accepted, _ = listener.accept()
                threads.append(threading.Thread(target=pass_on, args=(accepted,)))
                threads[-1].start()

    def pass_on(accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            accepted.settimeout(10)
            stack.enter_context(accepted)
            assert accepted.recv(8) == SSL_REQUEST
            accepted.sendall(b"S")
            client = stack.enter_context(here.wrap_socket(accepted, server_side=True))
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            behind: socket.socket = plain
            if tls:
                plain.sendall(SSL_REQUEST)
                assert plain.recv(1) == b"S"
                behind = stack.enter_context(there.wrap_socket(plain))
            for side in (client, behind):
                side.settimeout(0.02)
            while not over.is_set():
                for source, target in ((client, behind), (behind, client)):
                    try:
                        data = source.recv(65536)
                    except TimeoutError:
                        continue
                    if not data:
                        return
                    target.sendall(data)

    threads = [threading.Thread(target=serve)]
    threads[0].start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        for thread in threads:
            thread.join()
        listener.close()


def pss(algorithm: Any) -> padding.PSS:
    return padding.PSS(mgf=padding.MGF1(algorithm), salt_length=padding.PSS.DIGEST_LENGTH)


def serve_with(server: PostgresServer, key: Any, algorithm: Any, rsa_padding: Any) -> None:
    """Has the server show a certificate that a key of this kind signed."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
    )
    signed = builder.sign(key, algorithm, rsa_padding=rsa_padding)
    data = server.socket_dir / "data"
    replace(data / "server.crt", signed.public_bytes(serialization.Encoding.PEM))
    replace(
        data / "server.key",
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    server.psql("select pg_reload_conf()")
    shown = b""
    while (
        ssl.PEM_cert_to_DER_cert(signed.public_bytes(serialization.Encoding.PEM).decode()) != shown
    ):
        shown = shown_by(server.port)


def replace(path: Path, content: bytes) -> None:
    """Writes what the server may read."""
    before = path.stat()
    path.write_bytes(content)
    os.chown(path, before.st_uid, before.st_gid)


def shown_by(port: int) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.sendall(SSL_REQUEST)
        assert plain.recv(1) == b"S"
        with context.wrap_socket(plain) as wrapped:
            return wrapped.getpeercert(binary_form=True) or b""
