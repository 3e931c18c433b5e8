//! Writes of rows that have other rows in them: a tree of ordinary writes in one frame.
//!
//! Rows that others refer to are written first, then those that refer to them: one statement for each member of the body and its level,
//! whatever the number of rows. Each of these writes is a request within the request, so all rules of a request hold for it.

use crate::ask::Ask;
use crate::auth::Principal;
use crate::catalog::Relation;
use crate::error::{Code, Error, Result};
use crate::http::media_type;
use crate::http::prefer::{Missing, Resolution, Return};
use crate::http::{Headers, MediaType, Request, target};
use crate::json::ValueKind;
use crate::nested::{
    self, Nested, Row, belong, blamed, check_depth, refer, take_key, take_many, take_one, unrelate, with_own,
};
use crate::payload;
use crate::pg::answer::Answer;
use crate::pg::catalog::Reader;
use crate::pg::ffi::snapshot::in_new_snapshot;
use crate::pg::frame::{self, Context, Finished};
use crate::pg::identity::principal;
use crate::pg::row_sink::BodyBuffer;
use crate::pg::{guc, hooks, versions};
use crate::plan::{Link, Planner};
use crate::query;
use crate::respond::{Effect, Judgement, Outcome, ResponseSettings, judge};
use crate::route::{self, Action, Route, Verb};
use pgrx::pg_sys;
use serde_json::Value;
use std::borrow::Cow;
use std::rc::Rc;

/// Answers one request within the frame.
pub type One<'f> = dyn Fn(&Request, Action, &Principal) -> Result<Answer> + 'f;

/// Whether a body of this request may have rows in its rows: an object or an array of them to create, or an object to change one row.
pub fn may_nest(ask: &Ask) -> bool {
    let media = payload::content_type(ask.request);
    matches!(media, MediaType::Json | MediaType::Any | MediaType::Object { .. })
        && match ask.action().verb {
            Verb::Create => true,
            Verb::Update => ask.is_item(),
            _ => false,
        }
}

/// Writes the rows of a body that names relationships. `None` if it names none.
///
/// `memory`: where the rows of the response are allocated.
///
/// # Errors
/// The first part that fails, with a pointer into the body. Nothing is changed then.
pub fn answer(
    ask: &Ask,
    asker: &Principal,
    memory: pg_sys::MemoryContext,
    one: &One,
) -> Result<Option<(Judgement, Option<BodyBuffer>)>> {
    frame::enter(&Context::of(ask, asker), |frame| {
        frame.take_role();
        frame.publish();
        let within = principal::within(frame.is_authenticated());
        let writes = Writes { ask, one, within, schema: ask.action().schema.clone() };
        let Some((outcome, body)) = writes.answer()? else { return Ok(Finished { value: None, commit: false }) };
        let judgement = judge(ask, Outcome::Effect(outcome), || Ok(ResponseSettings::default()))?;
        let commit = judgement.commits;
        // SAFETY: the context is the caller's and outlives the request.
        let mut rows = unsafe { BodyBuffer::new(memory, body.len(), guc::max_response_bytes()) };
        rows.put(&body);
        rows.check_limit();
        Ok(Finished { value: Some((judgement, Some(rows))), commit })
    })
}

struct Writes<'w> {
    ask: &'w Ask<'w>,
    one: &'w One<'w>,
    /// Who asks within the frame.
    within: Principal,
    schema: Rc<str>,
}

/// What a write answers: its status, and its rows as a JSON text.
struct Written {
    status: u16,
    body: Vec<u8>,
}

impl Writes<'_> {
    /// The effect of the whole, and the body of the answer.
    fn answer(&self) -> Result<Option<(Effect, Vec<u8>)>> {
        let request = self.ask.request;
        let verb = self.ask.action().verb;
        let relation = match &self.ask.action().resource {
            route::Resource::Collection { relation } | route::Resource::Item { relation, .. } => {
                self.relation(relation)?
            }
            route::Resource::Function { .. } | route::Resource::Root => return Ok(None),
        };
        let (mut rows, _) = nested::rows(request.body.unwrap_or_default(), "")?;
        if self.links(&relation, &rows)?.is_empty() {
            return Ok(None);
        }
        self.refuse_unsupported(&relation)?;
        let media = self.media()?;
        let returned = request.preferences.representation;
        let needs_key = matches!(returned, Some(Return::Representation | Return::HeadersOnly));
        let wanted = if needs_key { relation.primary_key.clone() } else { Vec::new() };
        let (keys, status) = if verb == Verb::Create {
            self.insert(&relation, rows, &wanted, 0)?
        } else {
            let Some(row) = rows.pop().filter(|_| rows.is_empty()) else {
                return Err(Error::new(Code::Body, "The body of a PATCH must be one object"));
            };
            (vec![self.update(&relation, row, &self.item_target(), &wanted, 0)?], 200)
        };
        let count = keys.len() as u64;
        let created_nothing = verb == Verb::Create && status == 200;
        let key = keys.first().filter(|_| count == 1 && returned == Some(Return::HeadersOnly) && verb == Verb::Create);
        let effect = Effect {
            rows: count,
            affected: count,
            updated: if created_nothing { count } else { 0 },
            has_conflict_target: !relation.primary_key.is_empty() || self.ask.shape.query.on_conflict.is_some(),
            key: key.map(|key| key.members.iter().map(|(name, value)| (name.clone(), as_value(value))).collect()),
            media: media.clone(),
            ..Effect::default()
        };
        let is_one = self.ask.is_item() || matches!(media, MediaType::Object { .. });
        if is_one && count != 1 {
            // It is refused when it is judged.
            return Ok(Some((effect, Vec::new())));
        }
        let mut body = Vec::new();
        if returned == Some(Return::Representation) {
            body.extend((!is_one).then_some(b'['));
            for (i, key) in keys.iter().enumerate() {
                body.extend((i > 0).then_some(b','));
                body.extend(self.read(&relation, key, &media)?);
            }
            body.extend((!is_one).then_some(b']'));
        }
        Ok(Some((effect, body)))
    }

    /// Refuses what goes with one write, but not with several.
    fn refuse_unsupported(&self, relation: &Relation) -> Result<()> {
        let query = &self.ask.shape.query;
        let preferences = &self.ask.request.preferences;
        let refuse = |what: &str, hint: &str| {
            Err(Error::new(Code::MalformedRequest, format!("{what} cannot be combined with rows in rows")).hint(hint))
        };
        if query.columns.is_some() {
            return refuse("The parameter columns", "Leave members out of the body instead.");
        }
        if !query.root.order.is_empty() || query.root.limit.is_some() || query.root.offset.is_some() {
            return refuse("The parameters order, limit and offset", "The rows are answered in the order of the body.");
        }
        if preferences.resolution == Some(Resolution::IgnoreDuplicates) {
            return refuse(
                "Prefer: resolution=ignore-duplicates",
                "Related rows need the row that they belong to. Send resolution=merge-duplicates, or separate requests.",
            );
        }
        if preferences.representation == Some(Return::Report) {
            return refuse("Prefer: return=report", "Send return=representation.");
        }
        if preferences.missing == Some(Missing::Default) {
            return refuse("Prefer: missing=default", "All rows of one member have the same names.");
        }
        if relation.primary_key.is_empty()
            && matches!(preferences.representation, Some(Return::Representation | Return::HeadersOnly))
        {
            return refuse("Prefer: return", "The table has no primary key to find the rows by. Send return=minimal.");
        }
        Ok(())
    }

    /// The media type of the answer.
    fn media(&self) -> Result<MediaType> {
        let accepted = &self.ask.shape.accepted;
        let find = |range: &MediaType| match range {
            MediaType::Object { .. } => Some(range.clone()),
            range if MediaType::Json.is_in(range) => Some(MediaType::Json),
            _ => None,
        };
        if accepted.is_empty() {
            return Ok(MediaType::Json);
        }
        accepted.iter().find_map(find).ok_or_else(|| media_type::not_available(accepted))
    }

    fn relation(&self, name: &str) -> Result<Rc<Relation>> {
        let reader = Reader::default();
        Planner::new(&reader, &self.schema, &self.ask.shape.settings).relation(name)
    }

    /// The members of rows that are related rows. A column of that name comes first.
    fn links(&self, relation: &Relation, rows: &[Row]) -> Result<Vec<(String, Link)>> {
        let reader = Reader::default();
        let planner = Planner::new(&reader, &self.schema, &self.ask.shape.settings);
        let mut links: Vec<(String, Link)> = Vec::new();
        let mut others: Vec<&str> = Vec::new();
        for row in rows {
            for (name, _) in &row.members {
                if relation.column(name).is_some()
                    || others.contains(&name.as_str())
                    || links.iter().any(|(known, _)| known == name)
                {
                    continue;
                }
                match planner.link(relation, name).map_err(|error| error.pointer(row.at(name)))? {
                    Some(link) => links.push((name.clone(), link)),
                    None => others.push(name),
                }
            }
        }
        Ok(links)
    }

    /// Inserts rows and the rows in them. Returns the wanted columns of each, in order, and the status of the insert.
    fn insert(
        &self,
        relation: &Relation,
        mut rows: Vec<Row>,
        wanted: &[String],
        depth: usize,
    ) -> Result<(Vec<Row<'static>>, u16)> {
        let Some(first) = rows.first() else { return Ok((Vec::new(), 201)) };
        check_depth(depth, &first.pointer)?;
        let links = self.links(relation, &rows)?;
        for (member, link) in links.iter().filter(|(_, link)| link.refers) {
            let mut related = Vec::new();
            let mut owners = Vec::new();
            for (i, row) in rows.iter_mut().enumerate() {
                match take_one(row, member)? {
                    Nested::Absent => {}
                    Nested::Null => unrelate(row, link)?,
                    Nested::Row(one) => {
                        related.push(one);
                        owners.push(i);
                    }
                }
            }
            let columns: Vec<String> = link.columns.iter().map(|(_, theirs)| theirs.clone()).collect();
            let (keys, _) = self.insert(&*self.relation(&link.target)?, related, &columns, depth + 1)?;
            for (i, key) in owners.into_iter().zip(&keys) {
                if let Some(row) = rows.get_mut(i) {
                    refer(row, link, key)?;
                }
            }
        }
        let mut referring = Vec::new();
        for (member, link) in links.iter().filter(|(_, link)| !link.refers) {
            let taken = rows.iter_mut().map(|row| take_many(row, member, link)).collect::<Result<Vec<_>>>()?;
            referring.push((link, taken));
        }
        let columns = with_own(wanted, referring.iter().map(|(link, _)| *link));
        let (keys, status) = self.insert_flat(relation, &rows, &columns, depth)?;
        for (link, taken) in referring {
            let mut children = Vec::new();
            for (rows, key) in taken.into_iter().zip(&keys) {
                for mut row in rows {
                    belong(&mut row, link, key)?;
                    children.push(row);
                }
            }
            self.insert(&*self.relation(&link.target)?, children, &[], depth + 1)?;
        }
        Ok((keys, status))
    }

    /// Inserts rows without rows in them.
    fn insert_flat(
        &self,
        relation: &Relation,
        rows: &[Row],
        columns: &[String],
        depth: usize,
    ) -> Result<(Vec<Row<'static>>, u16)> {
        let mut target = nested::path(&relation.name.name);
        let mut prefer = if columns.is_empty() { "return=minimal" } else { "return=representation" }.to_owned();
        let mut separator = '?';
        if !columns.is_empty() {
            target.push_str(&format!("?select={}", nested::select(columns)));
            separator = '&';
        }
        if self.ask.request.preferences.resolution == Some(Resolution::MergeDuplicates) {
            prefer.push_str(", resolution=merge-duplicates");
            if let Some(conflict) = self.ask.shape.query.on_conflict.as_ref().filter(|_| depth == 0) {
                target.push_str(&format!("{separator}on_conflict={}", nested::select(conflict)));
            }
        }
        let post = |rows: &[Row]| self.send("POST", &target, Some(&nested::body(rows)), &prefer, "*/*", depth == 0);
        let written = match post(rows) {
            Ok(written) => written,
            Err(error) => return Err(blamed(error, rows, |row| post(row).err())),
        };
        if columns.is_empty() {
            let keys = rows.iter().map(|row| Row { pointer: row.pointer.clone(), members: Vec::new() });
            return Ok((keys.collect(), written.status));
        }
        let answered = nested::elements(&written.body)?;
        if answered.len() != rows.len() {
            return Err(Error::new(
                Code::MalformedRequest,
                format!("Of {} rows of '{}', {} were inserted", rows.len(), relation.name.name, answered.len()),
            )
            .hint("A trigger or rule leaves rows out, so it is not known which of them the others belong to."));
        }
        let keys = answered.into_iter().zip(rows).map(|(text, row)| owned(Row::read(text, row.pointer.clone())?));
        Ok((keys.collect::<Result<_>>()?, written.status))
    }

    /// Updates the row that a target names, and writes the rows in it. Returns the wanted columns.
    fn update(
        &self,
        relation: &Relation,
        mut row: Row,
        target: &str,
        wanted: &[String],
        depth: usize,
    ) -> Result<Row<'static>> {
        check_depth(depth, &row.pointer)?;
        let links = self.links(relation, std::slice::from_ref(&row))?;
        for (member, link) in links.iter().filter(|(_, link)| link.refers) {
            match take_one(&mut row, member)? {
                Nested::Absent => {}
                Nested::Null => unrelate(&mut row, link)?,
                Nested::Row(mut one) => {
                    let columns: Vec<String> = link.columns.iter().map(|(_, theirs)| theirs.clone()).collect();
                    let related = self.relation(&link.target)?;
                    let key = match take_key(&mut one, &related)? {
                        Some(target) => self.update(&related, one, &target, &columns, depth + 1)?,
                        None => {
                            let (keys, _) = self.insert(&related, vec![one], &columns, depth + 1)?;
                            keys.into_iter().next().ok_or_else(Error::no_item)?
                        }
                    };
                    refer(&mut row, link, &key)?;
                }
            }
        }
        let mut referring = Vec::new();
        for (member, link) in links.iter().filter(|(_, link)| !link.refers) {
            referring.push((link, take_many(&mut row, member, link)?));
        }
        let mut columns = with_own(wanted, referring.iter().map(|(link, _)| *link));
        if columns.is_empty() {
            columns.clone_from(&relation.primary_key);
        }
        let key = self.update_flat(&row, target, &columns, depth)?;
        for (link, rows) in referring {
            let related = self.relation(&link.target)?;
            let mut new = Vec::new();
            for mut child in rows {
                match take_key(&mut child, &related)? {
                    Some(target) => {
                        // It must belong to this row already.
                        let mut own = child.clone();
                        belong(&mut own, link, &key)?;
                        let mut values = Vec::new();
                        for (_, theirs) in &link.columns {
                            child.take(theirs);
                            values.push((theirs.as_str(), own.get(theirs).unwrap_or_default()));
                        }
                        let filters = nested::filters(values.into_iter())?.replacen('?', "&", 1);
                        self.update(&related, child, &format!("{target}{filters}"), &[], depth + 1)?;
                    }
                    None => {
                        belong(&mut child, link, &key)?;
                        new.push(child);
                    }
                }
            }
            self.insert(&related, new, &[], depth + 1)?;
        }
        Ok(key)
    }

    /// Updates a row without rows in it. If nothing is set, it is only read.
    fn update_flat(&self, row: &Row, target: &str, columns: &[String], depth: usize) -> Result<Row<'static>> {
        let separator = if target.contains('?') { '&' } else { '?' };
        let target = format!("{target}{separator}select={}", nested::select(columns));
        let located = |error: Error| blamed(error, std::slice::from_ref(row), |_| None);
        let written = if row.members.is_empty() {
            self.send("GET", &target, None, "", "application/json", depth == 0)
        } else {
            let mut body = Vec::new();
            row.write(&mut body);
            self.send("PATCH", &target, Some(&body), "return=representation", "application/json", depth == 0)
        };
        let body = written.map_err(located)?.body;
        let text = match nested::kind(&body) {
            Some(ValueKind::Object) => body.as_slice(),
            _ => match nested::elements(&body)?.as_slice() {
                [one] => *one,
                _ => return Err(Error::no_item().pointer(row.pointer.clone())),
            },
        };
        owned(Row::read(text, row.pointer.clone())?)
    }

    /// A written row, as the request selects it.
    fn read(&self, relation: &Relation, key: &Row, media: &MediaType) -> Result<Vec<u8>> {
        let mut values = Vec::new();
        for column in &relation.primary_key {
            values.push((column.as_str(), key.get(column).unwrap_or_default()));
        }
        let mut target = format!("{}{}", nested::path(&relation.name.name), nested::filters(values.into_iter())?);
        for (name, value) in &self.ask.request.target.parameters {
            if name == "select" || is_of_related(name, value.as_deref()) {
                push_parameter(&mut target, name, value.as_deref());
            }
        }
        let accept = match media {
            MediaType::Object { .. } => media.name().into_owned(),
            _ => "application/vnd.pgrst.object+json".to_owned(),
        };
        Ok(self.send("GET", &target, None, "", &accept, false)?.body)
    }

    /// The target of the request without what shapes its answer.
    fn item_target(&self) -> String {
        let target = &self.ask.request.target;
        let mut text = target.path.to_owned();
        for (name, value) in &target.parameters {
            if name != "select" && !is_of_related(name, value.as_deref()) {
                push_parameter(&mut text, name, value.as_deref());
            }
        }
        text
    }

    /// Makes a request within the request. `is_root`: the conditions of the request count for it.
    fn send(
        &self,
        method: &str,
        target: &str,
        body: Option<&[u8]>,
        prefer: &str,
        accept: &str,
        is_root: bool,
    ) -> Result<Written> {
        const REPLACED: [&str; 9] = [
            "accept",
            "accept-profile",
            "content-profile",
            "content-type",
            "content-length",
            "idempotency-key",
            "prefer",
            "range",
            "transfer-encoding",
        ];
        let is_kept = |name: &str| !REPLACED.contains(&name) && (is_root || !name.starts_with("if-"));
        let kept = self.ask.request.headers.iter().filter(|(name, _)| is_kept(name));
        let own = [
            ("accept", accept),
            ("accept-profile", &*self.schema),
            ("content-profile", &*self.schema),
            ("content-type", "application/json"),
            ("prefer", prefer),
        ];
        let headers = Headers::from_fields(kept.chain(own).collect())?;
        let request = Request::parse(method, target, &headers, body)?;
        let action = match route::route(&request, &versions::surface())? {
            Route::Batch(action) | Route::Action(action) => action,
            Route::Own(_) | Route::Methods(_) => {
                return Err(Error::new(Code::Path, "Invalid path specified in request URL"));
            }
        };
        if !is_root && !request.method.is_safe() {
            hooks::guard(&request)?;
        }
        let Answer { response, rows, .. } = in_new_snapshot(|| (self.one)(&request, action, &self.within))?;
        let body = rows.map(|rows| {
            let body = rows.payload().to_vec();
            rows.free();
            body
        });
        Ok(Written { status: response.status, body: body.unwrap_or_default() })
    }
}

/// Whether a parameter is about embedded relations, such as the order of their rows.
fn is_of_related(name: &str, value: Option<&str>) -> bool {
    let alone = query::parse(&[(Cow::Borrowed(name), value.map(Cow::Borrowed))], false);
    alone.is_err_and(|error| error.code == Code::NotEmbedded.as_str())
}

fn push_parameter(target: &mut String, name: &str, value: Option<&str>) {
    target.push(if target.contains('?') { '&' } else { '?' });
    target::encode_into(target, name, b"");
    target.push('=');
    target::encode_into(target, value.unwrap_or_default(), b"");
}

/// The row with values of its own.
fn owned(row: Row) -> Result<Row<'static>> {
    let members = row.members.into_iter().map(|(name, value)| (name, Cow::Owned(value.into_owned())));
    Ok(Row { pointer: row.pointer, members: members.collect() })
}

/// A value of the key, as Location writes it.
fn as_value(text: &[u8]) -> Value {
    match crate::batch::scalar(text) {
        Some(Some(text)) => Value::from(text.as_ref()),
        _ => Value::Null,
    }
}
