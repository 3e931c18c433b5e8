-- For tests of policies. Nobody may execute it at first: whoever may can act for any subject, in the roles that they may take.
CREATE FUNCTION restful.act_as(role name, claims jsonb DEFAULT '{}') RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_act_as';
COMMENT ON FUNCTION restful.act_as(name, jsonb) IS
'For tests: until the end of the transaction, takes a role as SET LOCAL ROLE does, and treats these claims as verified';
