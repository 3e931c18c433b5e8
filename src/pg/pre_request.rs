//! The function that `restful.pre_request` names: called before each request's statement, as its role.

use crate::error::{Code, Error, Result};
use crate::statement::Ident;
use pgrx::pg_sys;
use std::ffi::CString;

/// Calls the function `name`; SPI is connected. What it raises becomes the response.
pub fn call(name: &str, read_only: bool) -> Result<()> {
    let function = match name.split_once('.') {
        Some((schema, function)) => format!("{}.{}", Ident(unquoted(schema)), Ident(unquoted(function))),
        None => Ident(unquoted(name)).to_string(),
    };
    let sql = CString::new(format!("SELECT {function}()"))
        .map_err(|_| Error::new(Code::Setting, "restful.pre_request is no name of a function"))?;
    // SAFETY: SPI is connected; the text is NUL-terminated.
    let code = unsafe { pg_sys::SPI_execute(sql.as_ptr(), read_only, 0) };
    if code < 0 {
        return Err(Error::new(Code::Setting, format!("restful.pre_request could not be called (SPI code {code})")));
    }
    Ok(())
}

fn unquoted(name: &str) -> &str {
    name.strip_prefix('"').and_then(|n| n.strip_suffix('"')).unwrap_or(name)
}
