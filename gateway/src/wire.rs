//! Passes the bytes of a client's connection on to hyper.
//!
//! Heads go through [`crate::head`]. Chunked bodies are rewritten from their data, without extensions and trailers. So hyper reads
//! what was read here, and nothing that could be read in two ways. Bodies with a stated length and the data of chunks go straight
//! into hyper's buffer, except for what arrived together with a head.

use std::io::{Error, ErrorKind, Write as _};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};
use tokio::time::{Sleep, sleep};

use crate::head::{self, Body};
use crate::problem::Problem;

/// The most bytes of a head, as received.
pub const HEAD_LIMIT: usize = 64 << 10;
/// Bytes to receive at once, unless a head is longer.
const BUFFER: usize = 8 << 10;
/// The most bytes of extensions and trailers between and after the chunks of one body.
const CHUNK_LINES_LIMIT: usize = 16 << 10;
/// How long to keep reading from a client that still sends what nobody will use, so that it reads the answer instead of a connection
/// reset.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
const LINGER_LIMIT: usize = 64 << 20;

/// A connection whose requests have been checked.
pub struct Wire<S> {
    stream: Take<S>,
    received: Received,
    /// Bytes that hyper reads next, before anything else.
    out: Vec<u8>,
    /// How many of them it has read.
    read: usize,
    state: State,
    /// How many heads were passed to hyper.
    heads: u64,
    refusal: Refusal,
    linger: Option<Pin<Box<Sleep>>>,
    lingered: usize,
}

/// The refusal of a connection's first refused request, once there is one. hyper gets another request in its place, which is the last
/// one. The number tells which request it is, counted from 1.
pub type Refusal = Arc<OnceLock<(u64, Problem)>>;

#[derive(Clone, Copy)]
enum State {
    Head,
    /// This many bytes of a body, at least one, then a head.
    Length(u64),
    /// The line with a chunk's size. `lines` is counted against [`CHUNK_LINES_LIMIT`].
    Size {
        lines: usize,
    },
    /// This many bytes of a chunk, at least one, then the end of its line.
    Data {
        left: u64,
        lines: usize,
    },
    /// The end of a chunk's line.
    DataEnd {
        lines: usize,
    },
    /// Trailers, then a head.
    Trailer {
        lines: usize,
    },
    /// A request was refused, which ends the connection.
    Refused,
    /// A body is malformed, which ends the connection.
    Broken,
}

/// Bytes that have been received but not yet used.
#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// How far, from `start`, the end of a head has been searched.
    searched: usize,
}

impl<S> Wire<S> {
    /// A connection over `stream`, from its first byte.
    pub fn new(stream: S) -> Self
    where
        S: AsyncRead,
    {
        Self {
            stream: stream.take(0),
            received: Received::default(),
            out: Vec::new(),
            read: 0,
            state: State::Head,
            heads: 0,
            refusal: Refusal::default(),
            linger: None,
            lingered: 0,
        }
    }

    /// The place for the refusal, if there will be one.
    pub fn refusal(&self) -> Refusal {
        Arc::clone(&self.refusal)
    }

    /// Processes what has been received as far as possible: writes to `out`, or stops at data that passes unchanged.
    ///
    /// # Errors
    /// A malformed body.
    fn advance(&mut self) -> Result<Step, Error> {
        match self.state {
            State::Head => Ok(self.head()),
            State::Length(left) | State::Data { left, .. } => Ok(Step::Pass(left)),
            State::Size { lines } => {
                let Some(line) = self.received.line()? else {
                    return Ok(Step::More);
                };
                let (size, rest) = chunk_size(line).ok_or_else(|| malformed("the size of a chunk is malformed"))?;
                let lines = limited(lines + rest)?;
                let _ = write!(self.out, "{size:x}\r\n");
                self.goes_on(if size == 0 { State::Trailer { lines } } else { State::Data { left: size, lines } })
            }
            State::DataEnd { lines } => match self.received.rest() {
                [b'\r', b'\n', ..] => {
                    self.received.take(2);
                    self.out.extend_from_slice(b"\r\n");
                    self.goes_on(State::Size { lines })
                }
                [] | [b'\r'] => Ok(Step::More),
                _ => Err(malformed("a chunk is longer than its size")),
            },
            State::Trailer { lines } => {
                let Some(line) = self.received.line()? else {
                    return Ok(Step::More);
                };
                if line.is_empty() {
                    self.out.extend_from_slice(b"\r\n");
                    return self.goes_on(State::Head);
                }
                let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
                if name.len() == line.len() || !head::is_token(name) {
                    return Err(malformed("a trailer is malformed"));
                }
                let lines = limited(lines + line.len())?;
                self.goes_on(State::Trailer { lines })
            }
            State::Refused => Ok(Step::Wait),
            State::Broken => Err(malformed("the body is malformed")),
        }
    }

    fn goes_on(&mut self, state: State) -> Result<Step, Error> {
        self.state = state;
        Ok(Step::Again)
    }

    fn head(&mut self) -> Step {
        let end = match self.received.head_end() {
            Ok(Some(end)) => end,
            Ok(None) => return Step::More,
            Err(problem) => return self.refuse(problem),
        };
        match head::read(&self.received.rest()[..end], &mut self.out) {
            Ok(body) => {
                self.received.take(end);
                self.heads += 1;
                self.state = match body {
                    Body::Length(0) => State::Head,
                    Body::Length(length) => State::Length(length),
                    Body::Chunked => State::Size { lines: 0 },
                };
                Step::Again
            }
            Err(problem) => self.refuse(problem),
        }
    }

    /// Gives hyper a request in place of the refused one, so that answers keep their order.
    fn refuse(&mut self, problem: Problem) -> Step {
        // The method decides whether the answer has a body.
        let method = head::method(self.received.rest()).unwrap_or(b"-");
        self.out.extend_from_slice(method);
        self.out.extend_from_slice(b" * HTTP/1.1\r\n\r\n");
        self.received.clear();
        self.heads += 1;
        // This happens once, because nothing is read afterwards.
        let _ = self.refusal.set((self.heads, Problem { close: true, ..problem }));
        self.state = State::Refused;
        Step::Again
    }

    /// Counts data that has passed.
    fn passed(&mut self, count: usize) {
        let count = count as u64;
        self.state = match self.state {
            State::Length(left) if left > count => State::Length(left - count),
            State::Length(_) => State::Head,
            State::Data { left, lines } if left > count => State::Data { left: left - count, lines },
            State::Data { lines, .. } => State::DataEnd { lines },
            other => other,
        };
    }
}

enum Step {
    /// The state has changed.
    Again,
    /// More has to be received.
    More,
    /// At most this many bytes pass unchanged.
    Pass(u64),
    /// Nothing will ever be read.
    Wait,
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// Receives some bytes and returns their number, 0 at the end of the connection.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        let Self { stream, received, .. } = self;
        stream.set_limit(u64::MAX);
        let mut space = ReadBuf::new(received.space());
        ready!(Pin::new(stream).poll_read(context, &mut space))?;
        let count = space.filled().len();
        received.end += count;
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        let before = to.filled().len();
        loop {
            if this.read < this.out.len() {
                let rest = &this.out[this.read..];
                let count = rest.len().min(to.remaining());
                to.put_slice(&rest[..count]);
                this.read += count;
                if this.read < this.out.len() {
                    return Poll::Ready(Ok(()));
                }
                this.out.clear();
                this.read = 0;
            }
            // Do not hold back what has been read to wait for more.
            let is_enough = to.remaining() == 0 || to.filled().len() > before && this.received.rest().is_empty();
            if is_enough {
                return Poll::Ready(Ok(()));
            }
            let step = match this.advance() {
                Ok(step) => step,
                // hyper reads what came before the error first.
                Err(error) => {
                    this.state = State::Broken;
                    return Poll::Ready(if to.filled().len() > before { Ok(()) } else { Err(error) });
                }
            };
            match step {
                Step::Again => {}
                Step::Pass(left) if this.received.rest().is_empty() => {
                    this.stream.set_limit(left);
                    ready!(Pin::new(&mut this.stream).poll_read(context, to))?;
                    this.passed(to.filled().len() - before);
                    return Poll::Ready(Ok(()));
                }
                Step::Pass(left) => {
                    let rest = this.received.rest();
                    let count = rest.len().min(to.remaining()).min(usize::try_from(left).unwrap_or(usize::MAX));
                    to.put_slice(&rest[..count]);
                    this.received.take(count);
                    this.passed(count);
                }
                Step::More if to.filled().len() > before => return Poll::Ready(Ok(())),
                Step::More => {
                    // Pass the end on to hyper, which knows whether a body was expected.
                    if ready!(this.poll_receive(context))? == 0 {
                        return Poll::Ready(Ok(()));
                    }
                }
                Step::Wait if to.filled().len() > before => return Poll::Ready(Ok(())),
                // Do not look for the end of the connection, because the answer is on its way.
                Step::Wait => return Poll::Pending,
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<Result<usize, Error>> {
        Pin::new(self.get_mut().stream.get_mut()).poll_write(context, from)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        Pin::new(self.get_mut().stream.get_mut()).poll_write_vectored(context, from)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.get_ref().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(self.get_mut().stream.get_mut()).poll_flush(context)
    }

    /// Ends the connection. Keeps reading for a while from a client that may still be sending, because closing a connection while bytes
    /// wait to be received resets it, and the answer is lost.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(this.stream.get_mut()).poll_shutdown(context))?;
            if matches!(this.state, State::Head) && this.received.rest().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = this.linger.get_or_insert_with(|| Box::pin(sleep(LINGER_TIMEOUT)));
        if linger.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        while this.lingered < LINGER_LIMIT {
            this.received.clear();
            match ready!(this.poll_receive(context)) {
                Ok(0) | Err(_) => break,
                Ok(count) => this.lingered += count,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Received {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn clear(&mut self) {
        (self.start, self.end, self.searched) = (0, 0, 0);
    }

    fn take(&mut self, count: usize) {
        self.start += count;
        self.searched = 0;
        if self.start == self.end {
            self.clear();
            // Free the memory of an unusually long head.
            self.bytes.truncate(BUFFER);
            self.bytes.shrink_to(BUFFER);
        }
    }

    /// The space for receiving more. Never empty while less than [`HEAD_LIMIT`] bytes wait.
    fn space(&mut self) -> &mut [u8] {
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            } else {
                let length = (self.bytes.len() * 2).clamp(BUFFER, HEAD_LIMIT);
                self.bytes.resize(length, 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    /// The length of the next head, if all of it has been received. Skips empty lines before it.
    fn head_end(&mut self) -> Result<Option<usize>, Problem> {
        while self.rest().starts_with(b"\r\n") {
            self.take(2);
        }
        let rest = self.rest();
        if rest == b"\r" {
            return Ok(None);
        }
        // Do not wait for the end of what cannot be a head, such as the first message of TLS.
        if rest.first().is_some_and(|first| !head::is_token(&[*first])) {
            return Err(
                Problem::bad_request("The request is not HTTP").hint("The gateway speaks HTTP/1.1, without TLS.")
            );
        }
        for feed in memchr::memchr_iter(b'\n', &rest[self.searched..]).map(|found| self.searched + found) {
            if feed == 0 || rest[feed - 1] != b'\r' {
                return Err(Problem::bad_request("A line of the head ends with LF only").hint("End lines with CR LF."));
            }
            if feed >= 3 && rest[feed - 3..feed - 1] == *b"\r\n" {
                return Ok(Some(feed + 1));
            }
        }
        if rest.len() < HEAD_LIMIT {
            self.searched = rest.len();
            return Ok(None);
        }
        Err(match memchr::memchr(b'\n', rest) {
            None => Problem::target_too_long(),
            Some(_) => Problem::fields_too_large(format!("The head of a request has at most {HEAD_LIMIT} bytes")),
        })
    }

    /// Takes a line of a chunked body, if all of it has been received. Returns it without its end.
    fn line(&mut self) -> Result<Option<&[u8]>, Error> {
        let Some(length) = memchr::memchr(b'\n', self.rest()) else {
            return if self.rest().len() < CHUNK_LINES_LIMIT { Ok(None) } else { Err(malformed("a line is too long")) };
        };
        let start = self.start;
        self.start += length + 1;
        self.searched = 0;
        let line = self.bytes[start..start + length].strip_suffix(b"\r");
        let line = line.ok_or_else(|| malformed("a line ends with LF only"))?;
        if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return Err(malformed("a line contains a control character"));
        }
        Ok(Some(line))
    }
}

/// The size in a chunk's line, and the length of the extension after it, if any.
fn chunk_size(line: &[u8]) -> Option<(u64, usize)> {
    let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (size, rest) = line.split_at(digits);
    let size = u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
    let is_extension = rest.trim_ascii_start().first().is_none_or(|first| *first == b';');
    // Trailing blanks count as an extension and are dropped like one.
    is_extension.then_some((size, rest.len()))
}

fn limited(lines: usize) -> Result<usize, Error> {
    if lines > CHUNK_LINES_LIMIT { Err(malformed("extensions and trailers are too long")) } else { Ok(lines) }
}

fn malformed(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::task::Waker;

    /// Returns its pieces one by one, then the end.
    struct Pieces(VecDeque<Vec<u8>>);

    impl AsyncRead for Pieces {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
            if let Some(piece) = self.0.front_mut() {
                let count = piece.len().min(to.remaining());
                to.put_slice(&piece[..count]);
                piece.drain(..count);
                if piece.is_empty() {
                    self.0.pop_front();
                }
            }
            Poll::Ready(Ok(()))
        }
    }

    /// What hyper would read from a connection.
    #[derive(Debug, PartialEq)]
    struct Seen {
        text: String,
        /// Number and status of the refused request.
        refused: Option<(u64, u16)>,
        broken: bool,
    }

    /// Reads `sent` in pieces of one length into buffers of another.
    fn read_in_pieces(sent: &[u8], piece: usize, buffer: usize) -> Seen {
        let mut wire = Wire::new(Pieces(sent.chunks(piece).map(<[u8]>::to_vec).collect()));
        let mut context = Context::from_waker(Waker::noop());
        let (mut out, mut broken) = (Vec::new(), false);
        loop {
            let mut space = vec![0; buffer];
            let mut to = ReadBuf::new(&mut space);
            match Pin::new(&mut wire).poll_read(&mut context, &mut to) {
                Poll::Ready(Ok(())) if !to.filled().is_empty() => out.extend_from_slice(to.filled()),
                Poll::Ready(Ok(())) => break,
                Poll::Ready(Err(_)) => {
                    broken = true;
                    break;
                }
                Poll::Pending => {
                    assert!(wire.refusal().get().is_some());
                    break;
                }
            }
        }
        let refused = wire.refusal().get().map(|(number, problem)| {
            assert!(problem.close);
            (*number, problem.status.as_u16())
        });
        Seen { text: String::from_utf8_lossy(&out).into_owned(), refused, broken }
    }

    /// Reads `sent`. Checks that the result is the same for pieces of any length, and when it is read again.
    fn read(sent: &[u8]) -> Seen {
        let seen = read_in_pieces(sent, sent.len().max(1), 1 << 16);
        for (piece, buffer) in [(1, 1), (1, 1 << 16), (1 << 16, 1), (3, 7), (7, 3), (1000, 4096)] {
            assert_eq!(read_in_pieces(sent, piece, buffer), seen, "{piece} {buffer} {}", sent.escape_ascii());
        }
        let again = read_in_pieces(seen.text.as_bytes(), 1 << 16, 1 << 16);
        assert_eq!((again.text, again.refused), (seen.text.clone(), None), "{}", sent.escape_ascii());
        seen
    }

    fn passes(sent: &str, expected: &str) {
        assert_eq!(read(sent.as_bytes()), Seen { text: expected.to_owned(), refused: None, broken: false }, "{sent:?}");
    }

    fn refuses(sent: &str, expected: &str, number: u64, status: u16) {
        let expected = Seen { text: expected.to_owned(), refused: Some((number, status)), broken: false };
        assert_eq!(read(sent.as_bytes()), expected, "{sent:?}");
    }

    fn breaks(sent: &str, expected: &str) {
        assert_eq!(read(sent.as_bytes()), Seen { text: expected.to_owned(), refused: None, broken: true }, "{sent:?}");
    }

    const CHUNKED: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn only_request_lines_are_rewritten() {
        passes("", "");
        passes("GET /?a=> HTTP/1.1\r\nx: >\r\n\r\n", "GET /?a=%3E HTTP/1.1\r\nx: >\r\n\r\n");
        let line = "GET /?a=> HTTP/1.1\r\n\r\n";
        let encoded = "GET /?a=%3E HTTP/1.1\r\n\r\n";
        let length = line.len();
        passes(
            &format!("POST /> HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{line}{line}"),
            &format!("POST /%3E HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{line}{encoded}"),
        );
        passes(
            &format!("{CHUNKED}{length:x}\r\n{line}\r\n0\r\n\r\n{line}"),
            &format!("{CHUNKED}{length:x}\r\n{line}\r\n0\r\n\r\n{encoded}"),
        );
    }

    #[test]
    fn empty_lines_before_a_head_are_dropped() {
        passes(
            "\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
        );
        passes("\r\n", "");
    }

    #[test]
    fn long_bodies_pass_whole() {
        let body = "0123456789".repeat(30_000);
        let head = format!("PUT / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
        let sent = format!("{head}{body}GET /?> HTTP/1.1\r\n\r\n");
        for (piece, buffer) in [(1 << 20, 1 << 20), (1 << 20, 5000), (1000, 1 << 20), (10_001, 9_999)] {
            let seen = read_in_pieces(sent.as_bytes(), piece, buffer);
            assert!(seen.text == sent.replace("/?>", "/?%3E"), "{piece} {buffer}");
        }
        let sent = format!("{CHUNKED}{:X}\r\n{body}\r\n00\r\n\r\nGET /?> HTTP/1.1\r\n\r\n", body.len());
        let expected = format!("{CHUNKED}{:x}\r\n{body}\r\n0\r\n\r\nGET /?%3E HTTP/1.1\r\n\r\n", body.len());
        assert!(read_in_pieces(sent.as_bytes(), 3000, 4000).text == expected);
    }

    #[test]
    fn chunks_are_written_anew() {
        passes(
            &format!(
                "{CHUNKED}002\r\nab\r\nA;x=\"y;\t\";z\r\n0123\r\n6789\r\n1 \t\r\n\n\r\n1 ;\r\n\r\r\n0000\r\nX-A: b\r\nY:\r\n\r\n"
            ),
            &format!("{CHUNKED}2\r\nab\r\na\r\n0123\r\n6789\r\n1\r\n\n\r\n1\r\n\r\r\n0\r\n\r\n"),
        );
        passes(&format!("{CHUNKED}0\r\n\r\n{CHUNKED}0\r\n\r\n"), &format!("{CHUNKED}0\r\n\r\n{CHUNKED}0\r\n\r\n"));
    }

    #[test]
    fn a_chunked_body_that_could_be_read_in_two_ways_breaks() {
        for rest in [
            "\r\n",
            "\n",
            "x\r\n",
            "-1\r\n",
            "+1\r\na\r\n",
            "0x1\r\na\r\n",
            "1\na\r\n",
            "1\ra\r\n",
            " 1\r\na\r\n",
            "1 1\r\n",
            "1,\r\n",
            "1;a\n\r\n",
            "1;a\rb\r\n",
            "1;a\0\r\n",
            "10000000000000000\r\n",
            "fffffffffffffffff\r\n",
            "\u{661}\r\n",
            "1\u{a0};\r\n",
        ] {
            breaks(&format!("{CHUNKED}{rest}"), CHUNKED);
        }
        for rest in
            ["1\r\nab\r\n0\r\n\r\n", "1\r\na\n0\r\n\r\n", "1\r\na\r0\r\n\r\n", "1\r\na0\r\n\r\n", "1\r\na\n\r\n"]
        {
            breaks(&format!("{CHUNKED}{rest}"), &format!("{CHUNKED}1\r\na"));
        }
        for rest in [
            "\n",
            "a: b\n\r\n",
            "a\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            " a: b\r\n\r\n",
            ":\r\n\r\n",
            "a: \0\r\n\r\n",
            "a: b\rc: d\r\n\r\n",
        ] {
            breaks(&format!("{CHUNKED}0\r\n{rest}"), &format!("{CHUNKED}0\r\n"));
        }
    }

    #[test]
    fn what_stands_between_chunks_is_bounded() {
        let long = "x".repeat(CHUNK_LINES_LIMIT / 2);
        passes(&format!("{CHUNKED}1;{long}\r\na\r\n0\r\n\r\n"), &format!("{CHUNKED}1\r\na\r\n0\r\n\r\n"));
        breaks(&format!("{CHUNKED}1;{long}\r\na\r\n1;{long}\r\na\r\n"), &format!("{CHUNKED}1\r\na\r\n"));
        breaks(&format!("{CHUNKED}1;{long}\r\na\r\n0\r\nx: {long}\r\n"), &format!("{CHUNKED}1\r\na\r\n0\r\n"));
        breaks(&format!("{CHUNKED}0\r\n{}\r\n", "a: b\r\n".repeat(CHUNK_LINES_LIMIT / 3)), &format!("{CHUNKED}0\r\n"));
        breaks(&format!("{CHUNKED}0\r\nx: {long}{long}"), &format!("{CHUNKED}0\r\n"));
    }

    #[test]
    fn a_refused_request_is_the_last_and_answered_in_its_turn() {
        refuses("DELETE /tasks#?id=eq.1 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", "DELETE * HTTP/1.1\r\n\r\n", 1, 400);
        refuses(
            "GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 1\r\n\r\nxHEAD /c# HTTP/1.1\r\n\r\n",
            "GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 1\r\n\r\nxHEAD * HTTP/1.1\r\n\r\n",
            3,
            400,
        );
        refuses("\x16\x03\x01", "- * HTTP/1.1\r\n\r\n", 1, 400);
        refuses("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP/1.1\r\n\r\n", 1, 505);
    }

    #[test]
    fn lines_of_a_head_end_with_cr_lf() {
        for sent in [
            "GET / HTTP/1.1\n\n",
            "GET / HTTP/1.1\nA: b\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\n\r\n",
            "GET / HTTP/1.1\r\nA: b\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\n\n",
            "GET / HTTP/1.1\r\nA: b\r\r\n\r\n",
        ] {
            refuses(sent, "GET * HTTP/1.1\r\n\r\n", 1, 400);
        }
        refuses("\nGET / HTTP/1.1\r\n\r\n", "- * HTTP/1.1\r\n\r\n", 1, 400);
        refuses("\r\rGET / HTTP/1.1\r\n\r\n", "- * HTTP/1.1\r\n\r\n", 1, 400);
    }

    #[test]
    fn heads_are_bounded() {
        let fits = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(HEAD_LIMIT - 23));
        assert_eq!(fits.len(), HEAD_LIMIT);
        for (sent, status) in [
            (fits.clone(), None),
            (fits.replace("x: ", "x: y"), Some((1, 431))),
            (format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(HEAD_LIMIT)), Some((1, 414))),
            (format!("GET /{}", ">".repeat(HEAD_LIMIT - 5)), Some((1, 414))),
            ("x".repeat(HEAD_LIMIT), Some((1, 414))),
            (format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(HEAD_LIMIT / 6)), Some((1, 431))),
            (format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101)), Some((1, 431))),
        ] {
            for piece in [1, 5000, 1 << 20] {
                let seen = read_in_pieces(sent.as_bytes(), piece, 1 << 16);
                assert_eq!(seen.refused, status, "{}", &sent[..30]);
                assert_eq!(seen.text.len(), if status.is_some() { seen.text.len().min(40) } else { sent.len() });
            }
        }
    }

    #[test]
    fn what_ends_early_stays_so() {
        for sent in ["GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\n\r", "G"] {
            passes(sent, "");
        }
        passes("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", "GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
        for (sent, seen) in [
            ("", ""),
            ("1", ""),
            ("1\r\n", "1\r\n"),
            ("1\r\na", "1\r\na"),
            ("1\r\na\r", "1\r\na"),
            ("0\r\n", "0\r\n"),
            ("0\r\n\r", "0\r\n"),
        ] {
            passes(&format!("{CHUNKED}{sent}"), &format!("{CHUNKED}{seen}"));
        }
    }

    /// Request lines and bodies as hyper reads them. The body is `None` if it is malformed or incomplete.
    fn by_hyper(text: &str) -> Vec<(String, Option<String>)> {
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let sees = Arc::clone(&seen);
        let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let sees = Arc::clone(&sees);
            async move {
                let line = format!("{} {} {:?}", request.method(), request.uri(), request.version());
                let body = http_body_util::BodyExt::collect(request.into_body()).await;
                let body = body.ok().map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned());
                sees.lock().unwrap().push((line, body));
                Ok::<_, std::convert::Infallible>(hyper::Response::new(http_body_util::Empty::<bytes::Bytes>::new()))
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut client, server) = tokio::io::duplex(1 << 20);
            tokio::io::AsyncWriteExt::write_all(&mut client, text.as_bytes()).await.unwrap();
            tokio::io::AsyncWriteExt::shutdown(&mut client).await.unwrap();
            let io = hyper_util::rt::TokioIo::new(server);
            let _ = hyper::server::conn::http1::Builder::new().half_close(true).serve_connection(io, service).await;
        });
        Arc::try_unwrap(seen).unwrap().into_inner().unwrap()
    }

    /// The same, by the simplest possible reader, which knows only what the wire lets through.
    fn by_hand(text: &str) -> Vec<(String, Option<String>)> {
        let (mut rest, mut seen) = (text, Vec::new());
        while let Some((head, after)) = rest.split_once("\r\n\r\n") {
            let (line, fields) = head.split_once("\r\n").unwrap_or((head, ""));
            let field = |name: &str| {
                let (_, value) = fields
                    .split("\r\n")
                    .filter_map(|field| field.split_once(':'))
                    .find(|(n, _)| n.eq_ignore_ascii_case(name))?;
                Some(value.trim().to_owned())
            };
            rest = after;
            let body = if field("transfer-encoding").is_some() {
                let mut body = String::new();
                loop {
                    let chunk = rest.split_once("\r\n").and_then(|(size, after)| {
                        let size = usize::from_str_radix(size, 16).unwrap();
                        Some((size, after.get(..size)?, after.get(size..)?.strip_prefix("\r\n")?))
                    });
                    let Some((size, data, after)) = chunk else {
                        break None;
                    };
                    body.push_str(data);
                    rest = after;
                    if size == 0 {
                        break Some(body);
                    }
                }
            } else {
                let length = field("content-length").map_or(0, |value| value.parse().unwrap());
                let body = rest.get(..length).map(str::to_owned);
                rest = rest.get(length..).unwrap_or_default();
                body
            };
            let ends = body.is_none() || field("connection").is_some() || line.ends_with("1.0");
            seen.push((line.to_owned(), body));
            if ends {
                break;
            }
        }
        seen
    }

    /// Requests with some bytes changed, removed, doubled and moved. However they are cut into pieces, hyper reads the same, and what it
    /// reads has only one meaning.
    #[test]
    fn what_is_read_has_one_meaning() {
        let parts = [
            "GET /a?b=> HTTP/1.1\r\n",
            "POST / HTTP/1.1\r\n",
            "Host: x\r\n",
            "Content-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\n",
            "X: y\r\n z\r\n",
            "\r\n",
            "abcde",
            "5\r\nabcde\r\n",
            "0\r\n",
            "0\r\n\r\n",
            "\n",
            "\r",
            " ",
            "5;x=\"\r\n",
            "GET /b HTTP/1.1\r\n\r\n",
            "Content-Length: 0\r\n",
            "Transfer-Encoding: chunked\r\n\r\n",
            "Connection: close\r\n",
            "\0",
            "#",
            "HTTP/1.0\r\n\r\n",
        ];
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let (mut heads, mut refused, mut broken) = (0, 0, 0);
        for _ in 0..3_000 {
            let mut sent = Vec::new();
            if random(2) == 0 {
                sent.extend_from_slice(b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n");
            }
            for _ in 0..=random(8) {
                sent.extend_from_slice(parts[random(parts.len())].as_bytes());
            }
            for _ in 0..random(3) {
                let at = random(sent.len().max(1));
                match random(3) {
                    _ if sent.is_empty() => {}
                    0 => sent[at] = b"\r\n 0;:#ax"[random(9)],
                    1 => drop(sent.remove(at)),
                    _ => sent.insert(at, sent[at]),
                }
            }
            let seen = read(&sent);
            assert_eq!(by_hyper(&seen.text), by_hand(&seen.text), "{}", sent.escape_ascii());
            heads += usize::from(seen.text.contains("HTTP/1."));
            refused += usize::from(seen.refused.is_some());
            broken += usize::from(seen.broken);
        }
        assert!(heads > 1_000 && refused > 500 && broken > 200, "{heads} {refused} {broken}");
    }
}
