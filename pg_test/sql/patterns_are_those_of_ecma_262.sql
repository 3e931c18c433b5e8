-- A pattern means what it means in ECMA 262 with the flag u. If it cannot be translated, the error says why and where.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never
-- surrogate pairs are characters; classes of everything, of nothing and with a backspace; NUL and control characters
select restful.is_valid('{"pattern": "^\\ud83d\\ude00$"}', '"😀"'), restful.is_valid('{"pattern": "^[\\ud83d\\ude00-\\ud83d\\ude4f]$"}', '"🙏"'),
    restful.is_valid('{"pattern": "^[^]$"}', '"\n"'), restful.is_valid('{"pattern": "[]"}', '"[]"'), restful.is_valid('{"pattern": "^[\\b]$"}', '"\b"'),
    restful.is_valid('{"pattern": "\\0"}', '"0"'), restful.is_valid('{"pattern": "^\\cI\\/\\-$"}', '"\t/-"');
-- \d, \w and \b are ASCII; \s includes the byte order mark; $ is only the end
select restful.is_valid('{"pattern": "^\\d$"}', '"٣"'), restful.is_valid('{"pattern": "^\\w$"}', '"é"'), restful.is_valid('{"pattern": "\\ba"}', '"éa"'),
    restful.is_valid('{"pattern": "^\\s$"}', '"\ufeff"'), restful.is_valid('{"pattern": "^a$"}', '"a\n"'), restful.is_valid('{"pattern": "^(?<n>\\p{Lu})$"}', '"Ä"');
-- in every draft, and in patternProperties too
select restful.is_valid('{"$schema": "http://json-schema.org/draft-04/schema#", "pattern": "\\b[^]a"}', '"éba"'),
    restful.is_valid('{"$schema": "http://json-schema.org/draft-07/schema#", "patternProperties": {"^\\ud83d\\ude00": false}}', '{"😀": 1}');
-- messages quote a pattern as it was written
select keyword_location, message from restful.validate('{"patternProperties": {"^\\ud83d\\ude00$": {"pattern": "^[^]{2}\\b"}}}', '{"😀": "a"}');
select restful.jsonschema_validation_errors('{"pattern": "^[^]{2}\\b"}', '"a"');
create table library.smileys (id int primary key, doc jsonb check (restful.jsonb_matches_schema('{"pattern": "^\\ud83d[\\ude00-\\ude4f]$"}', doc)));
insert into library.smileys values (1, '"😀"');
alter table library.smileys drop constraint smileys_doc_check;
alter table library.smileys add check (restful.jsonb_matches_schema('{"pattern": "^[\\ud83d\\ude00-\\ud83d\\ude4f]$"}', doc));
insert into library.smileys values (2, '"a"');
insert into library.smileys values (2, '"😀"');
-- patterns that are refused
select restful.is_valid('{"properties": {"code": {"pattern": "^[A-Z](?!XX)"}}}', '{}');
select restful.is_valid('{"patternProperties": {"(a)\\1": {}}}', '{}');
select restful.is_valid('{"pattern": "(?<n>a)|\\k<n>"}', '{}');
select restful.is_valid('{"pattern": "[\\ud800-\\udbff][\\udc00-\\udfff]"}', '{}');
select restful.is_valid('{"pattern": "^a\\Z"}', '{}');
select restful.is_valid('{"pattern": "[[:alpha:]]{,3}"}', '{}');
select restful.is_valid('{"pattern": "\\p{Greeek}"}', '{}');
select restful.is_valid('{"pattern": "(a{1000}){1000}"}', '{}');
select restful.is_valid('{"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "a**"}', '{}');
select restful.jsonschema_is_valid('{"pattern": "(?<=a)b"}');
