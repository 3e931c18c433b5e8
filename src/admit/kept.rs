//! An answer as it is kept for replays.

use super::REPLAYED;
use crate::http::response::{Body, Response};
use std::fmt::Write;

/// An answer that is kept: its status, its header fields in their order, one in a line as in HTTP/1.1, and its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept<B> {
    pub status: u16,
    pub headers: String,
    /// The bytes; `None` without a body.
    pub body: Option<B>,
}

impl<'a> Kept<&'a [u8]> {
    /// What is kept of a response whose body has these bytes. A response that may not have a body is kept without one.
    pub fn of(response: &Response, body: Option<&'a [u8]>) -> Self {
        let mut headers = String::with_capacity(128);
        for (name, value) in &response.headers {
            // Writing to a text does not fail. A value has no line break: it was checked where it was set.
            let _ = writeln!(headers, "{name}: {value}");
        }
        Kept { status: response.status, headers, body: body.filter(|_| !matches!(response.status, 204 | 304)) }
    }
}

impl Kept<Vec<u8>> {
    /// The same response again, with a field that says so.
    pub fn replay(self) -> Response {
        let body = self.body.map_or(Body::Empty, Body::Bytes);
        let mut response = Response::new(self.status, body);
        let fields = self.headers.lines().filter_map(|line| line.split_once(": "));
        response.headers.extend(fields.map(|(name, value)| (name.to_owned().into(), value.to_owned().into())));
        response.header(REPLAYED, "true")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_is_the_answer_and_says_so() {
        let response = Response::new(201, Body::Rows)
            .header("location", "/t?id=eq.1")
            .header("set-cookie", "a: b; c")
            .header("set-cookie", "")
            .header("x-last", "é ");
        let kept = Kept::of(&response, Some(b"[1]"));
        let kept = Kept { status: kept.status, headers: kept.headers, body: kept.body.map(<[u8]>::to_vec) };
        let mut replay = kept.replay();
        assert_eq!(replay.headers.pop(), Some((REPLAYED.into(), "true".into())));
        assert_eq!((replay.status, replay.headers, replay.body), (201, response.headers, Body::Bytes(b"[1]".to_vec())));
        assert_eq!(Kept::of(&Response::new(204, Body::Rows), Some(b"")).body, None);
    }
}
