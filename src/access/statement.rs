//! The statement in question, as far as it determines which policies and privileges count.

use super::Command;

/// A command with the clauses that read: ON CONFLICT of INSERT, and RETURNING.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub command: Command,
    pub conflict: Option<OnConflict>,
    pub returning: Option<Returned>,
}

/// `ON CONFLICT`
#[derive(Clone, Debug, PartialEq)]
pub enum OnConflict {
    /// `DO NOTHING`, with the columns of the conflict target, if it has one.
    Nothing { target: Option<Vec<String>> },
    /// `DO UPDATE`. Without columns, the primary key is the conflict target.
    Update { target: Option<Vec<String>> },
}

/// `RETURNING`
#[derive(Clone, Debug, PartialEq)]
pub enum Returned {
    /// The columns that the role may read.
    Unsaid,
    All,
    Columns(Vec<String>),
}

impl Statement {
    /// A statement without clauses.
    pub fn of(command: Command) -> Self {
        Statement { command, conflict: None, returning: None }
    }

    /// Parses a command and its clauses without expressions: `INSERT ON CONFLICT (id) DO UPDATE RETURNING title`, `update`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = Words(text);
        let mut statement = Statement::of(Command::parse(words.word()?)?);
        if statement.command == Command::Insert && words.takes("on") {
            words.takes("conflict").then_some(())?;
            let target = words.list();
            words.takes("do").then_some(())?;
            statement.conflict = Some(match words.word()?.to_ascii_lowercase().as_str() {
                "nothing" => OnConflict::Nothing { target },
                "update" => OnConflict::Update { target },
                _ => return None,
            });
        }
        if statement.command != Command::Select && words.takes("returning") {
            statement.returning = Some(match words.rest() {
                "" => Returned::Unsaid,
                "*" => Returned::All,
                columns => Returned::Columns(names(columns)?),
            });
            return Some(statement);
        }
        words.rest().is_empty().then_some(statement)
    }

    /// Whether INSERT needs the privilege to read, so that the new row must pass the policies for SELECT.
    pub fn reads(&self) -> bool {
        let compares = !matches!(&self.conflict, None | Some(OnConflict::Nothing { target: None }));
        self.returning.is_some() || compares
    }

    /// The statement in SQL's words.
    pub fn name(&self) -> String {
        let mut name = self.command.as_str().to_owned();
        match &self.conflict {
            Some(OnConflict::Nothing { .. }) => name.push_str(" ON CONFLICT DO NOTHING"),
            Some(OnConflict::Update { .. }) => name.push_str(" ON CONFLICT DO UPDATE"),
            None => {}
        }
        if self.returning.is_some() {
            name.push_str(" RETURNING");
        }
        name
    }
}

/// The rest of a text that has not been read yet.
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    fn rest(&self) -> &'a str {
        self.0.trim()
    }

    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let word = rest.get(..end).filter(|word| !word.is_empty())?;
        self.0 = rest.get(end..)?;
        Some(word)
    }

    fn takes(&mut self, word: &str) -> bool {
        let before = self.0;
        let is_next = self.word().is_some_and(|next| next.eq_ignore_ascii_case(word));
        if !is_next {
            self.0 = before;
        }
        is_next
    }

    /// Names in parentheses.
    fn list(&mut self) -> Option<Vec<String>> {
        let inside = self.rest().strip_prefix('(')?;
        let mut quoted = false;
        let end = inside.find(|c| {
            quoted ^= c == '"';
            c == ')' && !quoted
        })?;
        let list = names(inside.get(..end)?)?;
        self.0 = inside.get(end + 1..)?;
        Some(list)
    }
}

/// Names separated by commas, as SQL reads them: folded to lower case unless quoted.
fn names(list: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = list.trim();
    loop {
        let end = match rest.strip_prefix('"') {
            Some(inside) => {
                let mut characters = inside.char_indices().peekable();
                let mut name = String::new();
                let end = loop {
                    match characters.next()? {
                        (_, '"') if characters.next_if(|(_, c)| *c == '"').is_some() => name.push('"'),
                        (i, '"') => break i + 2,
                        (_, c) => name.push(c),
                    }
                };
                names.push(name);
                end
            }
            None => {
                let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                names.push(rest.get(..end).filter(|name| !name.is_empty())?.to_lowercase());
                end
            }
        };
        rest = rest.get(end..)?.trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => return rest.is_empty().then_some(names),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_read_in_any_case() {
        let columns = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(Statement::parse(" select "), Some(Statement::of(Command::Select)));
        assert_eq!(
            Statement::parse("Insert on\n conflict ( ID, \"A \"\"b\"\", c)\" ) do update returning *"),
            Some(Statement {
                command: Command::Insert,
                conflict: Some(OnConflict::Update { target: Some(columns(&["id", "A \"b\", c)"])) }),
                returning: Some(Returned::All),
            })
        );
        assert_eq!(
            Statement::parse("INSERT ON CONFLICT DO NOTHING RETURNING id, title"),
            Some(Statement {
                command: Command::Insert,
                conflict: Some(OnConflict::Nothing { target: None }),
                returning: Some(Returned::Columns(columns(&["id", "title"]))),
            })
        );
        assert_eq!(Statement::parse("update returning").map(|s| s.name()), Some("UPDATE RETURNING".to_owned()));
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        for text in [
            "",
            "upsert",
            "select returning",
            "insert on",
            "insert on conflict",
            "insert on conflict do",
            "insert on conflict do delete",
            "insert on conflict () do nothing",
            "insert on conflict (a,) do nothing",
            "insert on conflict (a do nothing",
            "insert on conflict (\"a) do nothing",
            "update on conflict do nothing",
            "insert into t",
            "insert returning a b",
            "insert returning ,",
            "insert returning \"a",
            "delete ;",
            "é",
        ] {
            assert_eq!(Statement::parse(text), None, "{text}");
        }
    }
}
