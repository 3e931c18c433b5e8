//! All limits on input, each with its reason. For sizes that a setting governs, the default is here.

/// Bytes of a target. Most HTTP servers refuse longer ones, too (RFC 9110, section 4.1 asks for 8,000 octets).
pub const TARGET_BYTES: usize = 256 * 1024;
/// Bytes of the target that Content-Location names after a QUERY. Servers and proxies need not accept longer ones (RFC 9110, section
/// 4.1), and proxies drop answers with long fields.
pub const LOCATION_OF_QUERY: usize = 8000;
/// Entity tags in one If-Match or If-None-Match. A client keeps a few versions of what it has read.
pub const ENTITY_TAGS: usize = 100;
/// Header fields of a request. HTTP servers accept about 100, and each is compared with the others.
pub const HEADER_FIELDS: usize = 1000;
/// Parts of a form with files: a form has at most as many fields as a table has columns.
pub const FORM_PARTS: usize = 1600;
/// Bytes of the header fields of one part of a form: two names and a media type.
pub const PART_HEADER_BYTES: usize = 8192;
/// Filters and conditions of a request: each is an expression to plan.
pub const FILTERS: usize = 200;
/// Nesting of `and`/`or`/`not`. PostgreSQL's parser gives up at some thousands; nobody writes ten.
pub const LOGIC_DEPTH: usize = 16;
/// Fields and embedded relations in all `select` lists together. A table has at most 1,600 columns.
pub const SELECT_ITEMS: usize = 1600;
/// Embedded relations of a request: each is a lateral join.
pub const EMBEDS: usize = 32;
/// Values that a call of the functions takes which write embedded rows, one argument each. PostgreSQL allows 100 arguments, and the
/// state of an aggregate and the names are two of them.
pub const EMBEDDED_VALUES: usize = 98;
/// Nesting of embedded relations.
pub const EMBED_DEPTH: usize = 8;
/// Hints that choose a relationship: the largest number of names that one has.
pub const HINTS: usize = 8;
/// Ways to read a foreign key in a view that shows its columns several times. More than two indicate a mistake or an attack.
pub const KEY_READINGS: usize = 64;
/// Items of one `in.(...)` list. They are one array parameter. For more, a body or a join works better.
pub const LIST_ITEMS: usize = 50_000;
/// Steps of one JSON path.
pub const JSON_PATH_STEPS: usize = 32;
/// Parentheses in one full-text query: PostgreSQL reads them recursively.
pub const FULL_TEXT_PARENTHESES: usize = 200;
/// Terms of one `order`.
pub const ORDER_TERMS: usize = 32;
/// Bytes of the values in a cursor. It is part of a target and, twice, of the Link field, and many servers allow 8 KB for all fields.
pub const CURSOR_BYTES: usize = 1500;
/// Bytes of the parameters that each link of a page repeats. With more, pages by offset have no Link field, and cursors only have links to
/// their neighbours: nginx, for one, answers 502 if the header section exceeds 4 KB.
pub const LINK_PARAMETERS: usize = 512;
/// Bytes of an identifier: PostgreSQL's NAMEDATALEN - 1. A longer name would be cut and might then name something else.
pub const IDENTIFIER_BYTES: usize = 63;
/// Bytes of a body by default (`restful.max_body_bytes`). Users who need larger imports set it.
pub const BODY_BYTES: i32 = 16 * 1024 * 1024;
/// How many times `restful.max_body_bytes` a CSV or form body may take as JSON, in which every line repeats the names. A typical
/// body doubles.
pub const CONVERTED_BODY: usize = 4;
/// Bytes of a response by default (`restful.max_response_bytes`). The whole body is held in memory.
pub const RESPONSE_BYTES: i32 = 64 * 1024 * 1024;
/// Bytes of each text of a database error in a response. If functions make requests and quote the response in an error, the escapes
/// double at every level.
pub const ERROR_TEXT_BYTES: usize = 64 * 1024;
/// Operations of a JSON patch. Each can move all elements of an array.
pub const PATCH_OPERATIONS: usize = 1_000;
/// Different keys of the objects of a list that names rows. PostgreSQL's tables have at most 1,600 columns.
pub const LISTED_KEYS: usize = 2_000;
/// Rows that an error names, of those that a request names and that do not exist.
pub const REPORTED_ROWS: usize = 100;
/// The largest initial capacity of a response body in bytes. The last body of the same shape suggests the capacity.
pub const BODY_CAPACITY: usize = 8 * 1024 * 1024;
/// Cases that a lint of one expression tries: twelve yes-or-no questions. Policies have three or four.
pub const LINT_CHOICES: usize = 4096;
/// Descriptions of the API that a backend keeps, and their size in bytes together. A table takes about 9 KB of one.
pub const DOCUMENTS: usize = 8;
pub const DOCUMENT_BYTES: usize = 16 << 20;
/// Names that do not exist that a backend remembers, with the names that hints suggest in their place.
pub const SUGGESTIONS: usize = 256;
/// Lists of a schema's relations that a backend keeps to find such suggestions.
pub const SUGGESTION_LISTS: usize = 4;
/// Prepared statements that a backend keeps. The plan of each takes about 20 to 100 KB.
pub const PLANS: usize = 256;

/// Requests of a batch by default (`restful.max_batch_requests`). A page that saves a form sends some tens.
pub const BATCH_REQUESTS: i32 = 100;
/// References of a batch: one for each row of a few requests. Each is followed through the answer that it leads into.
pub const BATCH_REFERENCES: usize = 1000;
/// Bytes of answers that the references of a batch lead through together. Reading them takes about a second and cannot be interrupted.
pub const BATCH_BYTES_FOLLOWED: usize = 1 << 30;

/// Rows that are tried one by one to say which of them a failed insert is about.
pub const NESTED_TRIALS: usize = 1000;

/// Levels of arrays and objects in a JSON text. PostgreSQL stops at thousands, and serde_json at 128. Documents that people or
/// programs write on purpose stay far below 64, and recursive code needs only a bounded stack.
pub const JSON_DEPTH: usize = 64;

/// Bytes of a JSON text that is validated: positions in it have 32 bits. PostgreSQL's values are at most half as long.
pub const JSON_TEXT_BYTES: usize = i32::MAX as usize;

/// Digits of one JSON number before its exponent. 400 is enough for every double written out in full (308 digits before the point)
/// and any amount of money, and keeps the conversion to `numeric` short.
pub const JSON_NUMBER_DIGITS: usize = 400;

/// Absolute value of a JSON number's exponent: the range of a double. Without this limit, the eight bytes `1e131071` become 131072
/// digits when PostgreSQL prints the `numeric`.
pub const JSON_NUMBER_EXPONENT: u32 = 308;

/// Bytes of a body for which `jsonb` is built directly. A `jsonb` entry has 28 bits for a length, and a built value is at most 6
/// times its text, so below this limit no length can overflow. Larger bodies go to PostgreSQL's own parser, which checks for that.
pub const JSONB_BUILD_BYTES: usize = 16 << 20;

/// Keys outside the column list in one object from which duplicates are found by hashing. Below, each pair is compared: comparing a
/// few short keys is cheaper than hashing one.
pub const UNKNOWN_KEYS_COMPARED: usize = 16;

/// Bytes of a JSON Schema, as text or jsonb. The largest published ones have some hundreds of KB. Compiling takes about 70 times as
/// long as parsing, and cannot be interrupted.
pub const SCHEMA_BYTES: usize = 1 << 20;
/// Registered documents that one schema may refer to, directly or not.
pub const SCHEMA_DOCUMENTS: usize = 256;
/// Schemas applied to one value in a chain of `$ref`, `allOf` and their like. Each takes some hundreds of bytes of stack, and
/// compiling `unevaluatedProperties` on all of them takes time in the cube of their number.
pub const SCHEMA_CHAIN: usize = 200;
/// Schemas applied to one value on all paths together: 10,000 branches of an `anyOf` are fine, exponential ones are not.
pub const SCHEMAS_PER_VALUE: usize = 50_000;
/// Bytes of a compiled `pattern`, and of the states that matching may cache.
pub const PATTERN_BYTES: usize = 1 << 20;
/// Compiled schemas that a backend keeps, for each form of instances.
pub const COMPILED_SCHEMAS: usize = 256;
/// Bytes of those schemas together, approximately: a schema of a hundred bytes can have patterns that take megabytes.
pub const COMPILED_SCHEMA_BYTES: usize = 128 << 20;
/// Violations that one validation lists.
pub const VIOLATIONS: usize = 1000;
/// Violations that a response lists.
pub const REPORTED_VIOLATIONS: usize = 100;
/// Violations that the error of a write shows: as many as a person reads.
pub const VIOLATIONS_IN_DETAIL: usize = 10;
/// Bytes of each of those: names of properties come from the value, and may have any length.
pub const VIOLATION_BYTES_IN_DETAIL: usize = 1000;
/// Memory of all errors that one validation finds, approximately: the validator collects them before the first is listed. It is
/// enough for some hundred thousand errors in an ordinary value. Without it, an array of as many numbers as a `jsonb` holds would
/// take gigabytes.
pub const VIOLATION_BYTES: usize = 128 << 20;
/// Bytes of one message: messages quote values, and a thousand messages could quote the same large one.
pub const VIOLATION_TEXT_BYTES: usize = 16 * 1024;
/// Subschemas that are compiled again because other documents refer to them: each takes some microseconds.
pub const SCHEMAS_COMPILED_AGAIN: usize = 50_000;
/// Bytes of a name in a schema, including the patterns in `patternProperties`.
pub const SCHEMA_NAME_BYTES: usize = 1024;
/// States of the automatons of all patterns of a schema, approximately. A thousand take some milliseconds to compile.
pub const PATTERN_STATES: usize = 500_000;
/// Paths to the schemas beside all `unevaluatedProperties` and `unevaluatedItems` together: those keywords compile them again.
pub const UNEVALUATED_SCHEMAS: usize = 20_000;
/// Parts of one schema that are compiled separately to explain an error.
pub const PARTS_COMPILED: usize = 16;
/// Elements up to which duplicates are found by comparing each pair, because that is cheaper than hashing each.
pub const ELEMENTS_COMPARED: usize = 15;
/// Elements among which a message names the two that are equal: each pair is compared.
pub const DUPLICATE_COMPARISONS: usize = 500;
/// Items that a message lists.
pub const ITEMS_LISTED: usize = 20;
/// Levels of a [`serde_json::Value`] that is built. It is dropped and printed recursively; `serde_json` reads as many.
pub const VALUE_DEPTH: usize = 128;

/// Changes between two schemas that are listed for each direction.
pub const CHANGES: usize = 20;
/// Instances that are tried for one schema and one direction, at most and at least.
pub const TRIALS: usize = 4000;
pub const FEWEST_TRIALS: usize = 100;
/// Instances that are tried, multiplied by the members of both schemas: each trial costs in proportion to them.
pub const TRIAL_EFFORT: usize = 1_000_000;
/// Members of a schema that is compared by set algebra, which cannot be interrupted.
pub const ALGEBRA_MEMBERS: usize = 1000;
/// Ways to satisfy one location of such a schema, which the algebra multiplies out.
pub const ALGEBRA_WAYS: usize = 32;
/// Levels of such a schema: the algebra recurses.
pub const ALGEBRA_DEPTH: usize = 60;
/// Levels of schemas within schemas, references followed.
pub const ALGEBRA_LOCATION_DEPTH: usize = 30;
/// Members of a schema up to which the difference is always written out, even if it may be large.
pub const DIFFERENCE_MEMBERS: usize = 250;
/// Elements or members of a keyword's value that are compared to describe its change.
pub const ITEMS_COMPARED: usize = 64;
/// Levels of a proof that one schema includes another, and its steps. Beyond them the proof is abandoned.
pub const PROOF_DEPTH: usize = 20;
pub const PROOF_STEPS: usize = 100_000;

/// Levels of an instance that is made from a schema.
pub const EXAMPLE_DEPTH: usize = 8;
/// Items and properties that are filled into an array or object of an instance.
pub const EXAMPLE_ITEMS: usize = 128;
/// Bytes of a string in an instance. If a schema requires a longer one, the verdict is "unknown".
pub const EXAMPLE_STRING_BYTES: usize = 4096;
/// Strings that are made for one pattern.
pub const EXAMPLE_STRINGS: usize = 40;
/// Bounds and steps near which numbers are tried.
pub const EXAMPLE_BOUNDS: usize = 32;
/// Ways to satisfy one schema (`anyOf`, `oneOf`, `if`) that are tried.
pub const EXAMPLE_WAYS: usize = 24;
/// Schemas that are followed to read one location: `$ref`, `allOf` and their like.
pub const EXAMPLE_PARTS: usize = 200;
/// Work of one run: schemas read and values built, including every member of every array and object. It bounds time and memory.
pub const EXAMPLE_WORK: usize = 1_500_000;

/// Levels of composite types and arrays in the schema of a table's rows. Below them, any value is accepted.
pub const TYPE_DEPTH: usize = 16;
/// Types in one such schema, each counted once per use. Beyond them, any value is accepted.
pub const TYPES_IN_SCHEMA: usize = 20_000;
/// Characters of a pattern in a CHECK constraint that becomes a keyword.
pub const CHECK_PATTERN_LENGTH: usize = 1000;
/// Levels of groups in such a pattern.
pub const CHECK_PATTERN_DEPTH: usize = 16;
/// Atoms in such a pattern, each counted as often as it may be repeated: engines refuse patterns that expand too far.
pub const CHECK_PATTERN_WEIGHT: usize = 2000;
/// Nesting of operands in an expression. PostgreSQL's parser allows more; nobody writes that.
pub const EXPRESSION_DEPTH: usize = 64;

/// Seconds by which clocks may differ.
pub const CLOCK_SKEW_SECONDS: f64 = 30.0;
/// Bytes of a token. Web servers limit headers to about as many. A larger token is a document, not an identity.
pub const TOKEN_BYTES: usize = 8 * 1024;
/// Bytes of the name of a key, in a token or in a key set.
pub const KEY_ID_BYTES: usize = 256;
/// Bytes of a subject (OpenID Connect Core 1.0, section 2).
pub const SUBJECT_BYTES: usize = 255;
/// Verified tokens that a backend keeps, parsed: each has at most 8 KiB.
pub const TOKENS: usize = 256;
/// Verified API keys that a backend keeps, and keys whose use is not recorded yet.
pub const API_KEYS: usize = 256;
/// Seconds until another use of the same key is recorded, because recording updates a row.
pub const API_KEY_USE_SECONDS: f64 = 60.0;
/// The default lifetime of an access token of the OAuth endpoints (`restful.oauth_access_token_lifetime`), in seconds. It cannot be
/// ended earlier.
pub const ACCESS_TOKEN_SECONDS: i32 = 15 * 60;
/// The default lifetime of an unused refresh token (`restful.oauth_refresh_token_lifetime`), in seconds.
pub const REFRESH_TOKEN_SECONDS: i32 = 30 * 24 * 60 * 60;

/// Users of deprecated versions that a session remembers having told of. Once there are more, it tells of them again.
pub const TOLD_USERS: usize = 4096;

/// Bytes of an Idempotency-Key. A UUID has 36, and APIs with such keys take 255.
pub const IDEMPOTENCY_KEY_BYTES: usize = 255;
/// How long the answer to a request with an Idempotency-Key is kept (`restful.idempotency_ttl`), in seconds: as long as clients usually
/// retry.
pub const IDEMPOTENCY_SECONDS: i32 = 24 * 60 * 60;
/// Bytes of a response that is kept by default (`restful.idempotency_max_response_bytes`). Answers to writes are small.
pub const IDEMPOTENCY_RESPONSE_BYTES: i32 = 1024 * 1024;
/// Kilobytes of all records together by default (`restful.idempotency_max_size`): about 15 million small answers.
pub const IDEMPOTENCY_KILOBYTES: i32 = 4 * 1024 * 1024;
/// One of this many new records looks for expired ones, in one block of the table. Then a table with n records in a block has about this
/// number in n records that have expired.
pub const IDEMPOTENCY_SWEEP_INTERVAL: u8 = 4;
/// Expired records that are deleted at once: most of what a block holds.
pub const IDEMPOTENCY_SWEPT: usize = 32;
/// Blocks that are swept when the table is full.
pub const IDEMPOTENCY_SWEPT_BLOCKS: u32 = 32;

/// Bytes of a configuration of PostgREST that `restful.import_postgrest` reads. A file with all settings and their comments has 5 KiB,
/// and a large key set a few more; reading takes the square of the number of settings.
pub const CONFIGURATION_BYTES: usize = 64 * 1024;
/// Rows of a table, or rows that a request wrote, on which `restful.expect` evaluates policies. Tables of tests are small, and each
/// request evaluates them again.
pub const TESTED_ROWS: u32 = 1000;
/// Rows that a refused write could have written, on which `restful.expect` evaluates policies one by one.
pub const TESTED_PROPOSALS: usize = 100;
/// Tables that one request of a test is noted to touch, by user.
pub const TOUCHED_TABLES: usize = 1000;
/// Differences that a failed expectation shows.
pub const SHOWN_FAULTS: usize = 20;
/// Characters of a value that a failed expectation shows.
pub const SHOWN_TEST_CHARACTERS: usize = 1000;
/// Templates of requests that a session remembers, to find their counters: with more, it begins anew.
pub const TEMPLATES: usize = 10_000;
/// Statements of one request that are told apart in `restful.stat_statements`. A batch may run more.
pub const NOTED_QUERIES: usize = 8;
/// Kilobytes of shared memory, unless `restful.shared_memory_size` says otherwise: about 1000 kinds of requests and 20,000 keys of limits.
pub const SHARED_MEMORY_KILOBYTES: i32 = 8192;
/// Places for the keys of limits that found no room of their own. Those of one limit are counted together; limits rarely share a place.
pub const SHARED_KEYS: usize = 512;
/// How many requests with wrong credentials one address may send, unless `restful.login_limit` says otherwise.
pub const LOGIN_LIMIT: &std::ffi::CStr = c"300 per minute";
/// Kilobytes of the smallest segment of shared memory. With less, hardly anything fits.
pub const SMALLEST_SHARED_MEMORY: usize = 256;
