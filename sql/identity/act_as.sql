-- For tests of policies. Executable by nobody at first: who may call it can speak for any subject, in the roles they may take.
CREATE FUNCTION restful.act_as(role name, claims jsonb DEFAULT '{}') RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_act_as';
COMMENT ON FUNCTION restful.act_as(name, jsonb) IS
'For tests: takes a role, as SET LOCAL ROLE does, and these claims as verified ones until the end of the transaction';
