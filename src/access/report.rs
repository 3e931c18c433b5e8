//! The verdict on a row, as JSON and as lines of text.

use super::{
    AppliedPolicy, Command, Evaluation, Facts, OnConflict, Passage, Returned, RowSecurity, Statement, Step, Stored,
    Subject, Value,
};
use serde_json::{Map, Value as Json, json};

/// Everything that was found out about a command on a row.
pub struct Report<'a> {
    pub facts: &'a Facts,
    pub statement: &'a Statement,
    /// The given key.
    pub key: Option<&'a Json>,
    /// The columns to write and their values.
    pub row: Option<&'a Map<String, Json>>,
    pub stored: Stored,
    pub steps: Vec<Step>,
    /// Why the new row cannot be made: SQLSTATE and message.
    pub unmakeable: Option<(String, String)>,
    /// Columns whose default could not be evaluated without side effects.
    pub without_default: Vec<String>,
    /// What the expressions read from the session, with the values.
    pub readers: Vec<(String, Json)>,
    /// The name of the caller.
    pub caller: String,
}

/// A verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The row is read.
    Visible,
    /// The row is left out.
    Hidden,
    Absent,
    /// The row is written.
    Allowed,
    /// The command changes no row, and raises no error.
    NoRow,
    /// The command raises an error: 42501.
    Denied,
    /// A policy or a value raises another error.
    Error,
    /// The result depends on the row, which was not given.
    Depends,
    /// The result depends on a row that the caller may not see.
    Unknown,
}

impl Verdict {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Visible => "visible",
            Verdict::Hidden => "hidden",
            Verdict::Absent => "absent",
            Verdict::Allowed => "allowed",
            Verdict::NoRow => "no row",
            Verdict::Denied => "denied",
            Verdict::Error => "error",
            Verdict::Depends => "depends",
            Verdict::Unknown => "unknown",
        }
    }
}

impl Report<'_> {
    /// The verdict in one word and in a sentence.
    pub fn verdict(&self) -> (Verdict, String) {
        if let Some(why) = self.without_right() {
            return (Verdict::Denied, format!("denied: {why}"));
        }
        let Facts { relation, kind, owner, role, invoker, .. } = self.facts;
        if kind == "view" {
            let whose = if *invoker {
                format!("as {role} (security_invoker is on)")
            } else {
                format!("as its owner {owner} (security_invoker is off)")
            };
            let why =
                format!("{relation} is a view: it reads its tables {whose}; ask about those tables, as that role");
            return (Verdict::Depends, format!("depends: {why}"));
        }
        if kind != "table" {
            let why = format!("row-level security does not apply to a {kind}; privileges alone decide");
            return (self.done(), format!("{}: {why}", self.done().as_str()));
        }
        let needs_row = self.statement.command != Command::Insert;
        match &self.stored {
            Stored::Absent if needs_row => return (Verdict::Absent, "absent: the row does not exist".to_owned()),
            Stored::NotReadable(why) if needs_row => {
                let sentence = format!("unknown: {} cannot read the row: {why}", self.caller);
                return (Verdict::Unknown, sentence);
            }
            _ => {}
        }
        if let Some((sqlstate, message)) = &self.unmakeable {
            return (Verdict::Error, format!("error: the row cannot be made: {message} ({sqlstate})"));
        }
        let is_open = match self.facts.row_security() {
            RowSecurity::Applies => match self.through_the_steps() {
                Ok(is_open) => is_open,
                Err(verdict) => return verdict,
            },
            _ => false,
        };
        match &self.stored {
            Stored::NotSeen if needs_row => (
                Verdict::Unknown,
                format!(
                    "unknown: {} sees no row with this key: it does not exist, or row-level security hides it",
                    self.caller
                ),
            ),
            _ if is_open && needs_row => {
                (Verdict::Depends, "depends: the policies decide row by row; give the key of a row".to_owned())
            }
            _ if is_open => (Verdict::Depends, "depends: the policies decide row by row; give the new row".to_owned()),
            Stored::NotSeen | Stored::NotReadable(_) => (
                Verdict::Unknown,
                format!(
                    "unknown: {} cannot see whether a row with this key exists; if it does not, the insert is allowed",
                    self.caller
                ),
            ),
            Stored::Found if matches!(self.statement.conflict, Some(OnConflict::Nothing { .. })) => {
                (Verdict::NoRow, "0 rows inserted: a row with this key already exists".to_owned())
            }
            _ => (self.done(), format!("{}: {}", self.done().as_str(), self.why_done())),
        }
    }

    fn done(&self) -> Verdict {
        if self.statement.command == Command::Select { Verdict::Visible } else { Verdict::Allowed }
    }

    /// The SQLSTATE of the error that the command raises.
    pub fn sqlstate(&self) -> Option<&str> {
        let raised = self.steps.iter().filter(|step| step.decides).find_map(|step| match step.passage() {
            Passage::Raises(AppliedPolicy {
                evaluated: Evaluation { value: Value::Error(sqlstate, _), .. }, ..
            }) => Some(sqlstate),
            _ => None,
        });
        raised.or(self.unmakeable.as_ref().map(|(sqlstate, _)| sqlstate)).map(String::as_str)
    }

    /// The missing privilege.
    fn without_right(&self) -> Option<String> {
        let Facts { relation, schema, role, .. } = self.facts;
        let command = self.statement.command.as_str();
        if !self.facts.schema_usage {
            return Some(format!("role {role} has no USAGE on schema {schema}"));
        }
        if !self.facts.privilege && !self.facts.columns.iter().any(|c| c.granted) {
            return Some(format!("role {role} has no {command} privilege on {relation}"));
        }
        self.unwritable_columns().or_else(|| self.unreadable_columns())
    }

    /// The columns of the new row that the role may not write.
    fn unwritable_columns(&self) -> Option<String> {
        let Facts { relation, role, .. } = self.facts;
        let command = self.statement.command.as_str();
        let row = self.row?;
        let given = || self.facts.columns.iter().filter(|c| row.contains_key(&c.name));
        let refused: Vec<&super::Column> = given().filter(|c| !c.granted && !self.facts.privilege).collect();
        if !refused.is_empty() {
            let is_preset = |c: &super::Column| c.expression.as_ref().is_some_and(|e| e.starts_with("restful.preset("));
            let presets = names(refused.iter().copied().filter(|c| is_preset(c)));
            let filled_in =
                if presets.is_empty() { String::new() } else { format!("; the database fills in {presets}") };
            let columns = names(refused.into_iter());
            return Some(format!("role {role} may not {command} these columns of {relation}: {columns}{filled_in}"));
        }
        if !matches!(self.statement.conflict, Some(OnConflict::Update { .. })) {
            return None;
        }
        let refused = names(given().filter(|c| !c.updatable));
        (!refused.is_empty())
            .then(|| format!("role {role} may not UPDATE these columns of {relation}, which DO UPDATE sets: {refused}"))
    }

    /// The columns that the statement reads and the role may not read.
    fn unreadable_columns(&self) -> Option<String> {
        let relation = &self.facts.relation;
        let columns = || self.facts.columns.iter();
        let unreadable = |wanted: &dyn Fn(&str) -> bool| -> Option<String> {
            let refused = names(columns().filter(|c| wanted(&c.name) && !c.readable));
            (!refused.is_empty()).then_some(refused)
        };
        let compared = match &self.statement.conflict {
            Some(OnConflict::Update { target } | OnConflict::Nothing { target: target @ Some(_) }) => {
                target.as_deref().unwrap_or(&self.facts.primary_key)
            }
            _ => &[],
        };
        if let Some(refused) = unreadable(&|name| compared.iter().any(|c| c == name)) {
            return Some(format!("ON CONFLICT requires SELECT on these columns of {relation}: {refused}"));
        }
        let refused = match &self.statement.returning {
            Some(Returned::Columns(wanted)) => unreadable(&|name| wanted.iter().any(|c| c == name)),
            Some(Returned::All) => unreadable(&|_| true),
            Some(Returned::Unsaid) if !columns().any(|c| c.readable) => Some(names(columns())),
            _ => None,
        };
        if let Some(refused) = refused {
            return Some(format!("RETURNING requires SELECT on these columns of {relation}: {refused}"));
        }
        let key = self.key?;
        unreadable(&|name| self.is_named_by(key, name))
            .map(|refused| format!("naming a row by its key requires SELECT on these columns of {relation}: {refused}"))
    }

    fn is_named_by(&self, key: &Json, column: &str) -> bool {
        match key {
            Json::Object(columns) => columns.contains_key(column),
            _ => self.facts.primary_key.iter().any(|name| name == column),
        }
    }

    /// Whether the result depends on a row that is not there; or the verdict of the failing step.
    fn through_the_steps(&self) -> Result<bool, (Verdict, String)> {
        let mut is_open = false;
        for step in self.steps.iter().filter(|step| step.decides) {
            let why = match step.passage() {
                Passage::Passes(_) => continue,
                Passage::Open => {
                    is_open = true;
                    continue;
                }
                Passage::Raises(applied) => {
                    let Value::Error(sqlstate, message) = &applied.evaluated.value else { continue };
                    return Err((
                        Verdict::Error,
                        format!("error: policy {} raises \"{message}\" ({sqlstate})", applied.policy),
                    ));
                }
                failed => why_not(step, &failed, &self.facts.role),
            };
            // What a hidden row cannot change may be disclosed.
            let sees_none =
                step.subject == Subject::Stored && matches!(self.stored, Stored::NotSeen | Stored::NotAsked);
            let whatever = if sees_none { ", regardless of the row" } else { "" };
            let (outcome, what) = match (self.statement.command, step.is_check) {
                (Command::Select, _) => (Verdict::Hidden, "hidden"),
                (Command::Delete, _) => (Verdict::NoRow, "0 rows deleted"),
                (_, false) => (Verdict::NoRow, "0 rows updated"),
                (Command::Insert, true) => (Verdict::Denied, "insert denied"),
                (_, true) => (Verdict::Denied, "update denied"),
            };
            return Err((outcome, format!("{what}{whatever}: {why}")));
        }
        Ok(is_open)
    }

    fn why_done(&self) -> String {
        let Facts { relation, role, owner, .. } = self.facts;
        match self.facts.row_security() {
            RowSecurity::Applies => {
                let own = self.steps.iter().filter(|s| s.decides && s.command == self.statement.command);
                let mut by: Vec<&str> = Vec::new();
                for step in own {
                    if let Passage::Passes(names) = step.passage() {
                        by.extend(names);
                    }
                }
                by.dedup();
                let mut why = format!("by policy {}", by.join(", "));
                if self.statement.command == Command::Update && self.row.is_none() {
                    why.push_str("; whether the new values are allowed was not checked: give them");
                }
                if let (Some(OnConflict::Update { .. }), Stored::NotAsked) = (&self.statement.conflict, &self.stored) {
                    why.push_str("; whether a conflicting row may be updated was not checked: give its key");
                }
                why
            }
            RowSecurity::Disabled => format!("row-level security is not enabled on {relation}"),
            RowSecurity::Superuser => {
                format!("{role} is a superuser, and row-level security never applies to superusers")
            }
            RowSecurity::BypassRls => format!("{role} has BYPASSRLS"),
            RowSecurity::Owner => {
                if role == owner {
                    format!("{role} owns {relation}, and row-level security is not forced")
                } else {
                    format!("{role} inherits from {owner}, who owns {relation}, and row-level security is not forced")
                }
            }
            RowSecurity::NoTable => "row-level security does not apply".to_owned(),
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Facts { relation, role, .. } = self.facts;
        if !self.facts.privilege && self.statement.command != Command::Delete {
            let names: Vec<&str> = self.facts.columns.iter().filter(|c| c.granted).map(|c| c.name.as_str()).collect();
            if !names.is_empty() {
                notes.push(format!(
                    "{role} may {} only these columns: {}",
                    self.statement.command.as_str(),
                    names.join(", ")
                ));
            }
        }
        for parent in &self.facts.protected_parents {
            notes.push(format!(
                "{relation} is a partition: the policies of {parent} apply only to statements on {parent}"
            ));
        }
        if !self.without_default.is_empty() {
            let columns = self.without_default.join(", ");
            notes.push(format!(
                "assumed to be null, because the default cannot be evaluated without writing: {columns}"
            ));
        }
        for step in self.steps.iter().filter(|step| !step.decides) {
            if matches!(step.passage(), Passage::Restricted(_) | Passage::NonePermits) {
                let why = why_not(step, &step.passage(), role);
                notes.push(format!(
                    "with RETURNING, or with columns to compare for ON CONFLICT, the insert is denied: {why}"
                ));
            }
        }
        notes
    }

    /// What the verdict does not take into account.
    fn not_considered(&self) -> &'static [&'static str] {
        match self.statement.command {
            Command::Select => &[],
            Command::Delete => &["triggers", "foreign keys"],
            Command::Insert if self.statement.conflict.is_none() => {
                &["triggers", "foreign keys", "unique, check and not-null constraints", "ON CONFLICT"]
            }
            Command::Insert | Command::Update => {
                &["triggers", "foreign keys", "unique, check and not-null constraints"]
            }
        }
    }

    fn row_security(&self) -> (bool, String) {
        let why = match self.facts.row_security() {
            RowSecurity::Applies if self.facts.owns => {
                format!("{} owns the table, but row-level security is forced", self.facts.role)
            }
            RowSecurity::Applies => format!("enabled on {}", self.facts.relation),
            _ => self.why_done(),
        };
        (self.facts.row_security() == RowSecurity::Applies, why)
    }

    /// The report as JSON.
    pub fn to_json(&self) -> Json {
        let (outcome, verdict) = self.verdict();
        let (applies, why) = self.row_security();
        let granted: Vec<&str> = self.facts.columns.iter().filter(|c| c.granted).map(|c| c.name.as_str()).collect();
        let others: Vec<Json> = self.others().map(|(policy, roles)| json!({ "policy": policy, "to": roles })).collect();
        json!({
            "relation": self.facts.relation,
            "command": self.statement.name(),
            "role": self.facts.role,
            "key": self.key,
            "row": self.row,
            "outcome": outcome.as_str(),
            "verdict": verdict,
            "privileges": {
                "schema_usage": self.facts.schema_usage,
                "table": self.facts.privilege,
                "columns": if self.statement.command == Command::Delete { Json::Null } else { json!(granted) },
            },
            "row_security": {
                "applies": applies,
                "enabled": self.facts.row_security,
                "forced": self.facts.forced,
                "why": why,
            },
            "steps": self.steps.iter().map(step_json).collect::<Vec<_>>(),
            "policies_for_other_roles": others,
            "readers": self.readers.iter().cloned().collect::<Map<String, Json>>(),
            "notes": self.notes(),
            "not_considered": self.not_considered(),
        })
    }

    /// Policies for the command that apply to other roles.
    fn others(&self) -> impl Iterator<Item = (&str, &[String])> {
        let command = self.statement.command.as_str();
        let counts = self.facts.row_security;
        self.facts
            .policies
            .iter()
            .filter(move |p| counts && !p.applies && (p.command == "ALL" || p.command == command))
            .map(|p| (p.name.as_str(), p.roles.as_slice()))
    }

    /// The report as lines, the verdict first.
    pub fn to_lines(&self) -> Vec<String> {
        let (_, verdict) = self.verdict();
        let Facts { relation, role, schema, .. } = self.facts;
        let mut lines = vec![verdict];
        let yes = |granted| if granted { "yes" } else { "no" };
        lines.push(format!("{} on {relation} as {role}", self.statement.name()));
        let mut rights = format!("  privileges: USAGE on schema {schema}: {}", yes(self.facts.schema_usage));
        rights.push_str(&format!(", {} on the table: {}", self.statement.command.as_str(), yes(self.facts.privilege)));
        lines.push(rights);
        let (applies, why) = self.row_security();
        lines.push(format!("  row-level security: {} ({why})", if applies { "applies" } else { "does not apply" }));
        for step in &self.steps {
            lines.push(format!("  {}: {}", step_title(step), passage_word(&step.passage())));
            if step.applied.is_empty() {
                lines.push("    no policy".to_owned());
            }
            for applied in &step.applied {
                let kind = if applied.permissive { "permissive" } else { "restrictive" };
                let head =
                    format!("    {kind} {} (to {}), {}", applied.policy, applied.roles.join(", "), applied.clause);
                lines.push(head);
                push_evaluated(&mut lines, &applied.evaluated, 6);
            }
        }
        for (policy, roles) in self.others() {
            lines.push(format!("  not for {role}: {policy} (to {})", roles.join(", ")));
        }
        for (reader, value) in &self.readers {
            lines.push(format!("  {reader} is {value}"));
        }
        lines.extend(self.notes().into_iter().map(|note| format!("  note: {note}")));
        if !self.not_considered().is_empty() {
            lines.push(format!("  not considered: {}", self.not_considered().join(", ")));
        }
        lines
    }
}

/// The names of columns, in a list.
fn names<'c>(columns: impl Iterator<Item = &'c super::Column>) -> String {
    columns.map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Why a step fails.
fn why_not(step: &Step, passage: &Passage, role: &str) -> String {
    let command = step.command.as_str();
    let hidden = match (step.is_check, step.subject, step.command) {
        (true, Subject::Proposed, Command::Select) => "the new row could not be read: ",
        (true, Subject::Stored, Command::Select) => "the existing row could not be read: ",
        (true, Subject::Stored, _) => "the existing row may not be updated: ",
        (true, Subject::Merged, Command::Select) => "the updated row could not be read: ",
        (true, Subject::Merged, _) => "the existing row may not be updated to this: ",
        _ => "",
    };
    let because = |a: &AppliedPolicy| {
        let culprit = a.evaluated.culprit();
        format!("{}: {}", culprit.value.as_str(), on_one_line(&culprit.expression))
    };
    let is_written = step.is_check && step.subject != Subject::Stored && step.command != Command::Select;
    let clause =
        |a: &AppliedPolicy| if is_written && a.clause == "USING" { "USING, in place of WITH CHECK," } else { a.clause };
    match passage {
        Passage::Restricted(a) => {
            format!("{hidden}{} of restrictive policy {} is {}", clause(a), a.policy, because(a))
        }
        _ => {
            let permissive: Vec<&AppliedPolicy> = step.applied.iter().filter(|a| a.permissive).collect();
            match (permissive.as_slice(), step.is_check) {
                ([], _) => format!("{hidden}no permissive policy for {command} applies to role {role}"),
                ([a], true) => format!("{hidden}{} of policy {} is {}", clause(a), a.policy, because(a)),
                (all, is_check) => {
                    let row = if is_check { "the new row" } else { "this row" };
                    let each: Vec<String> = all.iter().map(|a| format!("{} is {}", a.policy, because(a))).collect();
                    format!("{hidden}no permissive policy for {command} is true for {row}: {}", each.join("; "))
                }
            }
        }
    }
}

fn step_title(step: &Step) -> String {
    let command = step.command.as_str();
    match (step.is_check, step.decides, step.command) {
        (true, _, Command::Select) if step.subject == Subject::Stored => {
            "to read the existing row, policies for SELECT".to_owned()
        }
        (true, ..) if step.subject == Subject::Stored => {
            format!("to update the existing row, policies for {command}")
        }
        (true, _, Command::Select) if step.subject == Subject::Merged => {
            "to read the updated row, policies for SELECT".to_owned()
        }
        (true, ..) if step.subject == Subject::Merged => format!("to write the updated row, policies for {command}"),
        (true, false, _) => "to return or compare the new row, policies for SELECT".to_owned(),
        (true, true, Command::Select) => "to read the new row, policies for SELECT".to_owned(),
        (true, true, _) => format!("to write the new row, policies for {command}"),
        (false, _, Command::Select) => "to read the row, policies for SELECT".to_owned(),
        (false, ..) => format!("to find the row, policies for {command}"),
    }
}

fn passage_word(passage: &Passage) -> &'static str {
    match passage {
        Passage::Passes(_) => "pass",
        Passage::Restricted(_) | Passage::NonePermits => "fail",
        Passage::Raises(_) => "error",
        Passage::Open => "open",
    }
}

fn step_json(step: &Step) -> Json {
    let policies: Vec<Json> = step
        .applied
        .iter()
        .map(|a| {
            let mut policy = evaluated_json(&a.evaluated);
            if let Some(policy) = policy.as_object_mut() {
                policy.insert("policy".to_owned(), json!(a.policy));
                policy.insert("kind".to_owned(), json!(if a.permissive { "permissive" } else { "restrictive" }));
                policy.insert("to".to_owned(), json!(a.roles));
                policy.insert("clause".to_owned(), json!(a.clause));
            }
            policy
        })
        .collect();
    json!({
        "step": step_title(step),
        "row": match step.subject {
            Subject::Stored => "stored",
            Subject::Proposed => "new",
            Subject::Merged => "merged",
        },
        "result": passage_word(&step.passage()),
        "decides": step.decides,
        "policies": policies,
    })
}

fn evaluated_json(evaluated: &Evaluation) -> Json {
    let mut json = json!({ "expression": evaluated.expression, "result": evaluated.value.as_str() });
    if let Some(object) = json.as_object_mut() {
        if let Value::Error(sqlstate, message) = &evaluated.value {
            object.insert("error".to_owned(), json!({ "code": sqlstate, "message": message }));
        }
        if !evaluated.parts.is_empty() {
            object.insert("parts".to_owned(), evaluated.parts.iter().map(evaluated_json).collect());
        }
    }
    json
}

fn on_one_line(expression: &str) -> String {
    expression.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn push_evaluated(lines: &mut Vec<String>, evaluated: &Evaluation, indent: usize) {
    let expression = on_one_line(&evaluated.expression);
    let value = match &evaluated.value {
        Value::Error(sqlstate, message) => format!("error {sqlstate}, {message}"),
        value => value.as_str().to_owned(),
    };
    lines.push(format!("{:indent$}{expression} → {value}", ""));
    for part in &evaluated.parts {
        push_evaluated(lines, part, indent + 2);
    }
}
