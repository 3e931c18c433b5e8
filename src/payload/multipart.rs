//! Bodies of forms with files: `multipart/form-data` (RFC 7578, RFC 2046 section 5.1.1). The well-kept parsers are asynchronous; a body that is
//! in memory needs none.

use crate::error::{Code, Error, Result};
use crate::limits;
use memchr::memmem;

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The name of the field.
    pub name: String,
    /// The name of the file, if it is one.
    pub file: Option<String>,
    /// Its Content-Type.
    pub media_type: Option<String>,
    pub content: &'a [u8],
}

/// Whether a Content-Type is that of a form with files.
pub fn is_multipart(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("multipart/form-data")
}

/// The parts of a body, in order.
///
/// # Errors
/// PGRST102 (400) for a body that is not such a form, REST431 for too many parts or header fields that are too long.
pub fn parse<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>> {
    let boundary = parameter(content_type, "boundary").filter(|b| (1..=70).contains(&b.len()));
    let boundary = boundary.ok_or_else(|| refused("Its Content-Type has no boundary of at most 70 characters."))?;
    let delimiter = format!("\r\n--{boundary}");
    let (delimiter, first) = (delimiter.as_bytes(), delimiter.as_bytes().get(2..).unwrap_or_default());
    let finder = memmem::Finder::new(delimiter);
    // What stands before the first delimiter is not part of the form.
    let mut rest = match body.strip_prefix(first) {
        Some(rest) => rest,
        None => {
            let at = finder.find(body).ok_or_else(|| refused("It does not have the boundary of its Content-Type."))?;
            body.get(at + delimiter.len()..).unwrap_or_default()
        }
    };
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            // What follows the last delimiter is not part of the form.
            return Ok(parts);
        }
        let line = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(rest.len());
        let after = rest.get(line..).and_then(|rest| rest.strip_prefix(b"\r\n"));
        let after = after.ok_or_else(|| refused("A delimiter is not a line of its own."))?;
        // The line end before a delimiter belongs to it, so the content may be empty.
        let (fields, content) = match after.strip_prefix(b"\r\n") {
            Some(content) => (&after[..0], content),
            None => {
                let end = memmem::find(after, b"\r\n\r\n")
                    .ok_or_else(|| refused("The header fields of a part do not end."))?;
                (after.get(..end).unwrap_or_default(), after.get(end + 4..).unwrap_or_default())
            }
        };
        if fields.len() > limits::PART_HEADER_BYTES {
            let most = limits::PART_HEADER_BYTES;
            return Err(Error::new(
                Code::Limit,
                format!("The header fields of a part of a form have at most {most} bytes"),
            ));
        }
        if parts.len() == limits::FORM_PARTS {
            return Err(Error::new(Code::Limit, format!("A form has at most {} parts", limits::FORM_PARTS)));
        }
        // An empty content shares its line end with the header fields.
        let from = after.len() - content.len() - 2;
        let end = finder
            .find(after.get(from..).unwrap_or_default())
            .ok_or_else(|| refused("The last delimiter is missing."))?;
        let content = after.get(from + 2..(from + end).max(from + 2)).unwrap_or_default();
        parts.push(part(fields, content)?);
        rest = after.get(from + end + delimiter.len()..).unwrap_or_default();
    }
}

fn part<'a>(fields: &[u8], content: &'a [u8]) -> Result<Part<'a>> {
    let fields = std::str::from_utf8(fields).map_err(|_| refused("The header fields of a part are not UTF-8."))?;
    let field = |wanted: &str| {
        let named = fields.split("\r\n").filter_map(|line| line.split_once(':'));
        named.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim()).next()
    };
    let disposition = field("content-disposition").unwrap_or_default();
    let (kind, _) = disposition.split_once(';').unwrap_or((disposition, ""));
    let name = parameter(disposition, "name").filter(|_| kind.trim().eq_ignore_ascii_case("form-data"));
    let name = name.ok_or_else(|| refused("A part has no Content-Disposition: form-data with a name."))?;
    if parameter(disposition, "filename*").is_some() {
        return Err(refused("The parameter filename* cannot be used in a form (RFC 7578, section 4.2)."));
    }
    let encoding = field("content-transfer-encoding").unwrap_or("binary");
    if !["7bit", "8bit", "binary"].iter().any(|known| encoding.eq_ignore_ascii_case(known)) {
        return Err(refused("The parts of a form have no Content-Transfer-Encoding (RFC 7578, section 4.7)."));
    }
    let decoded = |text: String| text.replace("%0D", "\r").replace("%0A", "\n").replace("%22", "\"");
    let (name, file) = (decoded(name), parameter(disposition, "filename").map(decoded));
    if name.contains('\0') || file.as_ref().is_some_and(|file| file.contains('\0')) {
        return Err(refused("A name contains NUL."));
    }
    Ok(Part { name, file, media_type: field("content-type").map(str::to_owned), content })
}

/// The value of a parameter behind the first `;`, without its quotes.
fn parameter(field: &str, wanted: &str) -> Option<String> {
    let (_, mut rest) = field.split_once(';')?;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_start_matches([';', ' ', '\t']).trim_end();
        let after = after.trim_start();
        let mut value = String::new();
        let end = if let Some(quoted) = after.strip_prefix('"') {
            let mut escaped = false;
            let mut end = None;
            for (at, character) in quoted.char_indices() {
                match character {
                    // A browser does not escape a backslash, but everybody escapes a quote.
                    '"' if !escaped => {
                        end = Some(at + 1);
                        break;
                    }
                    '"' => {
                        value.pop();
                        value.push('"');
                    }
                    other => value.push(other),
                }
                escaped = character == '\\' && !escaped;
            }
            1 + end?
        } else {
            let end = after.find(';').unwrap_or(after.len());
            after.get(..end).unwrap_or_default().trim_end().clone_into(&mut value);
            end
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after.get(end..)?;
    }
}

fn refused(why: &str) -> Error {
    Error::new(Code::Body, "The body is not a valid form").details(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::random::Random;

    const TYPE: &str = "multipart/form-data; charset=utf-8; boundary=\"a b\"";

    fn shown(parts: &[Part]) -> Vec<(String, Option<String>, Option<String>, String)> {
        let text = |part: &Part| String::from_utf8_lossy(part.content).into_owned();
        parts.iter().map(|part| (part.name.clone(), part.file.clone(), part.media_type.clone(), text(part))).collect()
    }

    #[test]
    fn a_form_has_fields_and_files() {
        let body = concat!(
            "preamble\r\n--a b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nline\r\n--a\r\n\r\n",
            "--a b  \r\ncontent-disposition: FORM-DATA; name=f; filename=\"a \\\"b\\\" %22c\\d.png\"\r\nContent-Type: image/png\r\n\r\n\u{0}\r\n",
            "\r\n--a b\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--a b--\r\nepilogue"
        );
        let parts = parse(TYPE, body.as_bytes()).unwrap();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            shown(&parts),
            [
                ("note".to_owned(), None, None, "line\r\n--a\r\n".to_owned()),
                ("f".to_owned(), text("a \"b\" \"c\\d.png"), text("image/png"), "\0\r\n".to_owned()),
                ("empty".to_owned(), None, None, String::new()),
            ]
        );
        assert_eq!(parse("multipart/form-data; boundary=x", b"--x--").unwrap(), []);
        assert!(is_multipart("Multipart/Form-Data;boundary=x") && !is_multipart("multipart/mixed"));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for (content_type, body) in [
            ("multipart/form-data", "--x--"),
            ("multipart/form-data; boundary=", "----"),
            ("multipart/form-data; boundary=x", ""),
            ("multipart/form-data; boundary=x", "--y--"),
            ("multipart/form-data; boundary=x", "--x"),
            ("multipart/form-data; boundary=x", "--xy\r\n"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data\r\n\r\nb\r\n--x--"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: attachment; name=a\r\n\r\nb\r\n--x--"),
            ("multipart/form-data; boundary=x", "--x\r\n\r\nb\r\n--x--"),
            (
                "multipart/form-data; boundary=x",
                "--x\r\nContent-Disposition: form-data; name=a; filename*=UTF-8''b\r\n\r\nb\r\n--x--",
            ),
            (
                "multipart/form-data; boundary=x",
                "--x\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nb\r\n--x--",
            ),
        ] {
            let error = parse(content_type, body.as_bytes()).unwrap_err();
            assert_eq!((error.code.as_str(), error.status), ("PGRST102", 400), "{content_type} {body}");
        }
        let many = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n".repeat(limits::FORM_PARTS + 1) + "--x--";
        assert_eq!(parse("multipart/form-data; boundary=x", many.as_bytes()).unwrap_err().code, "REST431");
        let long = format!(
            "--x\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n\r\n--x--",
            "a".repeat(limits::PART_HEADER_BYTES)
        );
        assert_eq!(parse("multipart/form-data; boundary=x", long.as_bytes()).unwrap_err().code, "REST431");
    }

    /// Whatever the contents are, they come back; and nothing panics on what is cut or changed.
    #[test]
    fn random_contents_come_back() {
        let mut random = Random::new(7578);
        let pieces: [&[u8]; 8] = [b"\r\n", b"--", b"b", b"\r\n--b", b"\r", b"\n", b"x", b"\0"];
        for _ in 0..3000 {
            let contents: Vec<Vec<u8>> = (0..random.below(4))
                .map(|_| (0..random.below(8)).flat_map(|_| random.pick(&pieces).to_vec()).collect())
                .collect();
            let mut body = Vec::new();
            for content in &contents {
                body.extend_from_slice(b"--bound\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n");
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"--bound--\r\n");
            let parts = parse("multipart/form-data; boundary=bound", &body).unwrap();
            assert_eq!(parts.iter().map(|part| part.content.to_vec()).collect::<Vec<_>>(), contents);
            let cut = random.below(body.len());
            let _ = parse("multipart/form-data; boundary=bound", &body[..cut]);
            body[cut] ^= 1 << random.below(8);
            let _ = parse("multipart/form-data; boundary=bound", &body);
        }
    }
}
