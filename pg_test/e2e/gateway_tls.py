"""Tests the gateway's TLS to the database, with a server whose certificates the test makes.

Run: GATEWAY_BIN=gateway/target/debug/pg-restful-gateway python3 pg_test/e2e/gateway_tls.py
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import HERE, Cluster, Gateway, Proxy, wait_until  # noqa: E402

cluster = certificates = None

# Who may connect with TLS, and who without. The first line that matches counts.
ACCESS = """
local     all all                   trust
hostssl   all only_tls  127.0.0.1/32 trust
hostnossl all only_tls  127.0.0.1/32 reject
hostnossl all only_plain 127.0.0.1/32 trust
hostssl   all only_plain 127.0.0.1/32 reject
host      all scram     127.0.0.1/32 scram-sha-256
host      all all       127.0.0.1/32 trust
"""


class Certificates:
    """Certificates and their keys, NAME.crt and NAME.key in a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.authority("root")
        self.authority("stranger")
        self.signed("named", "root", "subjectAltName=DNS:localhost")
        self.signed("addressed", "root", "subjectAltName=IP:127.0.0.1")
        self.signed("expired", "root", "subjectAltName=DNS:localhost", days=-1)
        self.signed("client_only", "root", "subjectAltName=DNS:localhost\nextendedKeyUsage=clientAuth")
        # This one has no extensions, like the one in PostgreSQL's documentation.
        self.signed("plain", "root")
        # This one signs itself, which makes it an authority.
        self.authority("alone", "-addext", "subjectAltName=DNS:localhost")
        self.intermediate()

    def path(self, name):
        return self.folder / f"{name}.crt"

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError(f"openssl {' '.join(arguments)}:\n{done.stdout}")

    def authority(self, name, *more):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256",
                     "-days", "30", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt", *more)

    def signed(self, name, by, extensions="", days=30):
        self.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        more = []
        if extensions:
            (self.folder / f"{name}.ext").write_text(extensions + "\n")
            more = ["-extfile", f"{name}.ext"]
        self.openssl("x509", "-req", "-sha256", "-in", f"{name}.csr", "-CA", f"{by}.crt", "-CAkey", f"{by}.key",
                     "-CAcreateserial", "-days", str(days), "-out", f"{name}.crt", *more)

    def intermediate(self):
        """Makes a certificate with an intermediate certificate between it and the root."""
        self.signed("between", "root", "basicConstraints=critical,CA:TRUE")
        self.signed("chained", "between", "subjectAltName=DNS:localhost")
        self.path("chained").write_text(self.path("chained").read_text() + self.path("between").read_text())


def setUpModule():
    global cluster, certificates
    if not shutil.which("openssl"):
        raise RuntimeError("there is no openssl: tools/setup tests installs it")
    cluster = Cluster()
    if not cluster.private:
        raise RuntimeError("the cluster is not ours to give certificates: unset PGHOST")
    cluster.sql((HERE / "gateway_stub.sql").read_text())
    cluster.sql("CREATE ROLE only_tls LOGIN; CREATE ROLE only_plain LOGIN; CREATE ROLE scram LOGIN PASSWORD 'it''s secret';"
                "GRANT USAGE ON SCHEMA restful TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA restful TO PUBLIC")
    certificates = Certificates(tempfile.mkdtemp(prefix="gateway_tls_", dir="/tmp"))
    data = pathlib.Path(cluster.directory) / "data"
    (data / "pg_hba.conf").write_text(ACCESS)
    for key in certificates.folder.glob("*.key"):
        for source in key, key.with_suffix(".crt"):
            shutil.copy(source, data)
            if os.geteuid() == 0:
                shutil.chown(data / source.name, "postgres")
        (data / key.name).chmod(0o600)


def tearDownModule():
    cluster.close()
    shutil.rmtree(certificates.folder)


def serve_with(name):
    """Makes the server use this certificate from now on, or no TLS if it is None."""
    settings = {"ssl": "off"} if name is None else {"ssl": "on", "ssl_cert_file": f"{name}.crt", "ssl_key_file": f"{name}.key"}
    for setting, value in settings.items():
        cluster.sql(f"ALTER SYSTEM SET {setting} = '{value}'")
    cluster.sql("SELECT pg_reload_conf()")
    # SHOW runs in a new session, which has the settings that the server uses now.
    wait_until(lambda: all(cluster.sql(f"SHOW {setting}") == value for setting, value in settings.items()))


class Tls(unittest.TestCase):
    def start(self, host="localhost", **parameters):
        settings = {name: parameters.pop(name) for name in list(parameters) if name.isupper()}
        self.gateway = Gateway(DATABASE_URL=cluster.url(host=host, application_name="tls", **parameters), **settings)
        self.addCleanup(self.gateway.close)
        return self.gateway

    def sessions(self):
        return cluster.sql("SELECT DISTINCT coalesce(version, 'plain') FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                           "WHERE application_name = 'tls'")

    def assertConnects(self, by, **parameters):
        gateway = self.start(**parameters)
        answer = gateway.get("/const")
        self.assertEqual((answer.status, answer.body), (200, b'{"id":1}'), (parameters, gateway.events))
        self.assertEqual(self.sessions(), by, parameters)
        gateway.close()
        wait_until(lambda: self.sessions() == "")

    def assertRefuses(self, why, **parameters):
        gateway = self.start(**parameters)
        answer = gateway.get("/const")
        self.assertEqual((answer.status, answer.json["message"]), (503, "The database is not available"), parameters)
        self.assertEqual(gateway.get("/ready").status, 503)
        wait_until(lambda: len(gateway.events) > 1)
        self.assertRegex(gateway.events[1], why, parameters)
        gateway.close()

    def test_modes_that_do_not_look_at_certificates(self):
        for name in ("named", "expired", "alone", "plain", "client_only"):
            serve_with(name)
            for mode in ("require", "prefer", None):
                self.assertConnects("TLSv1.3", **({"sslmode": mode} if mode else {}))
        self.assertConnects("TLSv1.3", host="127.0.0.1", sslmode="require")
        for mode in ("disable", "allow"):
            self.assertConnects("plain", sslmode=mode)
        # A Unix socket never has TLS, whatever sslmode says.
        self.assertConnects("plain", host=cluster.directory, sslmode="require")

    def test_a_server_without_tls(self):
        serve_with(None)
        for mode in ("disable", "allow", "prefer"):
            self.assertConnects("plain", sslmode=mode)
        root = {"sslrootcert": certificates.path("root")}
        for parameters in ({"sslmode": "require"}, {"sslmode": "verify-ca", **root}, {"sslmode": "verify-full", **root}):
            self.assertRefuses("server does not support TLS", **parameters)

    def test_a_server_that_wants_it_one_way(self):
        serve_with("named")
        for mode, only_tls, only_plain in [
            ("disable", None, "plain"), ("allow", "TLSv1.3", "plain"), ("prefer", "TLSv1.3", "plain"),
            ("require", "TLSv1.3", None),
        ]:
            for user, by in (("only_tls", only_tls), ("only_plain", only_plain)):
                if by:
                    self.assertConnects(by, user=user, sslmode=mode)
                else:
                    self.assertRefuses("28000: pg_hba.conf rejects connection", user=user, sslmode=mode)

    def test_verify_full_is_of_the_host_that_was_asked_for(self):
        full = {"sslmode": "verify-full", "sslrootcert": certificates.path("root")}
        for name, right, wrong in (("named", "localhost", "127.0.0.1"), ("addressed", "127.0.0.1", "localhost"),
                                   ("chained", "localhost", "127.0.0.1")):
            serve_with(name)
            self.assertConnects("TLSv1.3", host=right, **full)
            self.assertRefuses("not valid for name", host=wrong, **full)
            self.assertConnects("TLSv1.3", host=wrong, **{**full, "sslmode": "verify-ca"})
            # With a root certificate, require and prefer look at who signed the certificate, but not at the host.
            self.assertConnects("TLSv1.3", host=wrong, **{**full, "sslmode": "require"})
            self.assertConnects("TLSv1.3", host=wrong, **{**full, "sslmode": "prefer"})
        # With hostaddr, the certificate is still checked against the name.
        serve_with("named")
        self.assertConnects("TLSv1.3", hostaddr="127.0.0.1", **full)

    def test_who_vouches_for_the_server(self):
        serve_with("named")
        stranger = {"sslrootcert": certificates.path("stranger")}
        for mode in ("require", "verify-ca", "verify-full"):
            self.assertRefuses("UnknownIssuer", sslmode=mode, **stranger)
        self.assertConnects("plain", sslmode="prefer", **stranger)
        both = certificates.folder / "both.pem"
        both.write_text(certificates.path("stranger").read_text() + certificates.path("root").read_text())
        self.assertConnects("TLSv1.3", sslmode="verify-full", sslrootcert=both)
        for name, why in (("expired", "Expired"), ("client_only", "[Pp]urpose|[Uu]sage"),
                          ("alone", "UnknownIssuer|CaUsedAsEndEntity"), ("plain", "UnsupportedCertVersion")):
            serve_with(name)
            for mode in ("require", "verify-ca", "verify-full"):
                self.assertRefuses(why, sslmode=mode, sslrootcert=certificates.path("root"))

    def test_a_certificate_that_is_its_own_root(self):
        serve_with("alone")
        alone = {"sslrootcert": certificates.path("alone")}
        for mode in ("require", "verify-ca", "verify-full"):
            self.assertConnects("TLSv1.3", sslmode=mode, **alone)
        self.assertRefuses("not valid for name", host="127.0.0.1", sslmode="verify-full", **alone)
        serve_with("expired")
        self.assertRefuses("Expired", sslmode="verify-ca", sslrootcert=certificates.path("expired"))
        # This certificate has no name that verify-full could check.
        serve_with("plain")
        self.assertConnects("TLSv1.3", sslmode="verify-ca", sslrootcert=certificates.path("plain"))
        self.assertRefuses("UnsupportedCertVersion", sslmode="verify-full", sslrootcert=certificates.path("plain"))

    def test_the_systems_certificates_do_not_vouch_for_ours(self):
        serve_with("named")
        self.assertRefuses("UnknownIssuer", sslrootcert="system")

    def test_tls_1_2(self):
        serve_with("named")
        cluster.sql("ALTER SYSTEM SET ssl_max_protocol_version = 'TLSv1.2'")
        try:
            serve_with("named")
            wait_until(lambda: cluster.sql("SHOW ssl_max_protocol_version") == "TLSv1.2")
            self.assertConnects("TLSv1.2", sslmode="verify-full", sslrootcert=certificates.path("root"))
            self.assertConnects("TLSv1.2", sslmode="require")
        finally:
            cluster.sql("ALTER SYSTEM RESET ssl_max_protocol_version")
            serve_with("named")

    def test_a_password_is_bound_to_the_connection(self):
        serve_with("named")
        secret = {"user": "scram", "password": "'it\\'s secret'"}
        self.assertConnects("TLSv1.3", sslmode="require", channel_binding="require", **secret)
        self.assertRefuses("channel binding", sslmode="disable", channel_binding="require", **secret)

    def test_a_url_with_escapes(self):
        serve_with("named")
        root = str(certificates.path("root")).replace("/", "%2F")
        gateway = Gateway(DATABASE_URL=f"postgres://scram:it's%20secret@localhost:{cluster.port}/{cluster.database}"
                          f"?application_name=tls&sslmode=verify-full&sslrootcert={root}")
        self.addCleanup(gateway.close)
        self.assertEqual(gateway.get("/const").status, 200, gateway.events)
        self.assertEqual(self.sessions(), "TLSv1.3")

    def test_a_statement_is_cancelled_and_bodies_are_whole(self):
        serve_with("named")
        gateway = self.start(user="only_tls", sslmode="verify-full", sslrootcert=certificates.path("root"),
                             REQUEST_TIMEOUT="500ms", POOL_SIZE=1)
        self.assertEqual(gateway.get("/sleep/60").status, 504)
        wait_until(lambda: cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "0")
        body = bytes(range(256)) * 2000
        self.assertEqual(gateway.request("POST", "/bytes", body).body, body)

    def test_a_connection_that_ended_while_idle_is_replaced(self):
        serve_with("named")
        gateway = self.start(sslmode="require", POOL_SIZE=1)
        before = gateway.get("/pid").body
        cluster.sql(f"SELECT pg_terminate_backend({before.decode()}, 5000)")
        answer = gateway.get("/pid")
        self.assertEqual(answer.status, 200)
        self.assertNotEqual(answer.body, before)

    def test_what_is_between_cannot_turn_tls_off(self):
        """If something in between answers that the server has no TLS, or anything else, it gets no password and no request."""
        serve_with("named")
        for answer in (b"N", b"E", b"S" * 100, b""):
            proxy = Liar(cluster.port, answer)
            self.addCleanup(proxy.close)
            self.assertRefuses("TLS|closed|eof|EOF|handshake|reset", host="127.0.0.1", port=proxy.port, sslmode="require",
                               user="scram", password="secret")
            self.assertEqual(proxy.heard[:8], bytes.fromhex("0000000804d2162f"))
            self.assertNotIn(b"scram", proxy.heard)


class Liar(Proxy):
    """A proxy that answers the first bytes of a connection itself, and keeps what it hears."""

    def __init__(self, port, answer):
        self.answer, self.heard = answer, b""
        super().__init__(port)

    def _serve(self, client):
        with client:
            try:
                self.heard += client.recv(8)
                if self.answer:
                    client.sendall(self.answer)
                    self.heard += client.recv(65536)
            except OSError:
                pass


if __name__ == "__main__":
    unittest.main()
