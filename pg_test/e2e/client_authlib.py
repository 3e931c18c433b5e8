"""Tests the unmodified Authlib over the gateway: as a client of the OAuth endpoints, and as an issuer whose tokens the API accepts."""

import base64
import json
import os
import sys
import time
import unittest
from urllib.parse import parse_qs, urlsplit

from _clients import psql, python_packages, start_gateway
from harness import HERE, wait_until

sys.path.insert(0, str(python_packages(HERE / "authlib.txt")))
# The gateway speaks plain HTTP, usually to a proxy in front of it, and here to the client.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.common.security import generate_token  # noqa: E402
from authlib.integrations.base_client.errors import OAuthError  # noqa: E402
from authlib.integrations.requests_client import OAuth2Session  # noqa: E402
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata  # noqa: E402
from joserfc import jwt  # noqa: E402
from joserfc.jwk import ECKey, KeySet, RSAKey  # noqa: E402

BACK = "https://app.example/back"
gateway = issuer = metadata = None


def setUpModule():
    global gateway, issuer, metadata
    psql("-c", "create role oauth_reader; grant oauth_reader to authenticator; grant usage on schema library to oauth_reader")
    psql("-c", """create function library.who() returns jsonb language sql stable as
        $$ select jsonb_build_object('role', current_user, 'subject', restful.user_id(), 'scopes', restful.scopes()) $$""")
    # Stands for the application's page, on which a signed-in user lets a client act for them.
    psql("-c", """create function library.agree(client_id text, redirect_uri text, code_challenge text, code_challenge_method text, scope text, state text)
        returns text language sql as $$ select location from restful.create_authorization_code(client_id, null, redirect_uri, code_challenge, scope, state,
        code_challenge_method) $$""")
    psql("-c", """grant execute on function restful.create_authorization_code(text, text, text, text, text, text, text) to oauth_reader""")
    gateway = start_gateway()
    issuer = f"http://127.0.0.1:{gateway.port}"
    database = os.environ["PGDATABASE"]
    for name, value in ("oauth_issuer", issuer), ("oauth_authorization_endpoint", f"{issuer}/rpc/agree"):
        psql("-c", f"alter role authenticator in database {database} set restful.{name} = '{value}'")
    psql("-c", f"select restful.create_signing_key('ES256', 'own', '{issuer}')")
    psql("-c", "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'")
    wait_until(lambda: gateway.get("/.well-known/oauth-authorization-server").status == 200)
    metadata = AuthorizationServerMetadata(gateway.get("/.well-known/oauth-authorization-server").json)


def tearDownModule():
    gateway.close()
    psql("-c", f"alter role authenticator in database {os.environ['PGDATABASE']} reset all")
    psql("-c", "drop owned by oauth_reader")
    psql("-c", "drop role oauth_reader")


def register(name, grants, uris=(), confidential=True):
    """Registers a client, and returns its id and secret."""
    array = "{" + ",".join(uris) + "}"
    return psql("-F", " ", "-c", f"select * from restful.register_client('{name}', '{array}', '{{{grants}}}', '{{read,write}}', 'oauth_reader', {confidential})").split(" ")


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def who(token):
    answer = gateway.get("/rpc/who", Authorization=f"Bearer {token}")
    return answer.json if answer.status == 200 else answer.status


class ClientTest(unittest.TestCase):
    def session(self, client_id, secret=None, method="client_secret_basic", **more):
        session = OAuth2Session(client_id, secret or None, token_endpoint_auth_method=method if secret else "none",
                                token_endpoint=metadata["token_endpoint"], **more)
        self.addCleanup(session.close)
        return session

    def assertRefused(self, error, call, *arguments, **named):
        with self.assertRaises(OAuthError) as raised:
            call(*arguments, **named)
        self.assertEqual(raised.exception.error, error)

    def sign_in(self, session, subject="ann", scope=None):
        """Goes to the page with the client's parameters as a signed-in user. Returns the URL that the page answers, and the verifier."""
        verifier = generate_token(64)
        url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, scope=scope)
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.assertEqual(asked.pop("response_type"), "code")
        asked.setdefault("scope", None)
        user = psql("-c", f"""select restful.jwt_sign('{{"role": "oauth_reader", "sub": "{subject}"}}', kid => 'own')""")
        answer = gateway.request("POST", "/rpc/agree", json.dumps(asked),
                                 {"Content-Type": "application/json", "Authorization": f"Bearer {user}"})
        self.assertEqual(answer.status, 200, answer.body)
        returned = parse_qs(urlsplit(answer.json).query)
        self.assertEqual((returned["state"], returned["iss"]), ([state], [issuer]))
        return answer.json, verifier

    def test_the_metadata_is_valid(self):
        self.assertEqual(metadata["issuer"], issuer)
        # We leave out Authlib's rules for URLs, because they require https, which the proxy in front of the gateway would add.
        for validate in ("response_types_supported", "grant_types_supported", "token_endpoint_auth_methods_supported",
                         "revocation_endpoint_auth_methods_supported", "introspection_endpoint_auth_methods_supported",
                         "code_challenge_methods_supported"):
            getattr(metadata, f"validate_{validate}")()

    def test_a_client_gets_a_token_for_itself(self):
        client_id, secret = register("robot", "client_credentials")
        for method in "client_secret_basic", "client_secret_post":
            with self.subTest(method):
                session = self.session(client_id, secret, method, scope="read")
                token = session.fetch_token(grant_type="client_credentials")
                self.assertEqual((token["token_type"], token["scope"]), ("Bearer", "read"))
                self.assertEqual(who(token["access_token"]), {"role": "oauth_reader", "subject": client_id, "scopes": ["read"]})
                # The session adds the token to its requests.
                self.assertEqual(session.get(f"{issuer}/rpc/who").json()["subject"], client_id)
        self.assertRefused("invalid_client", self.session(client_id, secret + "x").fetch_token, grant_type="client_credentials")
        self.assertRefused("invalid_scope", self.session(client_id, secret, scope="admin").fetch_token, grant_type="client_credentials")
        self.assertRefused("unsupported_grant_type", self.session(client_id, secret).fetch_token, grant_type="password", username="a", password="b")

    def test_tokens_are_verified_with_the_published_keys(self):
        """This is what another service does, which has only the metadata."""
        client_id, secret = register("robot", "client_credentials")
        token = self.session(client_id, secret).fetch_token(grant_type="client_credentials")["access_token"]
        keys = KeySet.import_key_set(gateway.get(urlsplit(metadata["jwks_uri"]).path).json)
        decoded = jwt.decode(token, keys, algorithms=["ES256"])
        self.assertEqual(decoded.header["typ"], "at+jwt")
        jwt.JWTClaimsRegistry(iss={"essential": True, "value": issuer}, aud={"essential": True, "value": issuer}, exp={"essential": True},
                              client_id={"essential": True, "value": client_id}, jti={"essential": True}).validate(decoded.claims)

    def test_a_code_is_exchanged_with_its_verifier(self):
        for confidential in False, True:
            with self.subTest(confidential=confidential):
                client_id, *secret = register("app", "authorization_code,refresh_token", [BACK], confidential)
                session = self.session(client_id, *secret, redirect_uri=BACK, code_challenge_method="S256")
                location, verifier = self.sign_in(session, scope="read")
                token = session.fetch_token(authorization_response=location, code_verifier=verifier)
                self.assertEqual(who(token["access_token"]), {"role": "oauth_reader", "subject": "ann", "scopes": ["read"]})
                self.assertEqual(claims(token["access_token"])["client_id"], client_id)
                # A code that comes again is refused, and the tokens that it was exchanged for can no longer be refreshed.
                self.assertRefused("invalid_grant", session.fetch_token, authorization_response=location, code_verifier=verifier)
                self.assertRefused("invalid_grant", session.refresh_token, metadata["token_endpoint"], token["refresh_token"])
                location, _ = self.sign_in(session)
                self.assertRefused("invalid_grant", session.fetch_token, authorization_response=location, code_verifier=generate_token(64))
        # Without a verifier, the client sends no challenge.
        url, _ = session.create_authorization_url(metadata["authorization_endpoint"])
        self.assertNotIn("code_challenge", url)

    def test_a_refresh_token_is_replaced_and_used_once(self):
        client_id, secret = register("app", "authorization_code,refresh_token", [BACK])
        session = self.session(client_id, secret, redirect_uri=BACK, code_challenge_method="S256")
        location, verifier = self.sign_in(session)
        first = session.fetch_token(authorization_response=location, code_verifier=verifier)["refresh_token"]
        second = session.refresh_token(metadata["token_endpoint"], first)["refresh_token"]
        third = session.refresh_token(metadata["token_endpoint"], second)
        self.assertEqual(len({first, second, third["refresh_token"]}), 3)
        self.assertEqual(who(third["access_token"])["subject"], "ann")
        # If a thief comes with a token that was already used, the newest token is revoked as well.
        self.assertRefused("invalid_grant", session.refresh_token, metadata["token_endpoint"], first)
        self.assertRefused("invalid_grant", session.refresh_token, metadata["token_endpoint"], third["refresh_token"])

    def test_a_token_is_introspected_and_revoked(self):
        client_id, secret = register("app", "authorization_code,refresh_token", [BACK])
        session = self.session(client_id, secret, redirect_uri=BACK, code_challenge_method="S256",
                               revocation_endpoint_auth_method="client_secret_basic")
        location, verifier = self.sign_in(session)
        token = session.fetch_token(authorization_response=location, code_verifier=verifier)

        def introspect(which):
            return session.introspect_token(metadata["introspection_endpoint"], token[which], which).json()

        told = introspect("access_token")
        self.assertTrue(told["active"])
        self.assertEqual((told["sub"], told["client_id"], told["iss"]), ("ann", client_id, issuer))
        self.assertTrue(introspect("refresh_token")["active"])
        self.assertEqual(session.revoke_token(metadata["revocation_endpoint"], token["access_token"], "access_token").json()["error"],
                         "unsupported_token_type")
        self.assertEqual(session.revoke_token(metadata["revocation_endpoint"], token["refresh_token"], "refresh_token").status_code, 200)
        self.assertEqual((introspect("access_token"), introspect("refresh_token")), ({"active": False}, {"active": False}))
        self.assertRefused("invalid_grant", session.refresh_token, metadata["token_endpoint"], token["refresh_token"])


class ResourceServerTest(unittest.TestCase):
    """Tokens of another issuer, whose public keys we have loaded."""

    foreign = "https://login.example"

    @classmethod
    def setUpClass(cls):
        cls.keys = {
            "RS256": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig", "alg": "RS256"}),
            "ES256": ECKey.generate_key("P-256", {"kid": "ec", "use": "sig", "alg": "ES256"}),
        }
        public = json.dumps(KeySet(list(cls.keys.values())).as_dict(private=False))
        psql("-c", f"select restful.load_jwks('{cls.foreign}', '{public}', '{{library}}', '$.app.role')")

    def token(self, algorithm, key=None, kid=None, **changed):
        key = key or self.keys[algorithm]
        now = int(time.time())
        claims = {"iss": self.foreign, "aud": "library", "sub": "bea", "iat": now, "exp": now + 60, "app": {"role": "oauth_reader"}, "scope": "read"}
        header = {"alg": algorithm, "kid": kid or key.kid, "typ": "JWT"}
        return jwt.encode(header, {**claims, **changed}, key, algorithms=[algorithm])

    def test_its_tokens_are_taken(self):
        for algorithm in self.keys:
            with self.subTest(algorithm):
                self.assertEqual(who(self.token(algorithm)), {"role": "oauth_reader", "subject": "bea", "scopes": ["read"]})
                self.assertEqual(who(self.token(algorithm, aud=["other", "library"]))["subject"], "bea")

    def test_others_are_not(self):
        now = int(time.time())
        another = ECKey.generate_key("P-256", {"kid": "ec"})
        for algorithm in self.keys:
            for why, token in {
                "another audience": self.token(algorithm, aud="other"),
                "expired": self.token(algorithm, exp=now - 60),
                "not yet valid": self.token(algorithm, nbf=now + 600),
                "another issuer": self.token(algorithm, iss=issuer),
                "unknown kid": self.token(algorithm, kid="nobody"),
                "another key with its kid": self.token("ES256", key=another),
                "the kid of another key": self.token(algorithm, kid="own"),
            }.items():
                with self.subTest(why, algorithm=algorithm):
                    answer = gateway.get("/rpc/who", Authorization=f"Bearer {token}")
                    self.assertEqual(answer.status, 401)
                    self.assertRegex(answer.header("www-authenticate"), '^Bearer error="invalid_token"')

    def test_it_is_no_token_of_this_server(self):
        client_id, secret = register("robot", "client_credentials")
        with OAuth2Session(client_id, secret) as session:
            told = session.introspect_token(metadata["introspection_endpoint"], self.token("ES256"), "access_token")
        self.assertEqual(told.json(), {"active": False})
