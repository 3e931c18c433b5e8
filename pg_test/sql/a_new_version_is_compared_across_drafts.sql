-- What a new version changes is proven for all values, with the rules of each version's own draft, or shown by an example.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never
-- 1.0 equals 1, but is not an integer in draft 4
select change, verdict, example, detail from restful.schema_changes('{"$schema": "http://json-schema.org/draft-04/schema#", "enum": [1]}',
    '{"$schema": "http://json-schema.org/draft-04/schema#", "enum": [1], "type": "integer"}');
select change, verdict, example from restful.schema_changes('{"enum": [1]}', '{"enum": [1], "type": "integer"}');
select restful.register_schema('one', '{"$schema": "http://json-schema.org/draft-04/schema#", "enum": [1]}');
select restful.register_schema('one', '{"$schema": "http://json-schema.org/draft-04/schema#", "enum": [1], "type": "integer"}');
-- a version that uses another draft
select restful.register_schema('one', '{"$schema": "https://json-schema.org/draft/2020-12/schema", "enum": [1]}', 'full');
select change, verdict, example from restful.schema_changes('{"$schema": "http://json-schema.org/draft-04/schema#"}', '{}');
select change, verdict, example from restful.schema_changes('{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["a"]}',
    '{"$schema": "https://json-schema.org/draft/2019-09/schema", "type": "object", "required": ["a", "b"]}');
select change, verdict, example from restful.schema_changes('{"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"}', '{"type": "integer"}');
select verdict, detail from restful.schema_changes('{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"pattern": "^(a|b)*$"}]}', '{"prefixItems": [{"pattern": "^(a|b)*$"}]}');
-- a number with more digits than a double is not treated as the nearest whole number
select restful.is_valid('{"const": 1}', '1.00000000000000000000001'), restful.is_valid('{"enum": [1]}', '1.00000000000000000000001'),
    restful.is_valid('{"multipleOf": 1}', '1.00000000000000000000001'), restful.is_valid('{"exclusiveMinimum": 0}', '1e-400');
