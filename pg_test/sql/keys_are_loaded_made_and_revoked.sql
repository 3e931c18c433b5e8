-- Keys of issuers: loaded keys verify, created keys sign, revoked keys do neither.
\pset tuples_only on
\pset format unaligned
\pset null null
create function pg_temp.verified(token text) returns jsonb language sql as $$ select restful.jwt_verify(token) - 'iat' - 'exp' $$;
create function pg_temp.header(token text) returns jsonb language sql as $$
    select convert_from(decode(rpad(h, (length(h) + 3) / 4 * 4, '='), 'base64'), 'utf8')::jsonb from translate(split_part(token, '.', 1), '-_', '+/') h $$;
select restful.jwt_check('a.b.c');
select restful.jwt_verify('a.b.c');
select restful.jwt_sign('{}');
-- each algorithm
select a, pg_temp.verified(restful.jwt_sign('{"sub": "me"}', kid => restful.create_signing_key(a, kid => 'k-' || a)))
from unnest('{HS256,HS384,HS512,RS256,PS256,ES256,ES384,EdDSA}'::text[]) a;
select k->>'kid', k->>'kty', k->>'alg', k->>'use', k ?| '{d,p,q,k}' as secret from jsonb_array_elements(restful.jwks()->'keys') k order by 1;
select pg_temp.header(restful.jwt_sign('{}'));
select restful.create_signing_key('none');
select restful.revoke_key('k-' || a) from unnest('{HS256,HS384,HS512,RS256,PS256,ES256,ES384,EdDSA,other}'::text[]) a;
-- an issuer of our own: iss and aud are set from the key
select restful.create_signing_key('EdDSA', 'ours', 'https://us.example', '{us,them}', '$.app.role');
select pg_temp.verified(restful.jwt_sign('{"sub": "me"}'));
select restful.jwt_sign('{"iss": "https://them.example"}');
select (restful.jwt_check(restful.jwt_sign('{"aud": "others"}'))).reason;
select restful.jwt_sign('{}', ttl => '-1 second');
-- the token is valid for as long as was asked for
select (c->>'exp')::int - (c->>'iat')::int from restful.jwt_verify(restful.jwt_sign('{}', ttl => '1 hour 1 second')) c;
-- a key set of another issuer (RFC 7515, appendix A.3): an old token that expired long ago
select restful.load_jwks('joe', '{"keys": [
    {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
    {"kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB"}, {"kty": "OKP", "crv": "X25519", "x": "AA"}]}');
select * from restful.jwt_check('eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q');
-- keys of other issuers are not published as ours
select jsonb_path_query_array(restful.jwks(), '$.keys[*].kid');
-- T27: a weak, malformed or secret key is not loaded, and neither is the rest of its set
select restful.load_jwks('joe', '{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}');
select restful.load_jwks('joe', '{"keys": [{"kty": "oct", "k": "AQAB"}]}');
select restful.load_jwks('joe', '{"keys": [{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}]}');
select restful.load_jwks('joe', '{"keys": [{"kty": "EC", "crv": "P-256", "d": "AA", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}');
select restful.load_jwks('joe', '[]');
select restful.load_jwks('joe', null);
select restful.load_jwks(null, '{"keys": []}');
select restful.load_jwks('joe', '{"keys": []}', array['us', null]);
select restful.load_jwks('joe', '{"keys": []}', role_path => '$.a b');
select restful.load_secret('too short');
select restful.load_secret('a secret of thirty-two bytes, ok', algorithm => 'HS512');
select restful.load_secret('a secret of thirty-two bytes, ok', algorithm => 'RS256');
select restful.load_secret('a secret of thirty-two bytes, ok', kid => repeat('k', 257));
select restful.load_secret(null);
-- files and openssl rand -base64 end with a line break, which would become part of a secret; in base64 it is ignored
select restful.load_secret(E'reallyreallyreallyreallyverysafe\n');
select restful.load_secret(E'reallyreallyreally\r\nreallyverysafe');
select restful.load_secret(E'cmVhbGx5cmVhbGx5cmVhbGx5cmVhbGx5dmVyeXNhZmU=\n');
select restful.load_secret(E' cmVhbGx5cmVhbGx5cmVhbGx5\r\ncmVhbGx5dmVyeXNhZmU=\n', 'in lines', is_base64 => true);
select pg_temp.verified('eyJhbGciOiJIUzI1NiIsImtpZCI6ImluIGxpbmVzIn0.eyJleHAiOjk5OTk5OTk5OTksInN1YiI6Im1lIn0.IAadD8QD00pxlevKH6lt3dPQ1tMZsrCuRaUj5nnHub0');
select restful.revoke_key('in lines');
select restful.load_secret('reallyreallyreallyreallyverysafe!', is_base64 => true);
select restful.load_secret('cmVhbGx5=cmVhbGx5', is_base64 => true);
-- keys of other kinds
select restful.load_secret(E'-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n');
select restful.load_secret('{"kty": "oct", "k": "cmVhbGx5cmVhbGx5cmVhbGx5cmVhbGx5dmVyeXNhZmU"}');
select count(*) from restful.public_key where issuer = 'joe';
-- a secret as PostgREST uses it: its tokens have no kid and no issuer
select restful.load_secret('reallyreallyreallyreallyverysafe', 'legacy');
select pg_temp.verified('eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjk5OTk5OTk5OTksInJvbGUiOiJwb3N0Z3Jlc3RfdGVzdF9hdXRob3IiLCJpZCI6Impkb2UifQ.Dpss-QoLYjec5OTsOaAc3FNVsSjA89wACoV-0ra3ClA');
select restful.revoke_key('legacy');
select pg_temp.verified('eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjk5OTk5OTk5OTksInJvbGUiOiJwb3N0Z3Jlc3RfdGVzdF9hdXRob3IiLCJpZCI6Impkb2UifQ.Dpss-QoLYjec5OTsOaAc3FNVsSjA89wACoV-0ra3ClA');
-- a token without exp is refused, unless the setting allows it
select restful.load_secret(encode(convert_to('reallyreallyreallyreallyverysafe', 'utf8'), 'base64'), 'legacy', is_base64 => true);
\set forever eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoicG9zdGdyZXN0X3Rlc3RfYXV0aG9yIn0.Xod-F15qsGL0WhdOCr2j3DdKuTw9QJERVgoFD3vGaWA
select * from restful.jwt_check(:'forever');
set restful.jwt_require_exp = off;
select * from restful.jwt_check(:'forever');
reset restful.jwt_require_exp;
-- each fault of a token has its own reason: its parts, its header, its key, its claims
select reason from unnest(array['', 'a.b', '+.e30.AA', 'eyJ9.e30.AA', 'W10.e30.AA', 'eyJhbGciOiJub25lIn0.e30.AA', 'eyJhbGciOiJIUzI1NiIsImNyaXQiOltdfQ.e30.AA',
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IngifQ.e30.AA', 'eyJhbGciOiJIUzI1NiJ9.+.AA', 'eyJhbGciOiJIUzI1NiJ9.e30.A+', 'eyJhbGciOiJIUzI1NiJ9.W10.AA',
    'eyJhbGciOiJIUzI1NiJ9.eyJhIjoxLCJhIjoxfQ.AA', 'eyJhbGciOiJIUzI1NiIsImtpZCI6Im5vIn0.e30.AA', 'eyJhbGciOiJIUzUxMiJ9.e30.AA']) with ordinality t (token, i), restful.jwt_check(t.token) order by i;
-- and an audience, if the issuer has audiences
select restful.load_secret('reallyreallyreallyreallyverysafe', 'legacy', audiences => '{us}');
set restful.jwt_require_exp = off;
select reason from restful.jwt_check(:'forever');
set restful.jwt_require_aud = off;
select reason from restful.jwt_check(:'forever');
-- a key that is removed by a subscription or in a session that fires no triggers is revoked like any other
select restful.create_signing_key(kid => 'replicated');
select restful.jwt_sign('{"sub": "1"}', kid => 'replicated') as token \gset
select valid from restful.jwt_check(:'token');
set session_replication_role = replica;
delete from restful.public_key where kid = 'replicated';
delete from restful.secret_key where kid = 'replicated';
reset session_replication_role;
select valid from restful.jwt_check(:'token');
