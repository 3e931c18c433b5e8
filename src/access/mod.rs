//! Why a role can or cannot read or write a row: the facts from the catalogue, and the verdict.
//!
//! The rules are those of PostgreSQL's rowsecurity.c (PostgreSQL docs, 5.9 and CREATE POLICY): permissive policies are joined by
//! OR, restrictive ones by AND. UPDATE and DELETE of a row that is named by its key must also be able to read it. INSERT must be
//! able to read a row that it returns, or that it compares with others for ON CONFLICT.

mod document;
pub mod expression;
mod report;
mod statement;

pub use document::document;
pub use report::{Report, Verdict};
pub use statement::{OnConflict, Returned, Statement};

use serde::Deserialize;

/// A command on rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Select,
    Insert,
    Update,
    Delete,
}

impl Command {
    /// The command with this name, in upper or lower case.
    pub fn parse(name: &str) -> Option<Self> {
        [Command::Select, Command::Insert, Command::Update, Command::Delete]
            .into_iter()
            .find(|c| c.as_str().eq_ignore_ascii_case(name))
    }

    /// Its name, in capitals.
    pub fn as_str(self) -> &'static str {
        match self {
            Command::Select => "SELECT",
            Command::Insert => "INSERT",
            Command::Update => "UPDATE",
            Command::Delete => "DELETE",
        }
    }
}

/// The catalogue's facts about a relation and about a role that would run a command on it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Facts {
    pub schema: String,
    pub name: String,
    /// As PostgreSQL writes it, quoted where needed.
    pub relation: String,
    /// `pg_class.reltype`
    pub row_type: u32,
    /// `table`, `view`, `materialized view`, `foreign table`
    pub kind: String,
    pub owner: String,
    pub row_security: bool,
    pub forced: bool,
    /// For a view: it reads its tables with the privileges of the caller.
    pub invoker: bool,
    /// Partitioned tables above it that have row-level security. It is not applied if the partition is read by its own name.
    pub protected_parents: Vec<String>,
    /// Whether the current user, not the role, is subject to row-level security here.
    pub active_for_caller: bool,
    pub role: String,
    pub superuser: bool,
    pub bypasses: bool,
    /// The role is the owner, or inherits the owner's privileges.
    pub owns: bool,
    pub schema_usage: bool,
    /// The command's privilege on the whole table.
    pub privilege: bool,
    pub columns: Vec<Column>,
    pub primary_key: Vec<String>,
    pub policies: Vec<Policy>,
}

/// A column.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Column {
    pub name: String,
    /// Its type; for a domain, the base type.
    pub base_type: String,
    /// Reading a value of that type does not run a user's code.
    pub is_plain: bool,
    /// The command's privilege on it. DELETE has no privileges on columns.
    pub granted: bool,
    /// SELECT on it.
    pub readable: bool,
    /// UPDATE on it.
    pub updatable: bool,
    /// The expression of its default, or the one that generates it.
    pub expression: Option<String>,
    /// Reading the literals in that expression does not run a user's code.
    pub has_plain_literals: bool,
    pub generated: bool,
}

/// A policy.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Policy {
    pub name: String,
    pub permissive: bool,
    /// `ALL`, `SELECT` or another command.
    pub command: String,
    pub roles: Vec<String>,
    /// The role is one of the policy's roles, or inherits from one.
    pub applies: bool,
    /// Reading the literals in its expressions does not run a user's code.
    pub has_plain_literals: bool,
    pub using: Option<String>,
    pub check: Option<String>,
}

impl Policy {
    /// Whether it applies to the role and the command.
    pub fn concerns(&self, command: Command) -> bool {
        self.applies && (self.command == "ALL" || self.command == command.as_str())
    }

    /// The expression for rows that are written.
    pub fn new_rows(&self) -> Option<&str> {
        self.check.as_deref().or(self.using.as_deref())
    }
}

/// Whether row-level security applies, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSecurity {
    Applies,
    Disabled,
    Superuser,
    BypassRls,
    Owner,
    /// Views and foreign tables do not have row-level security.
    NoTable,
}

impl Facts {
    /// Follows PostgreSQL's check_enable_rls.
    pub fn row_security(&self) -> RowSecurity {
        if self.kind != "table" {
            RowSecurity::NoTable
        } else if !self.row_security {
            RowSecurity::Disabled
        } else if self.superuser {
            RowSecurity::Superuser
        } else if self.bypasses {
            RowSecurity::BypassRls
        } else if self.owns && !self.forced {
            RowSecurity::Owner
        } else {
            RowSecurity::Applies
        }
    }
}

/// The row on which an expression is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The row in the table.
    Stored,
    /// The row that would be written.
    Proposed,
    /// The row in the table as ON CONFLICT DO UPDATE would change it.
    Merged,
}

/// The result of an expression for a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    True,
    False,
    Null,
    /// SQLSTATE and message.
    Error(String, String),
    /// It depends on a row that is unknown, or must not be disclosed.
    Open,
}

impl Value {
    /// `true`, `false`, `null`, `error` or `open`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Value::True => "true",
            Value::False => "false",
            Value::Null => "null",
            Value::Error(..) => "error",
            Value::Open => "open",
        }
    }
}

/// An expression with its value. If it is an AND or OR, its operands are evaluated too.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    pub expression: String,
    pub value: Value,
    pub parts: Vec<Evaluation>,
}

impl Evaluation {
    /// The smallest part that kept the whole from being true, if a single part did.
    fn culprit(&self) -> &Evaluation {
        let mut failing = self.parts.iter().filter(|part| part.value != Value::True);
        match (failing.next(), failing.next()) {
            (Some(part), None) => part.culprit(),
            _ => self,
        }
    }
}

/// A policy that applies to a step.
#[derive(Clone, Debug, PartialEq)]
pub struct AppliedPolicy {
    pub policy: String,
    pub permissive: bool,
    pub roles: Vec<String>,
    /// `USING` or `WITH CHECK`
    pub clause: &'static str,
    pub evaluated: Evaluation,
}

/// One decision of the policies for a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The command whose policies decide.
    pub command: Command,
    pub subject: Subject,
    /// A row that fails is an error, and not just left out.
    pub is_check: bool,
    /// It decides about the command itself, and not only about what RETURNING needs.
    pub decides: bool,
    pub applied: Vec<AppliedPolicy>,
}

/// The result of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Passage<'a> {
    /// These permissive policies are true.
    Passes(Vec<&'a str>),
    /// This restrictive policy is not true.
    Restricted(&'a AppliedPolicy),
    /// No permissive policy is true.
    NonePermits,
    /// A policy raises an error.
    Raises(&'a AppliedPolicy),
    /// It depends on the row.
    Open,
}

impl Step {
    /// The result of the step.
    ///
    /// PostgreSQL evaluates policies in no guaranteed order, so an error counts wherever it occurs.
    pub fn passage(&self) -> Passage<'_> {
        let value = |a: &AppliedPolicy| a.evaluated.value.clone();
        if let Some(raising) = self.applied.iter().find(|a| matches!(value(a), Value::Error(..))) {
            return Passage::Raises(raising);
        }
        let fails = |a: &&AppliedPolicy| matches!(value(a), Value::False | Value::Null);
        if let Some(restricting) = self.applied.iter().filter(|a| !a.permissive).find(fails) {
            return Passage::Restricted(restricting);
        }
        let permissive = || self.applied.iter().filter(|a| a.permissive);
        if permissive().all(|a| fails(&a)) {
            return Passage::NonePermits;
        }
        let permitting: Vec<&str> =
            permissive().filter(|a| value(a) == Value::True).map(|a| a.policy.as_str()).collect();
        if permitting.is_empty() || self.applied.iter().any(|a| !a.permissive && value(a) == Value::Open) {
            Passage::Open
        } else {
            Passage::Passes(permitting)
        }
    }
}

/// The steps of a statement, with their expressions evaluated by `evaluate`.
///
/// `has_proposed`: a row is to be written; `has_stored`: ON CONFLICT finds a row with its key.
pub fn steps(
    facts: &Facts,
    statement: &Statement,
    has_proposed: bool,
    has_stored: bool,
    mut evaluate: impl FnMut(&Policy, &str, Subject) -> Evaluation,
) -> Vec<Step> {
    use Command::{Delete, Insert, Select, Update};
    use Subject::{Merged, Proposed, Stored};
    let command = statement.command;
    let asked = |command, subject, is_check, decides| (command, subject, is_check, decides);
    let mut found = match command {
        Select => vec![asked(Select, Stored, false, true)],
        Delete | Update => vec![asked(Select, Stored, false, true), asked(command, Stored, false, true)],
        Insert => vec![asked(Insert, Proposed, true, true), asked(Select, Proposed, true, statement.reads())],
    };
    if command == Update && has_proposed {
        found.extend([asked(Update, Proposed, true, true), asked(Select, Proposed, true, true)]);
    }
    if matches!(statement.conflict, Some(OnConflict::Update { .. })) && has_stored {
        found.extend([asked(Update, Stored, true, true), asked(Select, Stored, true, true)]);
        found.extend([asked(Update, Merged, true, true), asked(Select, Merged, true, true)]);
    }
    let step = |(command, subject, is_check, decides): (Command, Subject, bool, bool)| Step {
        command,
        subject,
        is_check,
        decides,
        applied: facts
            .policies
            .iter()
            .filter(|p| p.concerns(command))
            .filter_map(|p| {
                let check = p.check.as_ref().filter(|_| is_check && subject != Stored && command != Select);
                let clause = if check.is_some() { "WITH CHECK" } else { "USING" };
                let expression = check.or(p.using.as_ref())?;
                Some(AppliedPolicy {
                    policy: p.name.clone(),
                    permissive: p.permissive,
                    roles: p.roles.clone(),
                    clause,
                    evaluated: evaluate(p, expression, subject),
                })
            })
            .collect(),
    };
    found.into_iter().map(step).collect()
}

/// What is known about the row with the given key.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// No key was given.
    NotAsked,
    Found,
    /// No such row exists.
    Absent,
    /// The caller does not see it: it is hidden from them, or does not exist.
    NotSeen,
    /// The caller may not read the table.
    NotReadable(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, permissive: bool, command: &str, using: Option<&str>, check: Option<&str>) -> Policy {
        Policy {
            name: name.into(),
            permissive,
            command: command.into(),
            roles: vec!["public".into()],
            applies: true,
            has_plain_literals: true,
            using: using.map(str::to_owned),
            check: check.map(str::to_owned),
        }
    }

    fn evaluate(_: &Policy, expression: &str, _: Subject) -> Evaluation {
        let value = match expression {
            "t" => Value::True,
            "f" => Value::False,
            "n" => Value::Null,
            "o" => Value::Open,
            _ => Value::Error("22012".into(), "division by zero".into()),
        };
        Evaluation { expression: expression.into(), value, parts: Vec::new() }
    }

    fn passage(policies: Vec<Policy>, command: Command) -> String {
        passage_of(policies, command.as_str())
    }

    fn passage_of(policies: Vec<Policy>, statement: &str) -> String {
        let facts = Facts { policies, ..Facts::default() };
        let statement = Statement::parse(statement).unwrap();
        let steps = steps(&facts, &statement, true, true, evaluate);
        steps
            .iter()
            .map(|s| match s.passage() {
                Passage::Passes(by) => format!("passes by {}", by.join("+")),
                Passage::Restricted(a) => format!("restricted by {}", a.policy),
                Passage::NonePermits => "none permits".into(),
                Passage::Raises(a) => format!("{} raises", a.policy),
                Passage::Open => "open".into(),
            })
            .collect::<Vec<_>>()
            .join(", ")
    }

    #[test]
    fn permissive_policies_are_joined_by_or_and_restrictive_ones_by_and() {
        let select = |policies| passage(policies, Command::Select);
        assert_eq!(select(vec![]), "none permits");
        assert_eq!(select(vec![policy("r", false, "ALL", Some("t"), None)]), "none permits");
        let a = policy("a", true, "ALL", Some("t"), None);
        let b = policy("b", true, "SELECT", Some("f"), None);
        assert_eq!(select(vec![a.clone(), b.clone()]), "passes by a");
        assert_eq!(select(vec![a.clone(), policy("r", false, "ALL", Some("n"), None)]), "restricted by r");
        assert_eq!(select(vec![a.clone(), policy("e", true, "ALL", Some("1/0"), None)]), "e raises");
        assert_eq!(select(vec![b, policy("o", true, "ALL", Some("o"), None)]), "open");
        assert_eq!(select(vec![a, policy("o", false, "ALL", Some("o"), None)]), "open");
    }

    #[test]
    fn an_update_has_to_read_the_row_and_what_it_becomes() {
        let policies =
            vec![policy("s", true, "SELECT", Some("t"), None), policy("u", true, "UPDATE", Some("t"), Some("f"))];
        assert_eq!(passage(policies, Command::Update), "passes by s, passes by u, none permits, passes by s");
        let policies = vec![policy("a", true, "ALL", Some("t"), Some("f"))];
        assert_eq!(passage(policies, Command::Update), "passes by a, passes by a, none permits, passes by a");
    }

    #[test]
    fn using_stands_in_for_a_missing_check() {
        assert_eq!(
            passage(vec![policy("a", true, "ALL", Some("t"), None)], Command::Insert),
            "passes by a, passes by a"
        );
        assert_eq!(
            passage(vec![policy("a", true, "INSERT", None, Some("t"))], Command::Insert),
            "passes by a, none permits"
        );
        assert_eq!(passage(vec![policy("a", true, "ALL", None, None)], Command::Select), "none permits");
    }

    #[test]
    fn an_upsert_has_to_read_and_update_the_row_that_is_there() {
        let policies = vec![
            policy("i", true, "INSERT", None, Some("t")),
            policy("s", true, "SELECT", Some("t"), None),
            policy("u", true, "UPDATE", Some("f"), Some("t")),
        ];
        let insert = "passes by i, passes by s";
        assert_eq!(passage_of(policies.clone(), "insert"), insert);
        assert_eq!(passage_of(policies.clone(), "insert on conflict do nothing"), insert);
        assert_eq!(
            passage_of(policies, "insert on conflict do update returning"),
            format!("{insert}, none permits, passes by s, passes by u, passes by s")
        );
    }

    #[test]
    fn an_insert_reads_what_it_returns_or_compares() {
        let decides = |statement: &str| {
            let statement = Statement::parse(statement).unwrap();
            steps(&Facts::default(), &statement, true, false, evaluate).iter().all(|step| step.decides)
        };
        for statement in ["insert", "insert on conflict do nothing"] {
            assert!(!decides(statement), "{statement}");
        }
        for statement in [
            "insert returning",
            "insert on conflict (id) do nothing",
            "insert on conflict do update",
            "insert on conflict do nothing returning",
        ] {
            assert!(decides(statement), "{statement}");
        }
    }

    #[test]
    fn the_failing_operand_is_named_if_it_is_one() {
        let leaf = |e: &str| evaluate(&Policy::default(), e, Subject::Stored);
        let whole = |parts| Evaluation { expression: "whole".into(), value: Value::False, parts };
        assert_eq!(whole(vec![leaf("t"), leaf("f")]).culprit().expression, "f");
        assert_eq!(whole(vec![leaf("n"), leaf("f")]).culprit().expression, "whole");
        assert_eq!(whole(vec![leaf("t"), whole(vec![leaf("t"), leaf("n")])]).culprit().expression, "n");
    }
}
