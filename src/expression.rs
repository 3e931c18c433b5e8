//! Expressions of CHECK constraints and policies, as `pg_get_expr` writes them (PostgreSQL docs, 9.26.3).
//!
//! That text is canonical: every operator has parentheses around it, names are qualified unless they are in `pg_catalog` (if that
//! is the search path), keywords are in upper case and bare names in lower case. A part that is not understood becomes
//! [`Expression::Opaque`], from one parenthesis to its partner, and the rest keeps its meaning.

/// A SQL expression, as far as it is understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A column, or `VALUE` of a domain's CHECK as the empty name.
    Column(String),
    /// A column with its table, which is how columns are written if there is a sub-select.
    QualifiedColumn(String),
    /// A constant without its casts: a number, or the text of a quoted literal.
    Literal(String),
    True,
    False,
    Null,
    /// The operand, and the type as PostgreSQL spells it.
    Cast(Box<Expression>, String),
    /// A function of `pg_catalog`; also `NULLIF`, `GREATEST` and `LEAST`.
    Call(String, Vec<Expression>),
    /// A function of another schema. Its name is kept as written.
    QualifiedCall(String, Vec<Expression>),
    /// `CURRENT_USER` and its like.
    Session(String),
    Coalesce(Vec<Expression>),
    Case(Box<Case>),
    Row(Vec<Expression>),
    /// A part of a value: an element or a field.
    Part(Box<Expression>),
    Array(Vec<Expression>),
    /// Left operand, operator of `pg_catalog`, right operand.
    Operator(Box<Expression>, String, Box<Expression>),
    /// `left operator ANY (array)`
    Any(Box<Expression>, String, Box<Expression>),
    /// `left operator ALL (array)`
    All(Box<Expression>, String, Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    IsNull(Box<Expression>),
    IsNotNull(Box<Expression>),
    /// `IS TRUE`, `IS FALSE`, or for null `IS UNKNOWN`.
    Is(Box<Expression>, Option<bool>),
    IsDistinct(Box<Expression>, Box<Expression>),
    /// A sub-select as a value.
    SubSelect(Box<Select>),
    Exists(Box<Select>),
    In(Box<Expression>, Box<Select>),
    ArrayOf(Box<Select>),
    /// Anything else: a text that identifies it, and the functions in it with a schema in their name, and `current_setting`.
    Opaque {
        text: String,
        functions: Vec<String>,
    },
}

impl Expression {
    /// Its direct parts.
    pub fn parts(&self) -> Vec<&Expression> {
        use Expression::*;
        match self {
            Column(_) | QualifiedColumn(_) | Literal(_) | True | False | Null | Session(_) | Opaque { .. } => {
                Vec::new()
            }
            Cast(operand, _) | Part(operand) | Not(operand) | IsNull(operand) | IsNotNull(operand) | Is(operand, _) => {
                vec![operand]
            }
            Call(_, items)
            | QualifiedCall(_, items)
            | Coalesce(items)
            | Row(items)
            | Array(items)
            | And(items)
            | Or(items) => items.iter().collect(),
            Operator(left, _, right) | Any(left, _, right) | All(left, _, right) | IsDistinct(left, right) => {
                vec![left, right]
            }
            Case(case) => {
                let branches = case.branches.iter().flat_map(|(condition, result)| [condition, result]);
                case.operand.iter().chain(branches).chain([&case.default]).collect()
            }
            SubSelect(select) | Exists(select) | ArrayOf(select) => select.parts(),
            In(left, select) => std::iter::once(&**left).chain(select.parts()).collect(),
        }
    }
}

impl Select {
    fn parts(&self) -> Vec<&Expression> {
        self.columns.iter().chain(&self.tables).chain(&self.condition).collect()
    }
}

/// `CASE operand WHEN ... THEN ... ELSE ... END`
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub operand: Option<Expression>,
    pub branches: Vec<(Expression, Expression)>,
    pub default: Expression,
}

/// `SELECT columns FROM tables WHERE condition`
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    pub columns: Vec<Expression>,
    /// What is read, in the form of [`Expression::Opaque`].
    pub tables: Option<Expression>,
    pub condition: Option<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
enum Token<'a> {
    /// A bare name in lower case: a column, function, type, or constant.
    Name(&'a str),
    /// A quoted name, without its quotes.
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
    let Some(tokens) = tokens(text) else { return Expression::Opaque { text: text.to_owned(), functions: Vec::new() } };
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    match parser.inside() {
        Some(expression) if parser.at == tokens.len() => expression,
        _ => parser.opaque(0, tokens.len()),
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

/// The length of the digits, the fraction and the exponent at the start of `text`.
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

/// The quoted text at the start of `text`, and its length including quotes. A doubled quote stands for one.
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

/// Names joined by dots, as they were written.
fn spelling(tokens: &[Token]) -> String {
    let one = |token: &Token| match token {
        Token::Name(name) => (*name).to_owned(),
        Token::Quoted(name) => format!("\"{}\"", name.replace('"', "\"\"")),
        Token::Mark(mark) => mark.to_string(),
        _ => String::new(),
    };
    tokens.iter().map(one).collect()
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

    /// The contents of a pair of parentheses: operands, with what joins them.
    fn inside(&mut self) -> Option<Expression> {
        if self.keyword("NOT") {
            return Some(Expression::Not(Box::new(self.operand()?)));
        }
        if let Some(Token::Keyword("SELECT")) = self.peek() {
            return Some(Expression::SubSelect(Box::new(self.select()?)));
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
                self.is(Box::new(left))
            }
            Some(Token::Keyword("IN")) => {
                self.at += 1;
                self.mark('(')?;
                let select = self.select()?;
                self.mark(')')?;
                Some(Expression::In(Box::new(left), Box::new(select)))
            }
            Some(Token::Operator(operator)) => {
                self.at += 1;
                let left = Box::new(left);
                if self.keyword("ANY") {
                    let array = Box::new(self.operand()?);
                    return Some(Expression::Any(left, (*operator).to_owned(), array));
                }
                if self.keyword("ALL") {
                    let array = Box::new(self.operand()?);
                    return Some(Expression::All(left, (*operator).to_owned(), array));
                }
                Some(Expression::Operator(left, (*operator).to_owned(), Box::new(self.operand()?)))
            }
            Some(Token::Mark(',')) => {
                let mut items = vec![left];
                while self.mark(',').is_some() {
                    items.push(self.operand()?);
                }
                Some(Expression::Row(items))
            }
            _ => Some(left),
        }
    }

    /// After `IS`.
    fn is(&mut self, left: Box<Expression>) -> Option<Expression> {
        let negated = self.keyword("NOT");
        let Some(Token::Keyword(word)) = self.next() else { return None };
        let is = match (*word, negated) {
            ("NULL", false) => return Some(Expression::IsNull(left)),
            ("NULL", true) => return Some(Expression::IsNotNull(left)),
            ("TRUE", _) => Expression::Is(left, Some(true)),
            ("FALSE", _) => Expression::Is(left, Some(false)),
            ("UNKNOWN", _) => Expression::Is(left, None),
            ("DISTINCT", _) if self.keyword("FROM") => Expression::IsDistinct(left, Box::new(self.operand()?)),
            _ => return None,
        };
        Some(if negated { Expression::Not(Box::new(is)) } else { is })
    }

    /// Something in parentheses, or something that needs none, with its casts.
    fn operand(&mut self) -> Option<Expression> {
        if self.depth == crate::limits::EXPRESSION_DEPTH {
            return None;
        }
        self.depth += 1;
        let operand = self.suffixed();
        self.depth -= 1;
        operand
    }

    fn suffixed(&mut self) -> Option<Expression> {
        let mut operand = self.primary()?;
        loop {
            operand = if self.takes(&Token::Cast) {
                Expression::Cast(Box::new(operand), self.data_type()?)
            } else if self.mark('[').is_some() {
                // Which element an index or a slice selects is ignored.
                self.skip('[', ']')?;
                Expression::Part(Box::new(operand))
            } else if matches!(operand, Expression::Column(_) | Expression::QualifiedColumn(_)) {
                return Some(operand);
            } else if self.mark('.').is_some() {
                self.next()?;
                Expression::Part(Box::new(operand))
            } else {
                return Some(operand);
            }
        }
    }

    fn primary(&mut self) -> Option<Expression> {
        let start = self.at;
        match self.next()? {
            Token::Mark('(') => self.parenthesised(),
            Token::Number(digits) => Some(Expression::Literal((*digits).to_owned())),
            Token::Text(text) => Some(Expression::Literal(text.clone())),
            Token::Keyword(word) => self.special(word, start),
            Token::Name("true") => Some(Expression::True),
            Token::Name("false") => Some(Expression::False),
            Token::Name(name) => self.named((*name).to_owned(), start),
            Token::Quoted(name) => self.named(name.clone(), start),
            _ => None,
        }
    }

    /// An expression that begins with a keyword.
    fn special(&mut self, word: &str, start: usize) -> Option<Expression> {
        match word {
            "NULL" => Some(Expression::Null),
            "VALUE" => Some(Expression::Column(String::new())),
            "ARRAY" if self.mark('[').is_some() => Some(Expression::Array(self.list(']')?)),
            "ARRAY" => Some(Expression::ArrayOf(Box::new(self.sub_select()?))),
            "EXISTS" => Some(Expression::Exists(Box::new(self.sub_select()?))),
            "COALESCE" => {
                self.mark('(')?;
                Some(Expression::Coalesce(self.list(')')?))
            }
            "NULLIF" | "GREATEST" | "LEAST" => {
                self.mark('(')?;
                Some(Expression::Call(word.to_owned(), self.list(')')?))
            }
            "CASE" => self.case(),
            "ROW" => {
                self.mark('(')?;
                Some(Expression::Row(self.list(')')?))
            }
            "TRIM" => {
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
            _ if self.mark('(').is_some() => {
                self.skip('(', ')')?;
                Some(self.opaque(start, self.at))
            }
            "CURRENT_USER" | "CURRENT_ROLE" | "SESSION_USER" | "USER" | "CURRENT_CATALOG" | "CURRENT_SCHEMA"
            | "CURRENT_DATE" | "CURRENT_TIME" | "CURRENT_TIMESTAMP" | "LOCALTIME" | "LOCALTIMESTAMP" => {
                Some(Expression::Session(word.to_owned()))
            }
            _ => None,
        }
    }

    fn case(&mut self) -> Option<Expression> {
        let operand = match self.peek() {
            Some(Token::Keyword("WHEN")) => None,
            _ => Some(self.operand()?),
        };
        let mut branches = Vec::new();
        while self.keyword("WHEN") {
            let condition = self.operand()?;
            if !self.keyword("THEN") {
                return None;
            }
            branches.push((condition, self.operand()?));
        }
        let default = if self.keyword("ELSE") { self.operand()? } else { Expression::Null };
        self.keyword("END").then(|| Expression::Case(Box::new(Case { operand, branches, default })))
    }

    /// A sub-select in parentheses.
    fn sub_select(&mut self) -> Option<Select> {
        self.mark('(')?;
        let select = self.select()?;
        self.mark(')')?;
        Some(select)
    }

    /// `SELECT` up to the parenthesis that ends it; `None` if it has more than columns, tables and a condition.
    fn select(&mut self) -> Option<Select> {
        if !self.keyword("SELECT") {
            return None;
        }
        let mut select = Select { columns: Vec::new(), tables: None, condition: None };
        while !matches!(self.peek()?, Token::Mark(')') | Token::Keyword("FROM" | "WHERE")) {
            if self.mark(',').is_some() {
                continue;
            }
            select.columns.push(self.operand()?);
            if self.keyword("AS") {
                self.next()?;
            }
        }
        if self.keyword("FROM") {
            let start = self.at;
            while !matches!(self.peek()?, Token::Mark(')') | Token::Keyword("WHERE")) {
                match self.next()? {
                    Token::Mark('(') => self.skip('(', ')')?,
                    Token::Keyword(
                        "GROUP" | "HAVING" | "WINDOW" | "UNION" | "INTERSECT" | "EXCEPT" | "LIMIT" | "OFFSET",
                    ) => {
                        return None;
                    }
                    _ => {}
                }
            }
            select.tables = Some(self.opaque(start, self.at));
        }
        if self.keyword("WHERE") {
            select.condition = Some(self.operand()?);
        }
        (self.peek() == Some(&Token::Mark(')'))).then_some(select)
    }

    /// An expression that begins with a name: a column or a function, optionally with a table or schema.
    fn named(&mut self, name: String, start: usize) -> Option<Expression> {
        let mut qualified = false;
        while self.mark('.').is_some() {
            qualified = true;
            if !matches!(self.next()?, Token::Name(_) | Token::Quoted(_)) {
                return None;
            }
        }
        let spelt = if qualified { spelling(self.tokens.get(start..self.at)?) } else { name };
        Some(match (self.mark('(').is_some(), qualified) {
            (true, false) => Expression::Call(spelt, self.list(')')?),
            (true, true) => Expression::QualifiedCall(spelt, self.list(')')?),
            (false, false) => Expression::Column(spelt),
            (false, true) => Expression::QualifiedColumn(spelt),
        })
    }

    /// Skips to behind the closing mark that matches an open one.
    fn skip(&mut self, opens: char, closes: char) -> Option<()> {
        let mut open = 1;
        while open > 0 {
            match self.next()? {
                Token::Mark(mark) if *mark == opens => open += 1,
                Token::Mark(mark) if *mark == closes => open -= 1,
                _ => {}
            }
        }
        Some(())
    }

    /// These tokens as an expression that is not understood.
    fn opaque(&self, start: usize, end: usize) -> Expression {
        let tokens = self.tokens.get(start..end).unwrap_or_default();
        let mut functions = Vec::new();
        for (i, token) in tokens.iter().enumerate() {
            if *token != Token::Mark('(') {
                continue;
            }
            let named = tokens.get(..i).unwrap_or_default();
            let is_name = |t: &Token| matches!(t, Token::Name(_) | Token::Quoted(_));
            let name = match named {
                [.., schema, Token::Mark('.'), function] if is_name(schema) && is_name(function) => {
                    spelling(named.get(i - 3..).unwrap_or_default())
                }
                [.., Token::Name("current_setting")] => "current_setting".to_owned(),
                _ => continue,
            };
            if !functions.contains(&name) {
                functions.push(name);
            }
        }
        Expression::Opaque { text: format!("{tokens:?}"), functions }
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

    /// Reads what follows an opening parenthesis. The result is [`Expression::Opaque`] if it is not understood.
    fn parenthesised(&mut self) -> Option<Expression> {
        let start = self.at;
        let inside = self.inside();
        if inside.is_some() && self.mark(')').is_some() {
            return inside;
        }
        self.at = start;
        self.skip('(', ')')?;
        Some(self.opaque(start, self.at))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Box<Expression> {
        Box::new(Expression::Column(name.to_owned()))
    }

    fn call(name: &str) -> Expression {
        Expression::QualifiedCall(name.to_owned(), Vec::new())
    }

    fn one(expression: Expression) -> Box<Select> {
        Box::new(Select { columns: vec![expression], tables: None, condition: None })
    }

    #[test]
    fn what_policies_say_is_read() {
        assert_eq!(
            parse("(owner = ( SELECT restful.uid() AS uid))"),
            Expression::Operator(
                column("owner"),
                "=".to_owned(),
                Box::new(Expression::SubSelect(one(call("restful.uid"))))
            )
        );
        assert_eq!(
            parse("((owner IS DISTINCT FROM \"My s\".uid()) IS NOT TRUE)"),
            Expression::Not(Box::new(Expression::Is(
                Box::new(Expression::IsDistinct(column("owner"), Box::new(call("\"My s\".uid")))),
                Some(true)
            )))
        );
        assert_eq!(
            parse("CASE a\n    WHEN 1 THEN b\n    ELSE false\nEND"),
            Expression::Case(Box::new(Case {
                operand: Some(*column("a")),
                branches: vec![(Expression::Literal("1".to_owned()), *column("b"))],
                default: Expression::False,
            }))
        );
        assert_eq!(parse("COALESCE(a, true)"), Expression::Coalesce(vec![*column("a"), Expression::True]));
        assert_eq!(parse("(a IN ( SELECT s.f() AS f))"), Expression::In(column("a"), one(call("s.f"))));
        assert_eq!(parse("((a)[1] IS NULL)"), Expression::IsNull(Box::new(Expression::Part(column("a")))));
        assert_eq!(parse("EXISTS ( SELECT 1)"), Expression::Exists(one(Expression::Literal("1".to_owned()))));
    }

    #[test]
    fn a_sub_select_has_its_condition() {
        let Expression::Exists(select) = parse(
            "(EXISTS ( SELECT 1\n   FROM (members m\n     JOIN s.teams t ON ((t.id = m.team)))\n  WHERE (m.member = s.me())))",
        ) else {
            panic!("it is not read as EXISTS")
        };
        assert!(matches!(select.tables, Some(Expression::Opaque { .. })));
        assert_eq!(
            select.condition,
            Some(Expression::Operator(
                Box::new(Expression::QualifiedColumn("m.member".to_owned())),
                "=".to_owned(),
                Box::new(call("s.me"))
            ))
        );
    }

    #[test]
    fn what_is_not_understood_names_its_functions() {
        for text in [
            "(EXISTS ( SELECT 1 FROM t GROUP BY s.f()))",
            "(a = XMLPARSE(DOCUMENT s.f()))",
            "(a ~ ANY VALUES s.f())",
            "(s.f() NOT LIKE 'a')",
        ] {
            let names = |expression: &Expression| match expression {
                Expression::Opaque { functions, .. } => functions.clone(),
                _ => Vec::new(),
            };
            let parsed = parse(text);
            let found = match &parsed {
                Expression::Exists(_) => panic!("{text} is no plain sub-select"),
                Expression::Operator(_, _, right) => names(right),
                other => names(other),
            };
            assert_eq!(found, ["s.f"], "{text}: {parsed:?}");
        }
    }

    #[test]
    fn no_depth_overflows() {
        for (open, close) in
            [("(", ")"), ("f(", ")"), ("(NOT ", ")"), ("ARRAY[", "]"), ("( SELECT ", ")"), ("COALESCE(", ")")]
        {
            let text = format!("{}a{}", open.repeat(100_000), close.repeat(100_000));
            let _ = parse(&text);
        }
    }
}
