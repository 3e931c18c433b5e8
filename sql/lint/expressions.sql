-- Expressions as pg_get_expr() prints them, and bodies of functions, as far as lints have to understand them.

CREATE FUNCTION restful.lint_masked(expression text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_masked$
    SELECT CASE WHEN expression !~ '[''"]' THEN expression ELSE (
        SELECT string_agg(CASE left(m[1], 1)
            WHEN '''' THEN '''' || repeat('_', length(m[1]) - 2) || ''''
            WHEN '"' THEN '"' || regexp_replace(substr(m[1], 2, length(m[1]) - 2), '[^\w$]', '_', 'g') || '"'
            ELSE m[1]
        END, '' ORDER BY n)
        FROM regexp_matches(expression, '''(?:[^'']|'''')*''|"(?:[^"]|"")*"|[^''"]+', 'g') WITH ORDINALITY t (m, n))
    END
$lint_masked$;
COMMENT ON FUNCTION restful.lint_masked(text) IS
    'Internal: an expression of the same length whose quoted text contains nothing that looks like syntax';

-- Everything in parentheses. Of a call the function as it is printed, otherwise null; what the parentheses hold (masked); the place
-- of the whole; and whether it is bare, and so evaluated for each row: in no sub-select, or in the condition of one that reads rows.
CREATE FUNCTION restful.lint_groups(expression text)
    RETURNS TABLE (function text, arguments text, start integer, length integer, bare boolean)
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE ROWS 5 SET search_path = pg_catalog, pg_temp AS $lint_groups$
DECLARE
    masked text := restful.lint_masked(expression);
    -- of each open parenthesis: its place, and how many sub-selects are around what follows
    opened integer[] := '{}';
    -- and in which clause of the innermost one it is
    sub_selects integer[] := '{}';
    clauses text[] := '{}';
    depth integer := 0;
    at integer := 0;
    step integer;
    part text;
    called text;
BEGIN
    LOOP
        part := substring(substr(masked, at + 1) FROM '^[^()]*[()]');
        step := length(part);
        EXIT WHEN step IS NULL;
        IF depth > 0 AND sub_selects[depth] > 0 THEN
            clauses[depth] := coalesce(
                substring(part FROM '.*(?<!["\w])(SELECT|FROM|WHERE|ON|HAVING|GROUP BY|ORDER BY|LIMIT|UNION|EXCEPT|INTERSECT|VALUES)(?!["\w])'),
                clauses[depth]);
        END IF;
        at := at + step;
        IF substr(masked, at, 1) = '(' THEN
            opened[depth + 1] := at;
            sub_selects[depth + 1] := CASE WHEN depth = 0 THEN 0 ELSE sub_selects[depth] END;
            clauses[depth + 1] := CASE WHEN depth = 0 THEN '' ELSE clauses[depth] END;
            IF substr(masked, at + 1, 8) ~ '^ ?(SELECT|WITH|VALUES)\M' THEN
                sub_selects[depth + 1] := sub_selects[depth + 1] + 1;
                clauses[depth + 1] := 'SELECT';
            END IF;
            depth := depth + 1;
        ELSIF depth > 0 THEN
            called := substring(left(masked, opened[depth] - 1) FROM '(?:(?:"[^"]*"|[\w$]+)\.)*(?:"[^"]*"|[\w$]+)$');
            start := opened[depth] - coalesce(length(called), 0);
            length := at + 1 - start;
            function := substr(expression, start, length(called));
            arguments := substr(masked, opened[depth] + 1, at - 1 - opened[depth]);
            bare := sub_selects[depth] = 0 OR clauses[depth] IN ('WHERE', 'ON', 'HAVING');
            RETURN NEXT;
            depth := depth - 1;
        END IF;
    END LOOP;
END
$lint_groups$;
COMMENT ON FUNCTION restful.lint_groups(text) IS 'Internal: the calls and groups in an expression as pg_get_expr prints it';

CREATE FUNCTION restful.lint_wrapped(expression text, functions text[], columns text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_wrapped$
DECLARE
    call record;
    masked text := restful.lint_masked(expression);
    wrapped text := expression;
BEGIN
    -- from the back, so that places stay right; of two calls within each other the outer one alone
    FOR call IN
        WITH found AS (
            SELECT c.start, c.length
            FROM restful.lint_groups(expression) c
            WHERE c.bare AND c.function = ANY (functions) AND (columns IS NULL OR c.arguments !~ columns)
              -- nor a column of a table that a sub-select reads
              AND c.arguments !~ '(?<![\w"$.:])(?:"[^"]*"|[a-z_][\w$]*)\.(?:"[^"]*"|[\w$]+|\*)(?![\w"$(.])'
        )
        SELECT f.start, f.length
        FROM found f
        WHERE NOT EXISTS (SELECT FROM found o WHERE o.start < f.start AND o.start + o.length >= f.start + f.length)
        ORDER BY f.start DESC
    LOOP
        -- ANY ((SELECT array)) would compare with the rows of a sub-select
        wrapped := overlay(wrapped PLACING format(
                CASE WHEN left(masked, call.start - 1) ~ '\m(ANY|ALL) \($' AND substr(masked, call.start + call.length, 1) = ')'
                    THEN 'COALESCE(( SELECT %s))' ELSE '( SELECT %s)' END, substr(expression, call.start, call.length))
            FROM call.start FOR call.length);
    END LOOP;
    RETURN wrapped;
END
$lint_wrapped$;
COMMENT ON FUNCTION restful.lint_wrapped(text, text[], text) IS
    'Internal: an expression in which calls of these functions without a column are wrapped in sub-selects, which run once';

CREATE FUNCTION restful.lint_calls_with(expression text, functions text[], columns text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_calls_with$
    SELECT EXISTS (
        SELECT FROM restful.lint_groups(expression) g WHERE g.function = ANY (functions) AND g.arguments ~ columns)
$lint_calls_with$;
COMMENT ON FUNCTION restful.lint_calls_with(text, text[], text) IS
    'Internal: whether an expression calls one of these functions with a column';

CREATE FUNCTION restful.lint_trusted_metadata(expression text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_trusted_metadata$
    SELECT CASE WHEN expression !~ 'user_meta' THEN expression ELSE (
        SELECT string_agg(CASE WHEN m[1] LIKE '''%'
            THEN regexp_replace(regexp_replace(m[1], '\muser_metadata\M', 'app_metadata', 'g'), '\mraw_user_meta_data\M', 'raw_app_meta_data', 'g')
            ELSE m[1]
        END, '' ORDER BY n)
        FROM regexp_matches(expression, '''(?:[^'']|'''')*''|"(?:[^"]|"")*"|[^''"]+', 'g') WITH ORDINALITY t (m, n))
    END
$lint_trusted_metadata$;
COMMENT ON FUNCTION restful.lint_trusted_metadata(text) IS
    'Internal: an expression with app_metadata in its literals where it had user_metadata';

CREATE FUNCTION restful.lint_verified_claims(expression text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_verified_claims$
    SELECT regexp_replace(regexp_replace(expression,
        -- names of settings are the same in any case
        '\mcurrent_setting\(''request\.jwt\.claims''::text(?:, (?:true|false))?\)', '( SELECT (restful.jwt())::text)', 'gi'),
        '\mcurrent_setting\(''request\.jwt\.claim\.(\w+)''::text(?:, (?:true|false))?\)', '( SELECT restful.claim(''\1''::text))', 'gi')
$lint_verified_claims$;
COMMENT ON FUNCTION restful.lint_verified_claims(text) IS
    'Internal: an expression that asks for the verified claims where it read the setting request.jwt.claims';

-- What these say of an expression is read from its text, by the library: no row is read, and nothing is run.
CREATE FUNCTION restful.lint_is_always_true(expression text, not_null text[]) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_lint_is_always_true';
COMMENT ON FUNCTION restful.lint_is_always_true(text, text[]) IS
    'Internal: whether an expression is true for every row and every requester; not_null: the columns that cannot be null';

CREATE FUNCTION restful.lint_holds_for_nobody(expression text, subjects text[]) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_lint_holds_for_nobody';
COMMENT ON FUNCTION restful.lint_holds_for_nobody(text, text[]) IS
    'Internal: whether an expression is true for some row when nobody has signed in, and not for somebody who owns nothing; subjects: the functions that tell who asks';

-- NOT (a IS DISTINCT FROM f()) becomes a = f(), OR f() IS NULL becomes OR false.
CREATE FUNCTION restful.lint_known_subject(expression text, functions text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_known_subject$
DECLARE
    masked text := restful.lint_masked(expression);
    part record;
    content text;
    known text := expression;
BEGIN
    -- of two within each other the inner one alone: the place of the outer one would be another
    FOR part IN
        WITH found AS (
            SELECT g.start, g.length, g.arguments
            FROM restful.lint_groups(expression) g
            WHERE g.function IS NULL AND g.arguments ~ ' IS NULL$| IS DISTINCT FROM '
        )
        SELECT f.start, f.length, f.arguments
        FROM found f
        WHERE NOT EXISTS (SELECT FROM found i WHERE i.start > f.start AND i.start < f.start + f.length)
        ORDER BY f.start DESC
    LOOP
        content := substr(expression, part.start + 1, part.length - 2);
        CONTINUE WHEN NOT EXISTS (SELECT FROM unnest(functions) f WHERE strpos(content, f || '(') > 0);
        IF part.arguments ~ ' IS NULL$' THEN
            IF left(masked, part.start - 1) ~ ' OR $' OR substr(masked, part.start + part.length) ~ '^ OR ' THEN
                known := overlay(known PLACING 'false' FROM part.start FOR part.length);
            END IF;
        ELSIF left(masked, part.start - 1) ~ '\(NOT $' AND array_length(regexp_split_to_array(part.arguments, ' IS DISTINCT FROM '), 1) = 2 THEN
            known := overlay(known
                PLACING '(' || overlay(content PLACING ' = ' FROM strpos(part.arguments, ' IS DISTINCT FROM ') FOR 18) || ')'
                FROM part.start - 5 FOR part.length + 6);
        END IF;
    END LOOP;
    RETURN known;
END
$lint_known_subject$;
COMMENT ON FUNCTION restful.lint_known_subject(text, text[]) IS
    'Internal: an expression that does not hold because one of these functions gives NULL';

CREATE FUNCTION restful.lint_of_subjects(expression text, subjects text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_of_subjects$
DECLARE
    known text := restful.lint_known_subject(expression, subjects);
    asked text;
BEGIN
    IF NOT restful.lint_holds_for_nobody(expression, subjects) THEN
        RETURN expression;
    END IF;
    IF NOT restful.lint_holds_for_nobody(known, subjects) THEN
        RETURN known;
    END IF;
    -- What the expression itself asks about the subject, unless it says something of nobody, too.
    SELECT CASE WHEN g.function ~ '\.(jwt|claims|session)$' THEN format('(%s ->> ''sub''::text)', c.call) ELSE c.call END INTO asked
    FROM restful.lint_groups(expression) g, LATERAL (SELECT substr(expression, g.start, g.length)) c (call)
    WHERE g.function = ANY (subjects) AND g.function !~ '\.(role|method|is_authenticated|has_\w+|authorize|scopes|permissions)$'
      AND g.arguments ~ '^(''_*''::text(, (true|false))?)?$'
      AND c.call !~ '^restful\.claim\(''role'''
      AND (g.function <> 'current_setting' OR c.call ~* '^current_setting\(''request\.jwt\.claim\.')
    ORDER BY g.start
    LIMIT 1;
    RETURN format('((( SELECT %s) IS NOT NULL) AND (%s))', coalesce(asked, 'restful.user_id()'), expression);
END
$lint_of_subjects$;
COMMENT ON FUNCTION restful.lint_of_subjects(text, text[]) IS
    'Internal: an expression that does not hold when nobody has signed in';

-- has_permission(p, column) becomes has_permission(p), which is for all tenants, OR column = ANY (the tenants with p).
CREATE FUNCTION restful.lint_by_set(expression text, relation oid) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_by_set$
DECLARE
    call record;
    permission text;
    tenant text;
    of_uuids boolean;
    by_set text := expression;
BEGIN
    FOR call IN
        SELECT g.*
        FROM restful.lint_groups(expression) g
        WHERE g.function = 'restful.has_permission' AND g.arguments ~ '^''_*''::text, '
        ORDER BY g.start DESC
    LOOP
        permission := substring(call.arguments FROM '^''_*''::text');
        tenant := substr(expression, call.start + length(call.function) + 1 + length(permission) + 2,
            call.length - length(call.function) - length(permission) - 4);
        permission := substr(expression, call.start + length(call.function) + 1, length(permission));
        -- an index on the column serves a comparison in its own type
        of_uuids := EXISTS (
            SELECT FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = relation AND a.attnum > 0 AND a.atttypid = 'uuid'::regtype
              AND tenant = format('(%I)::text', a.attname));
        by_set := overlay(by_set PLACING format('(( SELECT restful.has_permission(%3$s)) OR (%1$s = ANY (ARRAY( SELECT restful.%2$I(%3$s)))))',
                CASE WHEN of_uuids THEN substring(tenant FROM '^\((.*)\)::text$') ELSE tenant END,
                CASE WHEN of_uuids THEN 'tenant_uuids_with' ELSE 'tenants_with' END, permission)
            FROM call.start FOR call.length);
    END LOOP;
    RETURN by_set;
END
$lint_by_set$;
COMMENT ON FUNCTION restful.lint_by_set(text, oid) IS
    'Internal: an expression that compares with the tenants of a permission where it asked about each row';

CREATE FUNCTION restful.lint_reads_only(routine oid) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_reads_only$
    SELECT l.lanname IN ('sql', 'plpgsql')
       AND regexp_replace(body.text, '--[^\n]*|/\*.*?\*/', ' ', 'g')
           !~* ('\m(insert|update|delete|merge|truncate|create|alter|drop|grant|revoke|copy|call|execute|perform|lock|notify|refresh'
               '|set_config|nextval|setval|lo_\w+|dblink\w*|pg_\w*lock\w*|pg_notify|share|into\s+(temp|table))\M')
       -- nor any function of its users' own, as far as their names tell
       AND NOT EXISTS (
           SELECT FROM regexp_matches(body.text, '\m([a-z_][\w$]*)\s*\(', 'gi') m
           JOIN pg_catalog.pg_proc called ON called.proname = lower(m[1]) AND called.provolatile = 'v' AND called.oid <> routine)
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang,
        LATERAL (SELECT coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)) body (text)
    WHERE p.oid = routine
$lint_reads_only$;
COMMENT ON FUNCTION restful.lint_reads_only(oid) IS
    'Internal: whether a function in SQL or PL/pgSQL holds no command that writes and names no volatile function, as far as its text tells';

CREATE FUNCTION restful.lint_is_sensitive(name name) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_is_sensitive$
    -- words of the name, camelCase too
    SELECT '_' || lower(regexp_replace(name::text, '([a-z0-9])([A-Z])', '\1_\2', 'g')) || '_'
        ~ ('_(password|passwd|passphrase|passcode|pwd|pin|secret|salt|otp|totp|mfa|ssn|iban|cvv|cvc|(api|private|secret|signing|encryption)_key'
           '|apikey|(access|refresh|auth|session|reset|bearer|recovery|confirmation)_token|token_hash|credit_card|card_number|social_security(_number)?'
           '|passport(_number)?|tax_id|national_id|bank_account(_number)?)_')
$lint_is_sensitive$;
COMMENT ON FUNCTION restful.lint_is_sensitive(name) IS
    'Internal: whether a column''s name is typical of credentials or document numbers';
