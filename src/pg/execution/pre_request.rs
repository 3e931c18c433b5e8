//! Calls the function named by `restful.pre_request` before each request's statement, as the request's role.

use crate::error::{Code, Error, Result};
use crate::http::Request;
use crate::pg::frame::Frame;
use crate::pg::guc;
use crate::statement::Ident;
use pgrx::pg_sys;
use std::ffi::CString;

/// Calls the function, if one is set. SPI must be connected, and the role taken. An error that the function raises becomes the
/// response.
///
/// # Errors
/// REST506 (500) if the setting does not name a function.
pub fn call(request: &Request, frame: &Frame) -> Result<()> {
    let Some(name) = guc::pre_request() else { return Ok(()) };
    frame.publish();
    let function = match name.split_once('.') {
        Some((schema, function)) => format!("{}.{}", Ident(unquoted(schema)), Ident(unquoted(function))),
        None => Ident(unquoted(&name)).to_string(),
    };
    let sql = CString::new(format!("SELECT {function}()"))
        .map_err(|_| Error::new(Code::Setting, "restful.pre_request does not name a function"))?;
    // SAFETY: SPI is connected; the text is NUL-terminated.
    let code = unsafe { pg_sys::SPI_execute(sql.as_ptr(), request.method.is_safe(), 0) };
    if code < 0 {
        return Err(Error::new(Code::Setting, format!("restful.pre_request could not be called (SPI code {code})")));
    }
    Ok(())
}

fn unquoted(name: &str) -> &str {
    name.strip_prefix('"').and_then(|n| n.strip_suffix('"')).unwrap_or(name)
}
