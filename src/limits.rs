//! Every limit on input, with its reason. Sizes that a setting governs have their default here.

/// Bytes of a target. Longer ones are refused by most HTTP servers too (RFC 9110, section 4.1 asks for 8,000 octets).
pub const TARGET_BYTES: usize = 256 * 1024;
/// Header fields of a request: HTTP servers take 100 or so, and each is compared with the others.
pub const HEADER_FIELDS: usize = 1000;
/// Filters and conditions of one request: each is an expression to plan.
pub const FILTERS: usize = 200;
/// Nesting of `and`/`or`/`not`: PostgreSQL's parser gives up at some thousands; nobody writes ten.
pub const LOGIC_DEPTH: usize = 16;
/// Fields and embeds in all `select` lists together. A table has at most 1,600 columns.
pub const SELECT_ITEMS: usize = 1600;
/// Embedded relations of one request: each is a lateral join.
pub const EMBEDS: usize = 32;
/// Nesting of embedded relations.
pub const EMBED_DEPTH: usize = 8;
/// Hints that tell one relationship of several: the most names that one has.
pub const HINTS: usize = 8;
/// Ways to read a foreign key in a view that shows its columns several times. More than two are a mistake or an attack.
pub const KEY_READINGS: usize = 64;
/// Items of one `in.(...)` list. They are one array parameter; beyond this a body or a join serves better.
pub const LIST_ITEMS: usize = 50_000;
/// Steps of one JSON path.
pub const JSON_PATH_STEPS: usize = 32;
/// Parentheses in one full-text query: PostgreSQL reads them recursively.
pub const FULL_TEXT_PARENTHESES: usize = 200;
/// Terms of one `order`.
pub const ORDER_TERMS: usize = 32;
/// Bytes of an identifier: PostgreSQL's NAMEDATALEN - 1. A longer name would be cut and might then name something else.
pub const IDENTIFIER_BYTES: usize = 63;
/// Bytes of a body by default (`restful.max_body_bytes`): larger imports are asked for by setting it.
pub const BODY_BYTES: i32 = 16 * 1024 * 1024;
/// How many times `restful.max_body_bytes` a CSV or form body may be as JSON, in which every line repeats the names: a typical one
/// doubles.
pub const CONVERTED_BODY: usize = 4;
/// Bytes of a response by default (`restful.max_response_bytes`): the whole body is held in memory.
pub const RESPONSE_BYTES: i32 = 64 * 1024 * 1024;
/// Bytes of each text of a database error in a response. A function that quotes the answer of a request of its own in an error
/// doubles its escapes at every level.
pub const ERROR_TEXT_BYTES: usize = 64 * 1024;
/// Bytes that a response's body is given room for at first, at most, going by the last one of its shape.
pub const BODY_CAPACITY: usize = 8 * 1024 * 1024;
/// Ways that a row may be, tried by a lint of one expression: twelve questions of yes and no. Policies ask three or four.
pub const LINT_CHOICES: usize = 4096;
/// Prepared statements kept by a backend. Each holds about 20 to 100 KB of plan.
pub const PLANS: usize = 256;

/// Levels of arrays and objects in a JSON text. PostgreSQL and serde_json stop at thousands and at 128; a document that
/// a person or a program writes on purpose stays far below 64, and recursive consumers keep a bounded stack.
pub const JSON_DEPTH: usize = 64;

/// Bytes of a JSON text that is validated: positions in it have 32 bits. PostgreSQL's values end at half of it.
pub const JSON_TEXT_BYTES: usize = i32::MAX as usize;

/// Digits of one JSON number before its exponent. 400 holds every double written out in full (308 digits before the
/// point) and any amount of money, and keeps the conversion to `numeric` short.
pub const JSON_NUMBER_DIGITS: usize = 400;

/// Absolute value of a JSON number's exponent: the range of a double. Without it `1e131071`, eight bytes, becomes
/// 131072 digits when PostgreSQL prints the `numeric` it was stored as.
pub const JSON_NUMBER_EXPONENT: u32 = 308;

/// Body bytes up to which `jsonb` is built directly. A `jsonb` entry has 28 bits for a length and a built value is at
/// most 6 times its text, so below this no length can overflow; above it PostgreSQL's own parser, which checks, is used.
pub const JSONB_BUILD_BYTES: usize = 16 << 20;

/// Keys outside the column list that one object may hold before looking for a duplicate among them moves from
/// comparing each pair to hashing: comparing a few short keys is cheaper than hashing one.
pub const UNKNOWN_KEYS_COMPARED: usize = 16;

/// Bytes of a JSON Schema's text or jsonb. The largest published ones have some hundreds of KB; compiling takes about 70 times
/// the time that parsing does, and cannot be interrupted.
pub const SCHEMA_BYTES: usize = 1 << 20;
/// Registered documents that one schema may refer to, directly or not.
pub const SCHEMA_DOCUMENTS: usize = 256;
/// Schemas applied to one value in a chain of `$ref`, `allOf` and their like: each takes some hundreds of bytes of stack, and
/// `unevaluatedProperties` on all of them is compiled in the cube of their number.
pub const SCHEMA_CHAIN: usize = 200;
/// Schemas applied to one value along all ways: 10,000 branches of an `anyOf` are fine, exponential ones are not.
pub const SCHEMAS_PER_VALUE: usize = 50_000;
/// Bytes of a compiled `pattern`, and of the states that matching may keep.
pub const PATTERN_BYTES: usize = 1 << 20;
/// Compiled schemas that a backend keeps for each form of instances.
pub const COMPILED_SCHEMAS: usize = 256;
/// Bytes that those take together, about: a schema of a hundred bytes can have patterns that take megabytes.
pub const COMPILED_SCHEMA_BYTES: usize = 128 << 20;
/// Violations that one validation lists.
pub const VIOLATIONS: usize = 1000;
/// Violations that a response lists.
pub const REPORTED_VIOLATIONS: usize = 100;
/// Violations that the error of a write shows: what a person reads.
pub const VIOLATIONS_IN_DETAIL: usize = 10;
/// Bytes of each of them: names of properties come from the value, and may have any length.
pub const VIOLATION_BYTES_IN_DETAIL: usize = 1000;
/// Memory of all that one validation finds wrong, about: the validator collects it before the first is listed. Some hundred
/// thousand places of an ordinary value; an array of as many numbers as a `jsonb` holds would take gigabytes.
pub const VIOLATION_BYTES: usize = 128 << 20;
/// Bytes of one message: messages quote values, and each of a thousand could quote the same large one.
pub const VIOLATION_TEXT_BYTES: usize = 16 * 1024;
/// Subschemas that are compiled again because references lead to them from other documents: each takes some microseconds.
pub const SCHEMAS_COMPILED_AGAIN: usize = 50_000;
/// Bytes of a name in a schema, patterns as names of `patternProperties` included.
pub const SCHEMA_NAME_BYTES: usize = 1024;
/// States of the automatons of all patterns of a schema, about. A thousand take some milliseconds to compile.
pub const PATTERN_STATES: usize = 500_000;
/// Ways to the schemas beside `unevaluatedProperties` and `unevaluatedItems`, all together: those keywords compile them again.
pub const UNEVALUATED_SCHEMAS: usize = 20_000;
/// Parts of one schema that are compiled on their own to explain an error.
pub const PARTS_COMPILED: usize = 16;
/// Elements up to which equal ones are found by comparing each pair: that is cheaper than hashing each.
pub const ELEMENTS_COMPARED: usize = 15;
/// Elements among which a message names the two that are equal: each is compared with each.
pub const DUPLICATE_COMPARISONS: usize = 500;
/// Items that a message lists.
pub const ITEMS_LISTED: usize = 20;
/// Levels of a [`serde_json::Value`] that is built, as many as `serde_json` reads: it is dropped and printed recursively.
pub const VALUE_DEPTH: usize = 128;

/// Changes between two schemas that are listed for each direction.
pub const CHANGES: usize = 20;
/// Instances that are tried for one schema and one direction, at most and at least.
pub const TRIALS: usize = 4000;
pub const FEWEST_TRIALS: usize = 100;
/// Instances that are tried, times the members of both schemas: the cost of a trial grows with the schemas.
pub const TRIAL_EFFORT: usize = 1_000_000;
/// Members of a schema that is compared by set algebra, which cannot be interrupted.
pub const ALGEBRA_MEMBERS: usize = 1000;
/// Ways to satisfy one location of such a schema: the algebra multiplies them out.
pub const ALGEBRA_WAYS: usize = 32;
/// Levels of such a schema: the algebra recurses.
pub const ALGEBRA_DEPTH: usize = 60;
/// Levels of schemas within schemas, references followed.
pub const ALGEBRA_LOCATION_DEPTH: usize = 30;
/// Members of a schema whose difference is written out although it may be large.
pub const DIFFERENCE_MEMBERS: usize = 250;
/// Elements or members of a keyword's value that a sentence about its change looks into.
pub const ITEMS_COMPARED: usize = 64;
/// Levels of a proof that one schema includes another, and its steps; beyond, the proof is given up.
pub const PROOF_DEPTH: usize = 20;
pub const PROOF_STEPS: usize = 100_000;

/// Levels of an instance that is made from a schema.
pub const EXAMPLE_DEPTH: usize = 8;
/// Items and properties up to which an array or object of an instance is filled.
pub const EXAMPLE_ITEMS: usize = 128;
/// Bytes of a string in an instance. A schema that asks for a longer one is left to the verdict "unknown".
pub const EXAMPLE_STRING_BYTES: usize = 4096;
/// Strings that are made for one pattern.
pub const EXAMPLE_STRINGS: usize = 40;
/// Bounds and steps around which numbers are tried.
pub const EXAMPLE_BOUNDS: usize = 32;
/// Ways to satisfy one schema (`anyOf`, `oneOf`, `if`) that are tried.
pub const EXAMPLE_WAYS: usize = 24;
/// Schemas that are followed to read one location: `$ref`, `allOf` and their like.
pub const EXAMPLE_PARTS: usize = 200;
/// Work of one run: schemas read, and values built, with every member of every array and object. It bounds time and memory.
pub const EXAMPLE_WORK: usize = 1_500_000;

/// Levels of composite types and arrays in the schema of a table's rows; below them, any value is accepted.
pub const TYPE_DEPTH: usize = 16;
/// Types in one such schema, each counted as often as it is used; beyond, any value is accepted.
pub const TYPES_IN_SCHEMA: usize = 20_000;
/// Characters of a pattern of a CHECK constraint that becomes a keyword.
pub const CHECK_PATTERN_LENGTH: usize = 1000;
/// Levels of its groups.
pub const CHECK_PATTERN_DEPTH: usize = 16;
/// Its atoms, each counted as often as it may be repeated: engines refuse patterns that unfold to much.
pub const CHECK_PATTERN_WEIGHT: usize = 2000;
/// Levels of operands in operands of an expression. PostgreSQL's parser allows more; nobody writes them.
pub const EXPRESSION_DEPTH: usize = 64;

/// Seconds by which clocks may differ.
pub const CLOCK_SKEW_SECONDS: f64 = 30.0;
/// Bytes of a token. Web servers take headers of about as many; a larger one is a document, not an identity.
pub const TOKEN_BYTES: usize = 8 * 1024;
/// Bytes of the name of a key, in a token and in a set.
pub const KEY_ID_BYTES: usize = 256;
/// Bytes of a subject (OpenID Connect Core 1.0, section 2).
pub const SUBJECT_BYTES: usize = 255;
/// Verified tokens kept by a backend: each of at most 8 KiB, parsed.
pub const TOKENS: usize = 256;
/// Verified API keys kept by a backend, and keys whose use is still to be written down.
pub const API_KEYS: usize = 256;
/// Seconds that pass before another use of the same key is written down: it is a row to update.
pub const API_KEY_USE_SECONDS: f64 = 60.0;
/// How long an access token of the OAuth endpoints holds by default (`restful.oauth_access_token_lifetime`), in seconds: nothing ends
/// it earlier.
pub const ACCESS_TOKEN_SECONDS: i32 = 15 * 60;
/// How long a refresh token holds by default unless it is used (`restful.oauth_refresh_token_lifetime`), in seconds.
pub const REFRESH_TOKEN_SECONDS: i32 = 30 * 24 * 60 * 60;
