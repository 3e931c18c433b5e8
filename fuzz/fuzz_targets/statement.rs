#![no_main]

use libfuzzer_sys::fuzz_target;
use pg_restful::laws;

fuzz_target!(|data: &[u8]| {
    for rendered in laws::statements(data) {
        let sql = &rendered.statement.sql;
        let parsed = pg_query::parse(sql, pg_query::ParserOptions::default()).unwrap_or_else(|e| panic!("{e}: {sql}"));
        assert_eq!(parsed.protobuf.stmts.len(), 1, "{sql}");
    }
});
