-- Whatever is passed to the validation functions, they end soon with an error or an answer, and the session stays usable.
CREATE ROLE visitor;
SET ROLE visitor;
\set VERBOSITY terse

-- Resources that refer to each other in exponentially many ways.
SELECT restful.is_valid(jsonb_build_object('$id', 'https://example.com/', '$ref', 'r0', '$defs', (
    SELECT jsonb_object_agg(i, jsonb_build_object('$id', 'r' || i, 'properties', jsonb_build_object(
        'a', jsonb_build_object('$ref', 'r' || (i + 1) % 60), 'b', jsonb_build_object('$ref', 'r' || (i + 7) % 60))))
    FROM generate_series(0, 59) i)), '{}');

-- Patterns that are small on their own but large together.
SELECT restful.is_valid(jsonb_build_object('patternProperties',
    (SELECT jsonb_object_agg('\p{L}{20}' || i, true) FROM generate_series(1, 300) i)), '{}');

-- unevaluatedProperties at every level of a tree of alternatives.
SELECT restful.is_valid(jsonb_build_object('$ref', '#/$defs/d0', '$defs', (
    SELECT jsonb_object_agg('d' || i, jsonb_build_object('unevaluatedProperties', false, 'anyOf', jsonb_build_array(
        jsonb_build_object('$ref', '#/$defs/d' || i + 1), jsonb_build_object('$ref', '#/$defs/d' || i + 1))))
    FROM generate_series(0, 12) i) || '{"d13": {}}'), '{}');

-- More failures than can be listed: only the first one is reported, or that there are too many.
CREATE TEMP TABLE numbers AS SELECT jsonb_agg(i) AS list FROM generate_series(1, 500000) i;
SELECT instance_location, keyword, message FROM numbers, restful.validate('{"items": {"type": "string"}}', list);
SELECT instance_location, keyword, message
FROM numbers, restful.validate('{"anyOf": [{"items": {"type": "string"}}, {"items": {"type": "null"}}]}', list);
SELECT count(*) FROM restful.validate('{"items": {"type": "string"}}', (SELECT jsonb_agg(i) FROM generate_series(1, 2000) i));

-- Messages that would each quote the whole value.
SELECT max(length(message)) < 20000 AS short
FROM numbers, restful.validate('{"allOf": [{"type": "null"}, {"type": "string"}]}', list, masked => false);
SELECT length((restful.jsonschema_validation_errors('{"type": "null"}', list::text::json))[1]) < 20000 AS short FROM numbers;

-- An array of scalars with an expensive schema can be cancelled.
SET statement_timeout = '300ms';
SELECT restful.is_valid(jsonb_build_object('items', jsonb_build_object('anyOf',
    (SELECT jsonb_agg(jsonb_build_object('multipleOf', i)) FROM generate_series(600000, 605000) i))),
    (SELECT jsonb_agg(605000 + i % 3) || list FROM generate_series(0, 0) i))
FROM (SELECT jsonb_agg(603000) AS list FROM generate_series(1, 500000)) n;
RESET statement_timeout;

-- A deep value that is quoted in a message does not affect the next schema.
SELECT count(*) FROM restful.validate('{"not": {}}', (repeat('[', 3000) || repeat(']', 3000))::jsonb, masked => false);
SELECT restful.is_valid('{"minimum": 1}', '2');
SELECT restful.is_valid('{"minimum": 1e400}', '2');
SELECT restful.is_valid('{"items": {"not": {"not": {"$ref": "#"}}}}', (repeat('[', 6000) || repeat(']', 6000))::jsonb);
SELECT restful.is_valid('{"items": {"$ref": "#"}}', '[[1, []]]');
RESET ROLE;
