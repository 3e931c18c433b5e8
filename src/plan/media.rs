//! Chooses the representation of a response: one that the client accepts and that can be made.

use super::{CallResult, Plan, Planner, Select, Source};
use crate::catalog::{FeatureFunction, MediaHandler, QualifiedName};
use crate::error::Result;
use crate::http::media_type::{MediaType, PlanMedia, not_available};
use crate::query::{Query, SelectItem};
use std::rc::Rc;

/// The representation of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Representation {
    /// The value of Content-Type.
    pub media: MediaType,
    /// The function that makes the body, if the extension does not make it itself.
    pub handler: Option<Handler>,
}

impl Representation {
    /// The options of EXPLAIN, if the body is PostgreSQL's plan.
    pub fn explain(&self) -> Option<&PlanMedia> {
        match &self.media {
            MediaType::Plan(plan) => Some(plan),
            _ => None,
        }
    }

    /// The media type in which the rows are written.
    pub fn rows(&self) -> &MediaType {
        self.explain().map_or(&self.media, |plan| &plan.of)
    }

    /// How the body holds the result of a call.
    pub fn holds(&self, result: &CallResult) -> Holds {
        let is_list = matches!(result, CallResult::Rows(_) | CallResult::ScalarSet(_));
        let is_of_rows = matches!(result, CallResult::Row(_) | CallResult::Rows(_));
        match (&self.handler, &self.media) {
            // What the function returns is the body, whatever its media type is.
            (Some(Handler::Function), _) => Holds::Json,
            (Some(Handler::Aggregate { .. } | Handler::Feature(_)), _) => Holds::Derived,
            (None, MediaType::ArrayStripped | MediaType::Object { nulls_stripped: true }) if is_of_rows => {
                Holds::Derived
            }
            (None, MediaType::Object { .. }) if is_list => Holds::OnlyElement,
            (None, MediaType::NdJson(_)) if is_list => Holds::Lines,
            (None, MediaType::Json | MediaType::ArrayStripped | MediaType::Object { .. } | MediaType::NdJson(_)) => {
                Holds::Json
            }
            (None, _) => Holds::Derived,
        }
    }
}

/// How the body of a call holds the result of the function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holds {
    /// It was made from the result, and the result cannot be told from it.
    #[default]
    Derived,
    /// As JSON.
    Json,
    /// The only element of a list, as JSON.
    OnlyElement,
    /// The elements of a list, each as a line of JSON.
    Lines,
}

/// A function in the database that makes the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handler {
    /// An aggregate over all rows. `row`: the relation whose rows it takes; `None` if it takes any rows.
    Aggregate { function: QualifiedName, row: Option<QualifiedName> },
    /// The called function itself: its result is the body.
    Function,
    /// A function of each row. The body is a FeatureCollection of its results (RFC 7946, section 3.3), or for an item the one
    /// result.
    Feature(FeatureFunction),
}

/// What is represented.
enum Subject<'a> {
    /// Rows, with their relation if they all belong to one.
    Rows(Option<&'a QualifiedName>),
    /// The value of a function, and its media type if it has one.
    Value(Option<&'a str>),
}

impl Planner<'_> {
    /// Chooses the representation of a plan's result. `accepted`: the media ranges of the request, the preferred ones first.
    ///
    /// # Errors
    /// PGRST107 (406) if no accepted representation can be made.
    pub fn representation(&self, plan: &Plan, query: &Query, accepted: &[MediaType]) -> Result<Representation> {
        let subject = match plan {
            Plan::Read(select) => Subject::Rows(relation_of(select)),
            Plan::Write(write) => Subject::Rows(Some(&write.relation)),
            Plan::Call(call) => match &call.result {
                CallResult::Row(_) | CallResult::Rows(_) => Subject::Rows(call.rows.as_ref()),
                _ => Subject::Value(call.media.as_deref()),
            },
        };
        let handlers = match subject {
            Subject::Rows(_) => self.catalog.media_handlers(self.schema)?,
            Subject::Value(_) => Rc::default(),
        };
        // An aggregate over a relation's rows needs whole rows.
        let is_whole = match query.root.select.as_deref() {
            None => true,
            Some(items) => items.iter().all(|item| matches!(item, SelectItem::Star)) && !items.is_empty(),
        };
        let any = [MediaType::Any];
        for range in if accepted.is_empty() { &any } else { accepted } {
            let found = match range {
                MediaType::ArrayStripped | MediaType::Object { .. } => {
                    Some(Representation { media: range.clone(), handler: None })
                }
                MediaType::Plan(plan) if self.settings.plans => match &plan.of {
                    MediaType::ArrayStripped | MediaType::Object { .. } => Some(None),
                    of => self.lookup(of, &subject, &handlers, is_whole)?.map(|found| found.handler),
                }
                .map(|handler| Representation { media: range.clone(), handler }),
                MediaType::Plan(_) => None,
                range => self.lookup(range, &subject, &handlers, is_whole)?,
            };
            if let Some(found) = found {
                return Ok(found);
            }
        }
        let error = not_available(accepted);
        Err(if matches!(subject, Subject::Rows(_)) && accepted.contains(&MediaType::GeoJson) {
            error.hint("GeoJSON needs PostGIS 3.0 or newer: CREATE EXTENSION postgis.")
        } else {
            error
        })
    }

    /// Finds a representation in the range, in this order: handlers for this relation or function, handlers for any rows, the
    /// built-in types, PostGIS.
    fn lookup(
        &self,
        range: &MediaType,
        subject: &Subject,
        handlers: &[MediaHandler],
        is_whole: bool,
    ) -> Result<Option<Representation>> {
        let found = lookup(range, subject, handlers, is_whole);
        if found.is_some() || *range != MediaType::GeoJson || matches!(subject, Subject::Value(_)) {
            return Ok(found);
        }
        let function = self.catalog.feature_function()?;
        Ok(function.map(|f| Representation { media: MediaType::GeoJson, handler: Some(Handler::Feature(f)) }))
    }
}

/// The relation whose rows a SELECT reads.
fn relation_of(select: &Select) -> Option<&QualifiedName> {
    match &select.source {
        Source::Relation(name) => Some(name),
        _ => None,
    }
}

/// [`Planner::lookup`] without PostGIS.
fn lookup(range: &MediaType, subject: &Subject, handlers: &[MediaHandler], is_whole: bool) -> Option<Representation> {
    let taken = |media: &str| -> Option<MediaType> {
        match MediaType::parse(media) {
            // a handler for `*/*` sets its media type itself
            MediaType::Any => Some(MediaType::OctetStream),
            media if media.is_in(range) && *range != MediaType::Any => Some(media),
            _ => None,
        }
    };
    match subject {
        Subject::Value(Some(media)) => {
            if let Some(media) = taken(media) {
                return Some(Representation { media, handler: Some(Handler::Function) });
            }
        }
        Subject::Value(None) => {}
        Subject::Rows(relation) => {
            let own = |h: &&MediaHandler| is_whole && h.relation.is_some() && h.relation.as_ref() == *relation;
            let any = |h: &&MediaHandler| h.relation.is_none();
            // A handler for any rows is used for `*/*` only if the client accepts exactly that.
            let any = |h: &&MediaHandler| any(h) && (h.media != "*/*" || *range == MediaType::Any);
            let takes_all = |h: &&MediaHandler| h.media == "*/*";
            let own = handlers.iter().filter(own);
            // A relation's own handler for `*/*` precedes all others.
            let found = (own.clone().filter(takes_all))
                .chain(own)
                .chain(handlers.iter().filter(any))
                .find_map(|h| taken(&h.media).map(|media| (h, media)));
            if let Some((handler, media)) = found {
                let MediaHandler { function, relation, .. } = handler.clone();
                return Some(Representation { media, handler: Some(Handler::Aggregate { function, row: relation }) });
            }
        }
    }
    if let MediaType::NdJson(_) = range {
        return Some(Representation { media: range.clone(), handler: None });
    }
    let built_in = [MediaType::Json, MediaType::Csv].into_iter().find(|media| media.is_in(range))?;
    Some(Representation { media: built_in, handler: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::PlanSettings;
    use crate::http::media_type;
    use crate::plan::fixture::*;
    use crate::query;
    use crate::route::Verb;

    /// The media type of a read, and the handler that makes it.
    fn answer(target: &str, accept: &str) -> Result<(String, Option<Handler>)> {
        answer_with(target, accept, &PlanSettings::default())
    }

    fn answer_with(target: &str, accept: &str, settings: &PlanSettings) -> Result<(String, Option<Handler>)> {
        let plan = Plan::Read(read(target)?);
        chosen(&plan, target, accept, settings)
    }

    fn chosen(plan: &Plan, target: &str, accept: &str, settings: &PlanSettings) -> Result<(String, Option<Handler>)> {
        chosen_of(&Library::default(), plan, target, accept, settings)
    }

    fn chosen_of(
        library: &Library,
        plan: &Plan,
        target: &str,
        accept: &str,
        settings: &PlanSettings,
    ) -> Result<(String, Option<Handler>)> {
        let target = crate::http::target::Target::parse(target)?;
        let query = query::parse(&target.parameters, false)?;
        let accepted = media_type::accepted(Some(accept))?;
        let representation = Planner::new(library, SCHEMA, settings).representation(plan, &query, &accepted)?;
        Ok((representation.media.name().into_owned(), representation.handler))
    }

    #[track_caller]
    fn media(target: &str, accept: &str) -> String {
        answer(target, accept).unwrap().0
    }

    #[test]
    fn the_first_that_can_be_made_is_chosen() {
        assert_eq!(media("/authors", ""), "application/json");
        assert_eq!(media("/authors", "text/html, */*;q=0.1"), "application/json");
        assert_eq!(media("/authors", "text/html, text/csv"), "text/csv");
        assert_eq!(
            media("/authors", "application/json;q=0.5, application/vnd.pgrst.object"),
            "application/vnd.pgrst.object+json"
        );
        let e = answer("/authors", "text/unknowntype, image/*").unwrap_err();
        assert_eq!(
            (e.status, e.message.as_str()),
            (406, "None of these media types are available: text/unknowntype, image/*")
        );
    }

    #[test]
    fn aggregates_of_the_relation_come_before_those_of_any_rows() {
        let (media, handler) = answer("/books", "text/tab-separated-values").unwrap();
        assert_eq!(media, "text/tab-separated-values");
        assert!(matches!(handler, Some(Handler::Aggregate { row: Some(row), .. }) if row.name == "books"));
        // they take whole rows
        assert!(answer("/books?select=*", "text/tab-separated-values").is_ok());
        assert_eq!(answer("/books?select=id", "text/tab-separated-values").unwrap_err().status, 406);
        assert_eq!(answer("/authors", "text/tab-separated-values").unwrap_err().status, 406);
        let (_, handler) = answer("/books?select=id", "text/x-lines").unwrap();
        assert!(matches!(handler, Some(Handler::Aggregate { row: None, .. })));
    }

    #[test]
    fn one_for_any_type_takes_all_but_the_dialects_own() {
        for accept in ["", "*/*", "application/json", "text/csv", "made/up"] {
            assert_eq!(media("/editions", accept), "application/octet-stream", "{accept}");
        }
        assert_eq!(media("/editions", "application/vnd.pgrst.object"), "application/vnd.pgrst.object+json");
        assert_eq!(media("/editions?select=year", "*/*"), "application/json");
    }

    #[test]
    fn plans_are_shown_where_they_are_allowed() {
        let plan = "application/vnd.pgrst.plan+json; for=\"text/x-lines\"";
        assert_eq!(answer("/books", plan).unwrap_err().status, 406);
        let settings = PlanSettings { plans: true, ..PlanSettings::default() };
        let (media, handler) = answer_with("/books", plan, &settings).unwrap();
        assert_eq!(media, plan);
        assert!(handler.is_some());
        let nothing = "application/vnd.pgrst.plan; for=\"text/html\"";
        assert_eq!(answer_with("/books", nothing, &settings).unwrap_err().status, 406);
    }

    #[test]
    fn postgis_makes_features_of_rows() {
        let mut library = Library::default();
        library.has_postgis = true;
        let answer = |target: &str, accept: &str| {
            let plan = Plan::Read(read(target).unwrap());
            chosen_of(&library, &plan, target, accept, &PlanSettings::default())
        };
        let (media, handler) = answer("/books?select=id&order=id", "application/geo+json").unwrap();
        assert_eq!(media, "application/geo+json");
        assert!(matches!(handler, Some(Handler::Feature(_))));
        // it is used only if asked for, and a user's own aggregate precedes it
        assert_eq!(answer("/books", "application/*").unwrap().0, "application/json");
        assert_eq!(answer("/editions", "application/geo+json").unwrap().0, "application/octet-stream");
    }

    #[test]
    fn where_there_is_no_postgis_the_refusal_says_so() {
        assert_eq!(media("/books", "application/geo+json, text/csv;q=0.1"), "text/csv");
        let e = answer("/books", "application/geo+json").unwrap_err();
        let hint = e.hint.as_ref().and_then(|hint| hint.as_str());
        assert_eq!((e.status, hint), (406, Some("GeoJSON needs PostGIS 3.0 or newer: CREATE EXTENSION postgis.")));
        assert_eq!(answer("/books", "image/*").unwrap_err().hint, None);
    }

    #[test]
    fn what_is_written_is_answered_as_what_is_read() {
        let plan = Plan::Write(write(Verb::Create, "books", "return=representation", Some("id")).unwrap());
        let settings = PlanSettings::default();
        let (media, handler) = chosen(&plan, "/books", "text/tab-separated-values", &settings).unwrap();
        assert_eq!(media, "text/tab-separated-values");
        assert!(matches!(handler, Some(Handler::Aggregate { row: Some(row), .. }) if row.name == "books"));
    }
}
