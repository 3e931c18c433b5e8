//! Parses expressions that are given as text: those of policies and of column defaults.

use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::v1_function;
use crate::pg::ffi::nodes;
use crate::sqlstate::SqlState;
use pgrx::{pg_guard, pg_sys, text_to_rust_str};
use std::ffi::CString;

v1_function!(restful_parse_expression);
/// `restful.parse_expression(rel regclass, expression text, attnum smallint)`: the tree of one expression, as PostgreSQL stores it
/// in `pg_policy`, or for the default of a column in `pg_attrdef`.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_parse_expression(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the function is strict and has arguments of these types. The result lives in the context of the call.
    unsafe {
        let [relation, text, attribute] = [0, 1, 2].map(|i| (*call).args.as_slice(3)[i].value);
        let text = pg_sys::pg_detoast_datum_packed(text.cast_mut_ptr());
        let tree = parse(
            pg_sys::Oid::from(relation.value() as u32),
            text_to_rust_str(text).unwrap_or_default(),
            attribute.value() as i16,
        );
        pg_sys::Datum::from(pg_sys::cstring_to_text(pg_sys::nodeToString(tree.cast())))
    }
}

/// Parses and analyses the expression of a policy on a relation (`attribute` 0), or of the default of one of its columns.
///
/// Raises the errors that CREATE POLICY and ALTER TABLE raise, and 42601 if the text is not exactly one expression.
///
/// # Safety
/// Called within a transaction.
unsafe fn parse(relation: pg_sys::Oid, text: &str, attribute: i16) -> *mut pg_sys::Node {
    // The grammar allows exactly one expression between these parentheses.
    let Ok(frame) = CString::new(format!("CREATE POLICY p ON p USING ({text}) WITH CHECK (true)")) else {
        raise(SqlState::SYNTAX_ERROR, "an expression cannot hold a zero byte", None, None);
    };
    // SAFETY: the parser makes a list of RawStmt; the relation stays open while its descriptor is read.
    unsafe {
        let statements = pg_sys::raw_parser(frame.as_ptr(), pg_sys::RawParseMode::RAW_PARSE_DEFAULT);
        let (1, Some(statement)) = (nodes::len(statements), nodes::iter::<pg_sys::RawStmt>(statements).next()) else {
            raise(SqlState::SYNTAX_ERROR, "the text is more than one expression", None, None);
        };
        let statement = (*statement).stmt;
        let expression = (*statement.cast::<pg_sys::CreatePolicyStmt>()).qual;

        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        let open = pg_sys::relation_open(relation, lock);
        let state = pg_sys::make_parsestate(std::ptr::null_mut());
        let tree = if attribute == 0 {
            let item = pg_sys::addRangeTableEntryForRelation(state, open, lock, std::ptr::null_mut(), false, false);
            pg_sys::addNSItemToQuery(state, item, false, true, true);
            let tree = pg_sys::transformExpr(state, expression, pg_sys::ParseExprKind::EXPR_KIND_POLICY);
            let tree = pg_sys::coerce_to_boolean(state, tree, c"POLICY".as_ptr());
            pg_sys::assign_expr_collations(state, tree);
            tree
        } else {
            if attribute < 0 || attribute > (*(*open).rd_rel).relnatts {
                raise(SqlState::UNDEFINED_COLUMN, "the column does not exist", None, None);
            }

            let name = pg_sys::get_attname(relation, attribute, false);
            let (mut data_type, mut modifier, mut collation) = (pg_sys::InvalidOid, -1, pg_sys::InvalidOid);
            pg_sys::get_atttypetypmodcoll(relation, attribute, &mut data_type, &mut modifier, &mut collation);
            pg_sys::cookDefault(state, expression, data_type, modifier, name, 0)
        };
        pg_sys::relation_close(open, pg_sys::NoLock as pg_sys::LOCKMODE);
        tree
    }
}
