//! Expressions of CHECK constraints, as `pg_get_expr` writes them (PostgreSQL docs, 9.26.3).
//!
//! That text is canonical: every operator has parentheses around it, names are qualified unless they are those of
//! `pg_catalog` (when that is the search path), keywords are in upper case and bare names in lower case. What is not
//! understood becomes [`Expression::Opaque`], from one parenthesis to its partner, and the rest keeps its meaning.

/// Levels of parentheses. PostgreSQL's parser allows more; nobody writes them.
const DEPTH: usize = 64;

/// A SQL expression, as far as it is understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A column, or `VALUE` of a domain's CHECK as the empty name.
    Column(String),
    /// A constant without its casts: digits, or the text of a quoted literal.
    Literal(String),
    True,
    False,
    Null,
    /// The operand, and the type as PostgreSQL spells it.
    Cast(Box<Expression>, String),
    /// A function of `pg_catalog`.
    Call(String, Vec<Expression>),
    Array(Vec<Expression>),
    /// Left operand, operator of `pg_catalog`, right operand.
    Operator(Box<Expression>, String, Box<Expression>),
    /// `left operator ANY (array)`
    Any(Box<Expression>, String, Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    IsNull(Box<Expression>),
    IsNotNull(Box<Expression>),
    /// Something else.
    Opaque,
}

#[derive(Clone, Debug, PartialEq)]
enum Token<'a> {
    /// A bare name in lower case: a column, function, type, or constant.
    Name(&'a str),
    /// A name in quotes, without them.
    Quoted(String),
    /// A word in upper case.
    Keyword(&'a str),
    Number(&'a str),
    Text(String),
    Operator(&'a str),
    Cast,
    /// One of `( ) [ ] , .`
    Mark(char),
}

/// Parses the text of `pg_get_expr`, written under `standard_conforming_strings = on`.
pub fn parse(text: &str) -> Expression {
    let Some(tokens) = tokens(text) else { return Expression::Opaque };
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    match parser.inside() {
        Some(expression) if parser.at == tokens.len() => expression,
        _ => Expression::Opaque,
    }
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            c if c.is_ascii_whitespace() => {
                rest = rest.get(1..)?;
                continue;
            }
            '(' | ')' | '[' | ']' | ',' | '.' => (Token::Mark(first), 1),
            '\'' => {
                let (text, length) = quoted(rest, '\'')?;
                (Token::Text(text), length)
            }
            '"' => {
                let (name, length) = quoted(rest, '"')?;
                (Token::Quoted(name), length)
            }
            '0'..='9' => {
                let length = number(rest);
                (Token::Number(rest.get(..length)?), length)
            }
            c if c.is_ascii_lowercase() || c == '_' => {
                let length = span(rest, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
                (Token::Name(rest.get(..length)?), length)
            }
            c if c.is_ascii_uppercase() => {
                let length = span(rest, |c| c.is_ascii_uppercase() || c == '_');
                (Token::Keyword(rest.get(..length)?), length)
            }
            ':' if rest.starts_with("::") => (Token::Cast, 2),
            c if is_operator(c) => {
                let length = span(rest, is_operator);
                (Token::Operator(rest.get(..length)?), length)
            }
            _ => return None,
        };
        tokens.push(token);
        rest = rest.get(length..)?;
    }
    Some(tokens)
}

fn is_operator(c: char) -> bool {
    "+-*/<>=~!@#%^&|`?".contains(c)
}

fn span(text: &str, holds: impl Fn(char) -> bool) -> usize {
    text.find(|c| !holds(c)).unwrap_or(text.len())
}

/// The length of the digits, the fraction and the exponent that `text` starts with.
fn number(text: &str) -> usize {
    let digits = |from: usize| from + text.get(from..).map_or(0, |t| span(t, |c| c.is_ascii_digit()));
    let byte = |at: usize| text.as_bytes().get(at).copied();
    let mut end = digits(0);
    if byte(end) == Some(b'.') {
        end = digits(end + 1);
    }
    if matches!(byte(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(byte(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}

/// What stands between quotes at the start of `text`, and the length with them. A doubled quote stands for one.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut at = 1;
    loop {
        let rest = text.get(at..)?;
        let end = rest.find(quote)?;
        value.push_str(rest.get(..end)?);
        at += end + 1;
        if text.get(at..)?.starts_with(quote) {
            value.push(quote);
            at += 1;
        } else {
            return Some((value, at));
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'a Token<'a>> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    fn takes(&mut self, token: &Token) -> bool {
        let is_next = self.peek() == Some(token);
        self.at += usize::from(is_next);
        is_next
    }

    fn mark(&mut self, mark: char) -> Option<()> {
        self.takes(&Token::Mark(mark)).then_some(())
    }

    fn keyword(&mut self, word: &str) -> bool {
        self.takes(&Token::Keyword(word))
    }

    /// What may stand between two parentheses: operands with what joins them.
    fn inside(&mut self) -> Option<Expression> {
        if self.keyword("NOT") {
            return Some(Expression::Not(Box::new(self.operand()?)));
        }
        let left = self.operand()?;
        match self.peek() {
            Some(Token::Keyword(word @ ("AND" | "OR"))) => {
                let mut operands = vec![left];
                while self.keyword(word) {
                    let negated = self.keyword("NOT");
                    let operand = self.operand()?;
                    operands.push(if negated { Expression::Not(Box::new(operand)) } else { operand });
                }
                Some(if *word == "AND" { Expression::And(operands) } else { Expression::Or(operands) })
            }
            Some(Token::Keyword("IS")) => {
                self.at += 1;
                let negated = self.keyword("NOT");
                if !self.keyword("NULL") {
                    return None;
                }
                let left = Box::new(left);
                Some(if negated { Expression::IsNotNull(left) } else { Expression::IsNull(left) })
            }
            Some(Token::Operator(operator)) => {
                self.at += 1;
                let left = Box::new(left);
                if self.keyword("ANY") {
                    let array = Box::new(self.operand()?);
                    return Some(Expression::Any(left, (*operator).to_owned(), array));
                }
                Some(Expression::Operator(left, (*operator).to_owned(), Box::new(self.operand()?)))
            }
            _ => Some(left),
        }
    }

    /// What has parentheses around it, or needs none, with its casts.
    fn operand(&mut self) -> Option<Expression> {
        let mut operand = self.primary()?;
        while self.takes(&Token::Cast) {
            operand = Expression::Cast(Box::new(operand), self.data_type()?);
        }
        // a subscript or a field: of what, is not followed
        match self.peek() {
            Some(Token::Mark('[' | '.')) => None,
            _ => Some(operand),
        }
    }

    fn primary(&mut self) -> Option<Expression> {
        match self.next()? {
            Token::Mark('(') => self.parenthesised(),
            Token::Number(digits) => Some(Expression::Literal((*digits).to_owned())),
            Token::Text(text) => Some(Expression::Literal(text.clone())),
            Token::Keyword("NULL") => Some(Expression::Null),
            Token::Keyword("VALUE") => Some(Expression::Column(String::new())),
            Token::Keyword("ARRAY") => {
                self.mark('[')?;
                Some(Expression::Array(self.list(']')?))
            }
            Token::Keyword("TRIM") => {
                self.mark('(')?;
                if !(self.keyword("BOTH") || self.keyword("LEADING") || self.keyword("TRAILING")) {
                    return None;
                }
                if !self.keyword("FROM") {
                    return None;
                }
                let operand = self.operand()?;
                self.mark(')')?;
                Some(Expression::Call("btrim".to_owned(), vec![operand]))
            }
            Token::Name("true") => Some(Expression::True),
            Token::Name("false") => Some(Expression::False),
            Token::Name(name) => self.named((*name).to_owned()),
            Token::Quoted(name) => self.named(name.clone()),
            _ => None,
        }
    }

    fn named(&mut self, name: String) -> Option<Expression> {
        if self.takes(&Token::Mark('(')) {
            return Some(Expression::Call(name, self.list(')')?));
        }
        Some(Expression::Column(name))
    }

    /// Operands up to the closing mark.
    fn list(&mut self, close: char) -> Option<Vec<Expression>> {
        let mut items = Vec::new();
        if self.mark(close).is_some() {
            return Some(items);
        }
        loop {
            items.push(self.operand()?);
            if self.mark(close).is_some() {
                return Some(items);
            }
            self.mark(',')?;
        }
    }

    /// After an opening parenthesis: what it holds, or [`Expression::Opaque`] when that is not understood.
    fn parenthesised(&mut self) -> Option<Expression> {
        let start = self.at;
        if self.depth < DEPTH {
            self.depth += 1;
            let inside = self.inside();
            self.depth -= 1;
            if inside.is_some() && self.mark(')').is_some() {
                return inside;
            }
        }
        self.at = start;
        let mut open = 1;
        while open > 0 {
            match self.next()? {
                Token::Mark('(') => open += 1,
                Token::Mark(')') => open -= 1,
                _ => {}
            }
        }
        Some(Expression::Opaque)
    }

    /// A type after `::`, as `format_type` spells it: words, a modifier, `[]`.
    fn data_type(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.peek() {
                Some(Token::Name(word)) => {
                    if !text.is_empty() && !text.ends_with('.') {
                        text.push(' ');
                    }
                    text.push_str(word);
                }
                Some(Token::Quoted(name)) => {
                    text.push('"');
                    text.push_str(&name.replace('"', "\"\""));
                    text.push('"');
                }
                Some(Token::Mark('.')) if !text.is_empty() => text.push('.'),
                // a modifier: numeric(6,2)
                Some(Token::Mark('(')) if !text.is_empty() => {
                    text.push('(');
                    self.at += 1;
                    while let Some(Token::Number(_) | Token::Mark(',') | Token::Operator("-")) = self.peek() {
                        self.at += 1;
                    }
                    if self.peek() != Some(&Token::Mark(')')) {
                        return None;
                    }
                    text.push(')');
                }
                Some(Token::Mark('[')) if !text.is_empty() => {
                    self.at += 1;
                    if self.peek() != Some(&Token::Mark(']')) {
                        return None;
                    }
                    text.push_str("[]");
                }
                _ => break,
            }
            self.at += 1;
        }
        (!text.is_empty()).then_some(text)
    }
}
