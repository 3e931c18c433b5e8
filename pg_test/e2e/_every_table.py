"""Rows for the extension's own tables, for tests of dumps and upgrades, which have to keep them."""

# Puts rows into every table of the extension that is dumped, and creates a table of the application that depends on them.
ROWS = """
    select restful.create_signing_key('EdDSA', 'signs'), restful.load_secret('a secret of at least thirty-two bytes', 'shared'),
        restful.load_jwks('https://one.example', '{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}',
            '{us}', '$.app.role'),
        restful.create_signing_key('ES256', 'signs', issuer => 'https://two.example');
    select restful.create_api_key('ann', 'anon'), restful.create_api_key('ben', 'anon', '{read}');
    select restful.rotate_api_key(id) from restful.list_api_keys() where subject = 'ann';
    update restful.api_key_use set last_used = now();
    select restful.define_role('reader', '{films.read}'), restful.define_role('editor', '{films.*}', '{reader}', '{reader}');
    select restful.grant_role('ann', 'editor'), restful.grant_role('ben', 'reader', 'studio-1', '2100-01-01');
    select restful.register_client('job', grant_types => '{client_credentials}', role => 'anon'),
        restful.register_client('app', '{https://app.example/back}', role => 'anon', confidential => false);
    select restful.register_schema('money', '{"minimum": 0}'), restful.register_schema('product', '{"properties": {"price": {"$ref": "restful:money"}}}');
    insert into restful.lint_exception values ('no_primary_key', 'shop.notes', 'a log');
    create schema shop;
    create table shop.products (id int primary key, doc jsonb);
    select restful.constrain('shop.products', 'doc', 'product');
    insert into shop.products select i, '{"price": 1}' from generate_series(1, 100) i;
"""
# The same for the tables that 0.1.0 does not have; run after ROWS.
ROWS_OF_0_2_0 = """
    select restful.set_resource('shop.products', '{"require_match": true, "cache_control": "private, max-age=60"}');
    create function shop.sell(id int, session text default null) returns int language sql as 'select id';
    select restful.route_group('shop', '/shop', 'shop.example');
    select restful.route('POST /products/{id}/sell', 'shop.sell', '{"session": "cookie:sid"}', query => '{"maxProperties": 0}', example => '{"query": {}}', of_group => 'shop');
    select restful.route('POST /products/{id}/sell', 'shop.sell', '{"session": "cookie:sid"}');
    create function shop.check_session(request restful.http_request) returns void language sql as '';
    select restful.hook('before', 'shop.check_session', '* /products/{rest:path}', 5);
    create table shop.prices (id int primary key, amount numeric);
    insert into shop.prices values (1, 1.5);
    select restful.audit('shop.prices');
    update shop.prices set amount = 2.5;
    select restful.limit('5/second; 100 per hour', by => 'claim org.id', requests => '* /products/{rest:path}', name => 'products');
    select restful.version('v2', 'public'), restful.version('v1', 'shop', '2024-01-01', '2100-01-01', 'v2', 'https://one.example');
"""
# Lists the tables of the extension that pg_dump dumps, as text.
DUMPED = "select c::regclass from pg_extension x, unnest(x.extconfig) c join pg_class r on r.oid = c where r.relkind = 'r' and x.extname = 'pg_restful' order by c::regclass::text"
