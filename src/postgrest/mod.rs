//! What PostgREST's configuration means here: settings of the login role, secrets to load, and variables of the gateway.

pub mod config;
pub mod known;

use crate::auth::path::Path;
use crate::http::target::decode;
use crate::similar::closest;
use config::{Binding, Malformed, Value};
use known::{KNOWN, Known, Target};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use std::borrow::Cow;
use std::net::IpAddr;

/// A configuration, as SQL makes statements of it.
#[derive(Debug, Serialize)]
pub struct Import {
    /// The role that `db-uri` logs in as.
    pub role: Option<String>,
    pub rows: Vec<Row>,
}

/// What becomes of a setting.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Row {
    /// The line of the setting, from 1; `None` for a default of PostgREST that is another here.
    pub line: Option<usize>,
    pub setting: String,
    /// Its value, without secrets.
    pub value: Option<String>,
    /// A setting of the login role, and its value.
    pub parameter: Option<(String, String)>,
    /// A function to call, and its arguments: texts, true, and arrays of texts.
    pub call: Option<(&'static str, Map<String, Json>)>,
    /// A line of the gateway's environment.
    pub gateway: Option<String>,
    pub note: Option<String>,
}

/// What is shown of a secret.
const HIDDEN: &str = "***";

/// Reads a configuration, and says what each setting of it means.
///
/// # Errors
/// The first line that is malformed, or whose value PostgREST would not take.
pub fn import(text: &str) -> Result<Import, Malformed> {
    let all = config::parse(text)?;
    let settings = Settings { all: &all };
    let mut rows = Vec::new();
    for binding in &all {
        settings.rows_of(binding, &mut rows)?;
    }
    let describes = |name: &str, other: &str| {
        settings.text(name).is_some_and(|(_, text)| !text.is_empty() && (other.is_empty() || text == other))
    };
    if !describes("openapi-mode", "disabled") && !describes("db-root-spec", "") {
        rows.push(Row {
            setting: "openapi-version".to_owned(),
            parameter: Some(("restful.openapi_version".to_owned(), "2.0".to_owned())),
            note: Some("PostgREST describes the API in OpenAPI 2.0. Leave this out if no client needs that: the default here is 3.1.".to_owned()),
            ..Row::default()
        });
    }
    let role = settings.text("db-uri").and_then(|(_, uri)| user_of(&uri));
    Ok(Import { role, rows })
}

struct Settings<'a> {
    all: &'a [Binding],
}

impl Settings<'_> {
    /// The binding that counts for a setting: under its name rather than an alias, of the environment rather than the file, and the
    /// last of several.
    fn effective(&self, known: &Known) -> Option<&Binding> {
        let named = |binding: &&Binding| binding.name == known.name || known.aliases.contains(&binding.name.as_str());
        // PostgREST prefers this one alias to its name.
        let is_first = |binding: &Binding| (binding.name == known.name) != known.aliases.contains(&"db-pool-timeout");
        self.all.iter().filter(named).max_by_key(|binding| (is_first(binding), binding.is_variable, binding.line))
    }

    /// The text of a setting, and its line, if it counts and is a text.
    fn text(&self, name: &str) -> Option<(usize, String)> {
        let binding = self.effective(known::find(name)?)?;
        match &binding.value {
            Value::Text(text) => Some((binding.line, text.clone())),
            Value::Switch(on) => Some((binding.line, on.to_string())),
            Value::Environment(_) | Value::File(_) => None,
        }
    }

    /// Adds what becomes of a setting. A setting that is made of several keys becomes several rows.
    fn rows_of(&self, binding: &Binding, rows: &mut Vec<Row>) -> Result<(), Malformed> {
        let mut row = Row { line: Some(binding.line), setting: binding.name.clone(), ..Row::default() };
        let Some(known) = known::find(&binding.name) else {
            row.note = Some(match &binding.value {
                Value::File(file) => format!("Not read: put the lines of {file} here."),
                _ => unknown(&binding.name),
            });
            rows.push(row);
            return Ok(());
        };
        let is_secret = known.target == Target::Secret;
        let text = match &binding.value {
            Value::Text(text) => text.clone(),
            Value::Switch(on) => on.to_string(),
            Value::Environment(name) => {
                row.note = Some(format!("Not read: put the value of the environment variable {name} here."));
                rows.push(row);
                return Ok(());
            }
            // A file is the value of import alone.
            Value::File(_) => return Ok(()),
        };
        row.value = Some(match known.target {
            Target::Secret | Target::Own => HIDDEN.to_owned(),
            _ if known.name == "db-uri" => without_password(&text),
            _ => text.clone(),
        });
        let effective = if known.target == Target::Own {
            self.all
                .iter()
                .filter(|other| other.name == binding.name)
                .max_by_key(|other| (other.is_variable, other.line))
        } else {
            self.effective(known)
        };
        if let Some(other) = effective.filter(|other| *other != binding) {
            row.note = Some(format!("Does not count: line {} sets it, too.", other.line));
        } else if text.is_empty() && !matches!(known.target, Target::Names("restful.extra_search_path")) {
            row.note = Some("Empty: PostgREST uses its default.".to_owned());
        } else if let Some(file) = text.strip_prefix('@').filter(|_| is_secret || known.name == "db-uri") {
            row.value = Some(text.clone());
            row.note = Some(format!("Not read: put the content of the file {file} here."));
        } else {
            row.note = Some(known.note.to_owned()).filter(|note| !note.is_empty());
            return self.apply(binding, known, &text, row, rows);
        }
        rows.push(row);
        Ok(())
    }

    /// Adds what becomes of a setting that counts and has a value.
    fn apply(
        &self,
        binding: &Binding,
        known: &Known,
        text: &str,
        mut row: Row,
        rows: &mut Vec<Row>,
    ) -> Result<(), Malformed> {
        let malformed = |message: String, hint| Malformed { line: binding.line, message, hint };
        let number = || {
            let number = text.trim().parse::<i32>().ok().filter(|number| *number > 0);
            number.ok_or_else(|| {
                malformed(
                    format!("{} is not a number from 1 to {}", binding.name, i32::MAX),
                    "Leave the setting out for its default.",
                )
            })
        };
        let switch = || {
            switch(text)
                .ok_or_else(|| malformed(format!("{} is neither true nor false", binding.name), "Write true or false."))
        };
        let set = |name: &str, value: String| Some((name.to_owned(), value));
        match known.target {
            Target::Text(name) => row.parameter = set(name, text.to_owned()),
            Target::Names(name) => {
                let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
                if let Some(hidden) = names.iter().find(|n| {
                    known.name == "db-schemas" && matches!(**n, "pg_catalog" | "information_schema" | "restful")
                }) {
                    return Err(malformed(format!("{hidden} cannot be exposed"), "Remove it from db-schemas."));
                }
                row.parameter = set(name, names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "));
            }
            Target::Switch(name) => row.parameter = set(name, if switch()? { "on" } else { "off" }.to_owned()),
            Target::Number(name) => row.parameter = set(name, number()?.to_string()),
            Target::Choice(name, choices) => {
                if !choices.contains(&text) {
                    return Err(malformed(
                        format!("{} is none of {}", binding.name, choices.join(", ")),
                        "Write one of these, or leave the setting out.",
                    ));
                }
                row.parameter = set(name, text.to_owned());
            }
            Target::Own => {
                let is_name = |part: &str| {
                    !part.starts_with(|c: char| c.is_ascii_digit())
                        && !part.is_empty()
                        && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                };
                if binding.name.split('.').all(is_name) {
                    row.parameter = set(&binding.name, text.to_owned());
                } else {
                    row.note = Some("PostgreSQL takes no such name: use letters, digits and underscores.".to_owned());
                }
            }
            Target::GatewayNumber(name) => row.gateway = Some(format!("{name}={}", number()?)),
            Target::GatewaySwitch(name) => {
                row.gateway = Some(format!("{name}={}", if switch()? { "on" } else { "off" }))
            }
            Target::Gateway("DATABASE_URL") => row.gateway = Some(format!("DATABASE_URL={text}")),
            Target::Gateway("LOG") => {
                let levels = ["crit", "error", "warn", "info", "debug"];
                let Some(level) = levels.iter().position(|level| *level == text) else {
                    return Err(malformed(
                        format!("{} is none of {}", binding.name, levels.join(", ")),
                        "Write one of these.",
                    ));
                };
                row.gateway = Some(format!("LOG={}", if level < 3 { "off" } else { "access" }));
            }
            Target::Gateway("CORS_ALLOWED_ORIGINS") => {
                let origins: Vec<&str> = text.split(',').map(str::trim).collect();
                row.gateway = Some(format!("CORS_ALLOWED_ORIGINS={}", origins.join(",")));
            }
            Target::Gateway(_) => self.listen(binding, &mut row)?,
            Target::Secret => return self.load(binding, text, row, rows),
            Target::OfSecret("is_base64") => {
                switch()?;
                row.note = Some(self.used_by_secret(""));
            }
            Target::OfSecret("role_path") if Path::parse(text).is_none() => {
                row.note = Some("There is no such path here, so tokens run as the anonymous role: see restful.load_secret(role_path => …).".to_owned());
            }
            Target::OfSecret(_) => row.note = Some(self.used_by_secret(known.note)),
            Target::Nothing => {}
        }
        rows.push(row);
        Ok(())
    }

    /// The note of a setting that is part of how the secret is loaded.
    fn used_by_secret(&self, note: &str) -> String {
        let how = if self.text("jwt-secret").is_some_and(|(_, secret)| !secret.is_empty()) {
            "Part of the statement of jwt-secret."
        } else {
            "Without jwt-secret it has no effect."
        };
        format!("{how} {note}").trim_end().to_owned()
    }

    /// The address of the gateway, of host and port. It is told once, with the port if there is one.
    fn listen(&self, binding: &Binding, row: &mut Row) -> Result<(), Malformed> {
        let given = |name| self.text(name).filter(|(_, text)| !text.is_empty());
        let (host, port) = (given("server-host"), given("server-port"));
        if binding.name == "server-host" && port.is_some() {
            row.note = Some("Part of server-port's LISTEN.".to_owned());
            return Ok(());
        }
        let (line, port) = port.unwrap_or((binding.line, "3000".to_owned()));
        let Ok(port) = port.trim().parse::<u16>() else {
            return Err(Malformed {
                line,
                message: "server-port is not a number from 0 to 65535".to_owned(),
                hint: "Write a number.",
            });
        };
        let address = match host.as_ref().map_or("!4", |(_, host)| host.as_str()) {
            "*" | "*4" | "!4" => "0.0.0.0".to_owned(),
            "*6" | "!6" => "[::]".to_owned(),
            "localhost" => "127.0.0.1".to_owned(),
            host => match host.parse() {
                Ok(IpAddr::V4(address)) => address.to_string(),
                Ok(IpAddr::V6(address)) => format!("[{address}]"),
                Err(_) => {
                    row.note = Some(format!("LISTEN is an IP address: write that of {host}."));
                    return Ok(());
                }
            },
        };
        row.gateway = Some(format!("LISTEN={address}:{port}"));
        Ok(())
    }

    /// Adds the calls that load the secret: one for a text or a key, one for all public keys of a set, one for each of its secrets.
    fn load(&self, binding: &Binding, text: &str, mut row: Row, rows: &mut Vec<Row>) -> Result<(), Malformed> {
        let malformed = |message: &str| Malformed {
            line: binding.line,
            message: format!("jwt-secret {message}"),
            hint: "It is a text of at least 32 bytes, a JSON Web Key, or a set of them.",
        };
        let mut common = Map::new();
        if let Some((_, audience)) = self.text("jwt-aud").filter(|(_, audience)| !audience.is_empty()) {
            common.insert("audiences".to_owned(), json!([audience]));
        }
        if let Some((_, path)) = self.text("jwt-role-claim-key").filter(|(_, path)| Path::parse(path).is_some()) {
            common.insert("role_path".to_owned(), Json::from(path));
        }
        let is_base64 = self.text("jwt-secret-is-base64").is_some_and(|(_, text)| switch(&text) == Some(true));
        let keys: Vec<Map<String, Json>> = match serde_json::from_str::<Map<String, Json>>(text) {
            Ok(set) if !is_base64 => match set.get("keys") {
                Some(Json::Array(keys)) => keys.iter().filter_map(Json::as_object).cloned().collect(),
                Some(_) => return Err(malformed("is a set of keys whose keys are not an array")),
                None if set.contains_key("kty") => vec![set],
                None => return Err(malformed("is JSON, but neither a key nor a set of keys")),
            },
            _ => {
                if !is_base64 && text.len() < 32 {
                    return Err(malformed("is shorter than 32 bytes"));
                }
                let mut arguments = Map::from_iter([("secret".to_owned(), Json::from(text))]);
                if is_base64 {
                    arguments.insert("is_base64".to_owned(), Json::from(true));
                }
                arguments.append(&mut common);
                row.call = Some(("load_secret", arguments));
                rows.push(row);
                return Ok(());
            }
        };
        let another = |row: &Row| Row {
            line: row.line,
            setting: row.setting.clone(),
            value: row.value.clone(),
            note: row.note.clone(),
            ..Row::default()
        };
        let (secret, public): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|key| key.get("kty").and_then(Json::as_str) == Some("oct"));
        if secret.is_empty() && public.is_empty() {
            return Err(malformed("is a set without keys"));
        }
        for key in secret {
            let Some(k) = key.get("k").and_then(Json::as_str) else {
                return Err(malformed("has a key without its member k"));
            };
            let mut arguments =
                Map::from_iter([("secret".to_owned(), Json::from(k)), ("is_base64".to_owned(), Json::from(true))]);
            for (member, argument) in [("kid", "kid"), ("alg", "algorithm")] {
                if let Some(value) = key.get(member) {
                    arguments.insert(argument.to_owned(), value.clone());
                }
            }
            arguments.extend(common.clone());
            rows.push(Row { call: Some(("load_secret", arguments)), ..another(&row) });
        }
        if !public.is_empty() {
            let public: Vec<Json> = public.into_iter().map(|key| Json::Object(without_private_part(key))).collect();
            let set = json!({"keys": public}).to_string();
            let mut arguments =
                Map::from_iter([("issuer".to_owned(), Json::from("")), ("jwks".to_owned(), Json::from(set))]);
            arguments.append(&mut common);
            rows.push(Row { call: Some(("load_jwks", arguments)), ..another(&row) });
        }
        Ok(())
    }
}

/// A key without the members that only its owner should have (RFC 7518, section 6).
fn without_private_part(mut key: Map<String, Json>) -> Map<String, Json> {
    key.retain(|member, _| !["d", "p", "q", "dp", "dq", "qi", "oth", "k"].contains(&member.as_str()));
    key
}

/// The note of a setting that PostgREST does not have.
fn unknown(name: &str) -> String {
    if name.starts_with("internal-") {
        return "A setting of PostgREST's own tests.".to_owned();
    }
    let meant = closest(name, KNOWN.iter().flat_map(|known| known.aliases.iter().copied().chain([known.name])));
    let meant = meant.map(|meant| format!(" Perhaps {meant} was meant.")).unwrap_or_default();
    format!("PostgREST 14 to 16 have no such setting, and ignore it.{meant}")
}

/// True or false, in any of the ways in which PostgREST reads it.
fn switch(text: &str) -> Option<bool> {
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    match letters.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => text.trim().parse::<i64>().ok().map(|number| number > 0),
    }
}

/// A name as it stands in a list of names.
fn quoted(name: &str) -> Cow<'_, str> {
    let is_plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if is_plain && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// Where user and password stand in the URI of a database.
fn credentials(uri: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = uri.split_once("://").filter(|(scheme, _)| matches!(*scheme, "postgres" | "postgresql"))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, _) = rest.split_at_checked(end)?;
    let (user, _) = authority.rsplit_once('@')?;
    Some((scheme, user, rest.get(user.len()..)?))
}

/// The user that the address of a database names: in a URI, or as `user=` in one of keys and values.
fn user_of(uri: &str) -> Option<String> {
    let user = if uri.contains("://") {
        let of_query = || uri.split_once('?')?.1.split('&').find_map(|pair| pair.strip_prefix("user="));
        let (user, is_query) = match credentials(uri) {
            Some((_, user, _)) => (user.split(':').next()?, false),
            None => (of_query()?, true),
        };
        decode(user, is_query)?.into_owned()
    } else {
        let value = uri.split_whitespace().find_map(|pair| pair.strip_prefix("user="))?;
        value.trim_matches('\'').to_owned()
    };
    (!user.is_empty()).then_some(user)
}

/// The address of a database without its password.
fn without_password(uri: &str) -> String {
    match credentials(uri).filter(|(.., rest)| !rest.contains("password")) {
        Some((scheme, user, rest)) => match user.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:{HIDDEN}{rest}"),
            None => uri.to_owned(),
        },
        // Quotes, blanks and escapes can hide where such a password ends.
        None if uri.contains("password") => HIDDEN.to_owned(),
        None => uri.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
