//! Splits the text that PostgreSQL's `pg_get_expr` writes for an expression: into the operands of an outer AND or OR, and the calls
//! that do not depend on a row.
//!
//! That text puts every operand of AND, OR and NOT in parentheses and writes keywords in capitals, so it can be split without a
//! parser.

/// The operands of an expression that is an AND or an OR; empty for any other.
pub fn operands(expression: &str) -> Vec<&str> {
    let inner = without_parentheses(expression);
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0usize);
    for token in tokens(inner) {
        match token.text {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "AND" | "OR" if depth == 0 => {
                found.push(inner.get(start..token.at).unwrap_or_default().trim());
                start = token.at + token.text.len();
            }
            _ => {}
        }
    }
    if !found.is_empty() {
        found.push(inner.get(start..).unwrap_or_default().trim());
    }
    found
}

/// The calls in an expression without a column among their arguments, and `CURRENT_USER` and its like: what the expression reads
/// from the session. Without repetition, in the order of the text.
pub fn readers(expression: &str) -> Vec<&str> {
    let tokens: Vec<Token> = tokens(expression).collect();
    let mut found = Vec::new();
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        let end = match token.text {
            "CURRENT_USER" | "SESSION_USER" | "CURRENT_ROLE" => Some(i),
            _ if token.kind == TokenKind::Name && !is_syntax(token.text) => constant_call(&tokens, i),
            _ => None,
        };
        match end.and_then(|end| Some((end, tokens.get(end)?))) {
            Some((end, last)) => {
                let text = expression.get(token.at..last.at + last.text.len()).unwrap_or_default();
                if !found.contains(&text) {
                    found.push(text);
                }
                i = end + 1;
            }
            None => i += 1,
        }
    }
    found
}

/// The end of a call that begins with the name at `start`, if all its arguments are constants.
fn constant_call(tokens: &[Token], start: usize) -> Option<usize> {
    if tokens.get(start + 1)?.text != "(" {
        return None;
    }
    let mut in_type = false;
    for (i, token) in tokens.iter().enumerate().skip(start + 2) {
        match (token.kind, token.text) {
            (_, ")") => return Some(i),
            (_, "," | "[") => in_type = false,
            (_, "]") => {}
            (_, "::") => in_type = true,
            (TokenKind::Literal, _) => {}
            (TokenKind::Name, "true" | "false" | "NULL" | "ARRAY") => {}
            (TokenKind::Name, _) if in_type => {}
            _ => return None,
        }
    }
    None
}

/// Words before a parenthesis that are not names of functions.
fn is_syntax(word: &str) -> bool {
    let upper = word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    upper || word.contains('"') && word.ends_with('.')
}

/// The expression without parentheses around all of it.
fn without_parentheses(expression: &str) -> &str {
    let mut inner = expression.trim();
    while inner.starts_with('(') && inner.ends_with(')') {
        let mut depth = 0usize;
        let closes_early = tokens(inner).any(|token| {
            match token.text {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && token.at + 1 < inner.len()
        });
        if closes_early {
            break;
        }
        inner = inner.get(1..inner.len() - 1).unwrap_or_default().trim();
    }
    inner
}

#[derive(Clone, Copy, PartialEq)]
enum TokenKind {
    /// A word, or names joined by dots, quoted or not.
    Name,
    /// A string or a number.
    Literal,
    Other,
}

#[derive(Clone, Copy)]
struct Token<'a> {
    at: usize,
    text: &'a str,
    kind: TokenKind,
}

fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let blank = rest.len() - rest.trim_start().len();
        at += blank;
        let rest = rest.get(blank..)?;
        let (length, kind) = first(rest)?;
        let token = Token { at, text: rest.get(..length)?, kind };
        at += length;
        Some(token)
    })
}

/// The length and kind of the first token of a text; `None` at its end.
fn first(text: &str) -> Option<(usize, TokenKind)> {
    let start = text.chars().next()?;
    Some(match start {
        '\'' => (quoted(text, '\'', false), TokenKind::Literal),
        'E' if text.get(1..).is_some_and(|t| t.starts_with('\'')) => {
            (1 + quoted(text.get(1..).unwrap_or_default(), '\'', true), TokenKind::Literal)
        }
        '0'..='9' => (text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()), TokenKind::Literal),
        c if c == '"' || is_name(c) => (name(text), TokenKind::Name),
        ':' if text.starts_with("::") => (2, TokenKind::Other),
        c => (c.len_utf8(), TokenKind::Other),
    })
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The length of names joined by dots.
fn name(text: &str) -> usize {
    let mut length = 0;
    loop {
        let rest = text.get(length..).unwrap_or_default();
        length += if rest.starts_with('"') {
            quoted(rest, '"', false)
        } else {
            rest.find(|c| !is_name(c)).unwrap_or(rest.len())
        };
        let mut after = text.get(length..).unwrap_or_default().chars();
        match (after.next(), after.next()) {
            (Some('.'), Some(c)) if c == '"' || is_name(c) => length += 1,
            _ => return length,
        }
    }
}

/// The length of a quoted text including its quotes. A doubled quote does not end it.
fn quoted(text: &str, quote: char, escapes: bool) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((i, c)) = characters.next() {
        if c == quote {
            if characters.next_if(|(_, next)| *next == quote).is_none() {
                return i + 1;
            }
        } else if escapes && c == '\\' {
            characters.next();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_of_and_and_or_are_found_at_the_top_alone() {
        assert_eq!(operands("((a = 1) AND (b = 2))"), ["(a = 1)", "(b = 2)"]);
        assert_eq!(operands("((a = 1) OR ((b = 2) AND c) OR d)"), ["(a = 1)", "((b = 2) AND c)", "d"]);
        assert_eq!(operands("(NOT (a AND b))"), [""; 0]);
        assert_eq!(operands("(owner = CURRENT_USER)"), [""; 0]);
        assert_eq!(operands("(EXISTS ( SELECT 1\n   FROM t\n  WHERE ((t.a = 1) AND t.b)))"), [""; 0]);
    }

    #[test]
    fn words_in_quotes_are_no_operators() {
        assert_eq!(operands("((a = ' AND '::text) AND (\"OR\" = 1))"), ["(a = ' AND '::text)", "(\"OR\" = 1)"]);
        assert_eq!(operands("((a = 'it''s) AND ('::text) OR b)"), ["(a = 'it''s) AND ('::text)", "b"]);
        assert_eq!(operands("((a = E'\\') AND ('::text) OR b)"), ["(a = E'\\') AND ('::text)", "b"]);
    }

    #[test]
    fn parentheses_are_taken_off_only_around_the_whole() {
        assert_eq!(operands("(a) AND (b)"), ["(a)", "(b)"]);
        assert_eq!(operands("(((a) OR (b)))"), ["(a)", "(b)"]);
    }

    #[test]
    fn readers_are_calls_of_constants() {
        assert_eq!(readers("(owner = ( SELECT restful.uid() AS uid))"), ["restful.uid()"]);
        assert_eq!(
            readers("((tenant)::text = current_setting('app.tenant'::text, true))"),
            ["current_setting('app.tenant'::text, true)"]
        );
        assert_eq!(readers("((owner = CURRENT_USER) AND (f(owner) > g()))"), ["CURRENT_USER", "g()"]);
        assert_eq!(readers(r#"("Odd"."f(x"('a'::character varying) = 1)"#), [r#""Odd"."f(x"('a'::character varying)"#]);
        assert_eq!(readers("((a = ANY (ARRAY['x'::text])) OR (b IN (1)) OR (h(1, id)))"), [""; 0]);
        assert_eq!(readers("(f() = f())"), ["f()"]);
    }

    #[test]
    fn no_text_makes_them_fail() {
        for text in ["", "(", ")", "(()", "'", "\"", "E'", "a.", "a.\"", "AND", "f(", "f('", "é(", "()AND", "(é)"] {
            let _ = (operands(text), readers(text));
        }
    }
}
