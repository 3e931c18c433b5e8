//! Writes the log: JSON objects, one per line. Requests go to stdout, everything else to stderr.
//!
//! A separate thread writes the lines, so that a slow reader costs lines, not requests.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::headers::push_string;

/// The most lines that wait for the writer.
const QUEUE: usize = 8192;
/// How long lines are collected before they are written together.
const COLLECT: Duration = Duration::from_millis(10);

/// Where log lines go.
pub struct Log {
    queue: SyncSender<Line>,
    access: bool,
    dropped: AtomicU64,
}

/// Ends when nobody uses the log any more and all lines are written.
pub struct Writer(JoinHandle<()>);

enum Line {
    Access(Vec<u8>),
    Event(Vec<u8>),
    End,
}

/// What is logged about a request: never its query, headers or body.
pub struct Access<'a> {
    /// Identifies the request in both logs.
    pub request_id: &'a str,
    /// Method as received.
    pub method: &'a str,
    /// Path as received, without the query.
    pub path: &'a str,
    /// Status of the response. 499 if the client left before there was one.
    pub status: u16,
    /// Bytes of the response's body.
    pub bytes: u64,
    /// Time from the request's headers to its response.
    pub duration: Duration,
}

impl Log {
    /// Starts the writer. With `access`, requests are logged; other events always are.
    pub fn start(access: bool) -> (Self, Writer) {
        let (queue, lines) = sync_channel(QUEUE);
        let writer = std::thread::spawn(move || write(&lines));
        (Self { queue, access, dropped: AtomicU64::new(0) }, Writer(writer))
    }

    /// Logs a request, if requests are logged.
    pub fn access(&self, access: &Access<'_>) {
        if self.access {
            self.send(Line::Access(access_line(SystemTime::now(), access)));
        }
    }

    /// Logs an event with its level, such as `error`, its message, and the ID of its request, if any.
    pub fn event(&self, level: &'static str, request_id: Option<&str>, message: &str) {
        self.send(Line::Event(event_line(SystemTime::now(), level, request_id, message)));
    }

    /// Waits until everything logged so far is written, but no longer than `limit`.
    pub fn finish(&self, writer: &Writer, limit: Duration) {
        let end = std::time::Instant::now() + limit;
        while matches!(self.queue.try_send(Line::End), Err(TrySendError::Full(_))) && std::time::Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        while !writer.0.is_finished() && std::time::Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn send(&self, line: Line) {
        if self.queue.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if self.dropped.load(Ordering::Relaxed) > 0 {
            let dropped = self.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                let message = format!("{dropped} log lines were dropped");
                let _ = self.queue.try_send(Line::Event(event_line(SystemTime::now(), "warning", None, &message)));
            }
        }
    }
}

fn write(lines: &Receiver<Line>) {
    let mut access = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut next = lines.recv().ok();
    while let Some(line) = next {
        // If the log cannot be written, keep serving.
        match line {
            Line::Access(line) => drop(access.write_all(&line)),
            Line::Event(line) => drop(std::io::stderr().write_all(&line)),
            Line::End => break,
        }
        next = lines.try_recv().ok().or_else(|| {
            let _ = access.flush();
            // Whoever logs does not have to wake a thread that sleeps by itself.
            std::thread::sleep(COLLECT);
            lines.recv().ok()
        });
    }
    let _ = access.flush();
}

fn access_line(now: SystemTime, access: &Access<'_>) -> Vec<u8> {
    let mut line = Vec::with_capacity(256);
    push_time(&mut line, now);
    line.extend_from_slice(b",\"request_id\":");
    push_string(&mut line, access.request_id);
    line.extend_from_slice(b",\"method\":");
    push_string(&mut line, access.method);
    line.extend_from_slice(b",\"path\":");
    push_string(&mut line, access.path);
    let micros = access.duration.as_micros();
    let _ = writeln!(
        line,
        ",\"status\":{},\"bytes\":{},\"duration_ms\":{}.{:03}}}",
        access.status,
        access.bytes,
        micros / 1000,
        micros % 1000
    );
    line
}

fn event_line(now: SystemTime, level: &str, request_id: Option<&str>, message: &str) -> Vec<u8> {
    let mut line = Vec::with_capacity(256);
    push_time(&mut line, now);
    line.extend_from_slice(b",\"level\":");
    push_string(&mut line, level);
    if let Some(request_id) = request_id {
        line.extend_from_slice(b",\"request_id\":");
        push_string(&mut line, request_id);
    }
    line.extend_from_slice(b",\"message\":");
    push_string(&mut line, message);
    line.extend_from_slice(b"}\n");
    line
}

/// Begins a line with its time: RFC 3339, UTC, milliseconds.
fn push_time(line: &mut Vec<u8>, now: SystemTime) {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // From days to a date of the Gregorian calendar, with eras of 400 years or 146,097 days, and years that begin in March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    let _ = write!(
        line,
        "{{\"time\":\"{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z\"",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        since.subsec_millis()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_399, "2000-02-28T23:59:59.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (1_735_689_599, "2024-12-31T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            let mut line = Vec::new();
            push_time(&mut line, UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 7));
            assert_eq!(String::from_utf8(line).unwrap(), format!("{{\"time\":\"{expected}\""));
        }
    }

    #[test]
    fn a_line_stays_one_line_of_json() {
        let access = Access {
            request_id: "a\"b",
            method: "GET",
            path: "/\"\\{}",
            status: 200,
            bytes: 7,
            duration: Duration::from_micros(1_005),
        };
        let line = access_line(UNIX_EPOCH, &access);
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["path"], "/\"\\{}");
        assert_eq!(value["duration_ms"], 1.005);

        let line = event_line(UNIX_EPOCH, "error", Some("r"), "two\nlines");
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["message"], "two\nlines");
        assert_eq!(value["request_id"], "r");
    }
}
