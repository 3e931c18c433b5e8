//! The SQL functions of keys and tokens: `load_jwks`, `load_secret`, `create_signing_key`, `revoke_key`, `jwt_sign`, `jwt_verify`,
//! `jwt_check`, `jwks`. Their error messages never contain any part of a key or token.

use crate::auth::claims::{Flaw, check_registered};
use crate::auth::jwk::{self, GeneratedKey, Unusable, Verifier};
use crate::auth::path::Path;
use crate::auth::token::{self, Refusal};
use crate::limits::{KEY_ID_BYTES, TOKEN_BYTES};
use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::{argument, detoasted, text, v1_function};
use crate::pg::ffi::preserving_error_data::preserving_error_data;
use crate::pg::ffi::varlena::payload;
use crate::pg::ffi::{composite, jsonb};
use crate::pg::keys::signing::{self, SigningKey};
use crate::pg::keys::tables::{Tables, with_tables};
use crate::pg::keys::verify::{self, CheckedToken};
use crate::sqlstate::SqlState;
use pgrx::prelude::*;
use pgrx::{FromDatum, IntoDatum, JsonB, pg_sys};
use serde_json::{Map, Value};

const PUT_ISSUER: &str = "\
    INSERT INTO restful.token_issuer AS i (issuer, audiences, role_path) VALUES ($1, coalesce($2, '{}'), coalesce($3, '$.role'))
    ON CONFLICT (issuer) DO UPDATE SET audiences = coalesce($2, i.audiences), role_path = coalesce($3, i.role_path)";
const DELETE_PUBLIC_KEYS: &str = "\
    DELETE FROM restful.public_key k
    WHERE k.issuer OPERATOR(pg_catalog.=) $1 AND NOT EXISTS (
        SELECT FROM restful.secret_key s
        WHERE s.issuer OPERATOR(pg_catalog.=) k.issuer AND s.kid OPERATOR(pg_catalog.=) k.kid)";
const PUT_PUBLIC_KEY: &str = "\
    INSERT INTO restful.public_key (issuer, kid, jwk) VALUES ($1, $2, $3)
    ON CONFLICT (issuer, kid) DO UPDATE SET jwk = excluded.jwk";
const PUT_SECRET_KEY: &str = "\
    INSERT INTO restful.secret_key (issuer, kid, algorithm, secret) VALUES ($1, $2, $3, $4)
    ON CONFLICT (issuer, kid) DO UPDATE SET algorithm = excluded.algorithm, secret = excluded.secret, created_at = DEFAULT";
const DELETE_PUBLIC_KEY: &str = "\
    DELETE FROM restful.public_key k
    WHERE k.kid OPERATOR(pg_catalog.=) $1 AND ($2 IS NULL OR k.issuer OPERATOR(pg_catalog.=) $2)";
const DELETE_SECRET_KEY: &str = "\
    DELETE FROM restful.secret_key k
    WHERE k.kid OPERATOR(pg_catalog.=) $1 AND ($2 IS NULL OR k.issuer OPERATOR(pg_catalog.=) $2)";

fn refuse_with_hint(message: &str, hint: &str) -> ! {
    raise(SqlState::INVALID_PARAMETER_VALUE, message, None, Some(hint))
}

fn refuse_value(message: impl AsRef<str>) -> ! {
    raise(SqlState::INVALID_PARAMETER_VALUE, message.as_ref(), None, None)
}

/// An issuer, from the arguments of a function.
struct Issuer {
    name: String,
    audiences: Option<Vec<String>>,
    role_path: Option<String>,
}

impl Issuer {
    unsafe fn of(call: pg_sys::FunctionCallInfo, name: usize, audiences: usize) -> Self {
        // SAFETY: the call frame of a running function; the arguments are a text and a text[].
        unsafe {
            let Some(issuer) = text(call, name) else {
                refuse_value("the issuer is null: pass its name, or '' for any issuer")
            };
            let audiences = argument(call, audiences).map(|datum| {
                let audiences = Vec::<Option<String>>::from_datum(datum, false).unwrap_or_default();
                let audiences: Option<Vec<String>> = audiences.into_iter().collect();
                audiences.unwrap_or_else(|| refuse_value("an audience is null"))
            });
            Issuer { name: issuer.to_owned(), audiences, role_path: None }
        }
    }

    unsafe fn with_role_path(mut self, call: pg_sys::FunctionCallInfo, role_path: usize) -> Self {
        // SAFETY: the call frame of a running function; the argument is a text.
        unsafe {
            self.role_path = text(call, role_path).map(str::to_owned);
            if self.role_path.as_ref().is_some_and(|path| Path::parse(path).is_none()) {
                refuse_value(
                    "the path of the role is malformed: examples of valid paths are $.role, $.app.roles[0] and $[\"a name\"]",
                );
            }
            self
        }
    }

    fn put(&self, tables: &mut Tables) -> spi::Result<()> {
        let arguments = &[self.name.as_str().into(), self.audiences.clone().into(), self.role_path.as_deref().into()];
        tables.change(PUT_ISSUER, arguments).map(drop)
    }
}

/// A `kid`, from an argument of a function; `None` if it is null.
unsafe fn key_id(call: pg_sys::FunctionCallInfo, i: usize) -> Option<String> {
    // SAFETY: the call frame of a running function; the argument is a text.
    unsafe {
        let kid = text(call, i)?;
        if kid.is_empty() || kid.len() > KEY_ID_BYTES {
            refuse_value(format!("a kid must have 1 to {KEY_ID_BYTES} bytes"));
        }
        Some(kid.to_owned())
    }
}

v1_function!(restful_load_jwks);
/// `restful.load_jwks(issuer text, jwks jsonb, audiences text[], role_path text)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_load_jwks(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| {
            let issuer = Issuer::of(call, 0, 2).with_role_path(call, 3);
            let jwks: Option<Value> =
                detoasted(call, 1).and_then(|jwks| serde_json::from_slice(payload(jsonb::to_text(jwks))).ok());
            let set = jwks.as_ref().and_then(|jwks| jwks.get("keys")).and_then(Value::as_array);
            let Some(set) = set else {
                refuse_value("a JSON Web Key Set is an object whose member \"keys\" is an array")
            };
            let mut loaded: Vec<(String, Value)> = Vec::with_capacity(set.len());
            for (i, jwk) in set.iter().enumerate() {
                let Some(jwk) = jwk.as_object() else { refuse_value(format!("key {i} is not an object")) };
                match Verifier::of_public(jwk) {
                    Ok(_) => {}
                    Err(Unusable::NotForSignatures) => continue,
                    Err(Unusable::Invalid(why)) => refuse_value(format!("key {i} cannot be used: {why}")),
                }
                let kid = match jwk.get("kid") {
                    None => jwk::thumbprint(jwk),
                    Some(Value::String(kid)) if (1..=KEY_ID_BYTES).contains(&kid.len()) => kid.clone(),
                    Some(_) => refuse_value(format!("the kid of key {i} is not a string of 1 to {KEY_ID_BYTES} bytes")),
                };
                if loaded.iter().any(|(other, _)| *other == kid) {
                    refuse_value(format!("key {i} has the same kid as another key"));
                }
                let public = jwk::public_part(jwk, &kid);
                loaded.push((kid, public));
            }
            let count = loaded.len() as i32;
            with_tables(|tables| {
                issuer.put(tables)?;
                tables.change(DELETE_PUBLIC_KEYS, &[issuer.name.as_str().into()])?;
                for (kid, jwk) in loaded {
                    tables.change(PUT_PUBLIC_KEY, &[issuer.name.as_str().into(), kid.into(), JsonB(jwk).into()])?;
                }
                Ok(())
            });
            count.into()
        })
    }
}

v1_function!(restful_load_secret);
/// `restful.load_secret(secret text, kid text, issuer text, algorithm text, audiences text[], role_path text, is_base64 boolean)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_load_secret(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| {
            let Some(secret) = text(call, 0) else { refuse_value("the secret is null") };
            let is_base64 = argument(call, 6).is_some_and(|datum| datum.value() != 0);
            let secret = read_secret(secret, is_base64);
            let Some(algorithm) = text(call, 3).and_then(jwk::algorithm) else {
                refuse_value("the algorithm of a secret must be HS256, HS384 or HS512")
            };
            if let Err(Unusable::Invalid(why)) = Verifier::of_secret(&secret, algorithm) {
                refuse_value(format!("the secret cannot be used: {why}"));
            }
            let issuer = Issuer::of(call, 2, 4).with_role_path(call, 5);
            let kid = key_id(call, 1).or_else(jwk::random_kid).unwrap_or_else(no_randomness);
            with_tables(|tables| {
                issuer.put(tables)?;
                let name = jwk::algorithm_name(algorithm);
                let arguments = &[issuer.name.as_str().into(), kid.as_str().into(), name.into(), secret.into()];
                tables.change(PUT_SECRET_KEY, arguments)?;
                Ok(())
            });
            kid.into_datum().unwrap_or(pg_sys::Datum::null())
        })
    }
}

/// The bytes of a secret. Refuses what is probably a mistake: a secret with a line break at its end verifies no token, and no later
/// error would say why.
fn read_secret(secret: &str, is_base64: bool) -> Vec<u8> {
    if secret.trim_start().starts_with("-----BEGIN") {
        refuse_with_hint(
            "the secret is a key in PEM",
            "Load public keys as a JSON Web Key Set with restful.load_jwks(). An HMAC secret can be any bytes.",
        )
    }
    if secret.trim_start().starts_with('{') && serde_json::from_str::<Map<String, Value>>(secret).is_ok() {
        refuse_with_hint(
            "the secret is a JSON object",
            "For a JSON Web Key of type oct, pass its member k and is_base64 => true. Load public keys with restful.load_jwks().",
        )
    }
    if is_base64 {
        let Some(secret) = jwk::decode_any(secret) else {
            refuse_with_hint(
                "the secret is not valid base64",
                "It may contain letters, digits, + and / or - and _, and = at the end. Spaces and line breaks are ignored.",
            )
        };
        return secret;
    }
    if secret.contains(['\n', '\r']) {
        refuse_with_hint(
            "the secret contains a line break, which would become part of it",
            "Remove it. If the secret is base64, as openssl rand -base64 prints it, pass is_base64 => true. \
             If the line break does belong to the secret, pass the whole secret in base64.",
        )
    }
    secret.as_bytes().to_vec()
}

fn no_randomness<T>() -> T {
    raise(SqlState::INTERNAL_ERROR, "a key cannot be made: the operating system returned no random bytes", None, None)
}

v1_function!(restful_create_signing_key);
/// `restful.create_signing_key(algorithm text, kid text, issuer text, audiences text[], role_path text)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_create_signing_key(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| {
            let Some(algorithm) = text(call, 0).and_then(jwk::algorithm) else {
                raise(
                    SqlState::INVALID_PARAMETER_VALUE,
                    "unknown algorithm",
                    None,
                    Some(
                        "It is one of ES256, ES384, EdDSA, RS256, RS384, RS512, PS256, PS384, PS512, HS256, HS384 and HS512.",
                    ),
                )
            };
            let issuer = Issuer::of(call, 2, 3).with_role_path(call, 4);
            let GeneratedKey { private, public } = jwk::generate(algorithm).unwrap_or_else(no_randomness);
            let kid = key_id(call, 1).or_else(|| match &public {
                Some(public) => Some(jwk::thumbprint(public)),
                None => jwk::random_kid(),
            });
            let kid = kid.unwrap_or_else(no_randomness);
            with_tables(|tables| {
                issuer.put(tables)?;
                let (name, kid) = (issuer.name.as_str(), kid.as_str());
                tables.change(DELETE_PUBLIC_KEY, &[kid.into(), name.into()])?;
                if let Some(public) = &public {
                    let public = JsonB(jwk::public_part(public, kid));
                    tables.change(PUT_PUBLIC_KEY, &[name.into(), kid.into(), public.into()])?;
                }
                let arguments = &[name.into(), kid.into(), jwk::algorithm_name(algorithm).into(), private.into()];
                tables.change(PUT_SECRET_KEY, arguments)?;
                Ok(())
            });
            kid.into_datum().unwrap_or(pg_sys::Datum::null())
        })
    }
}

v1_function!(restful_revoke_key);
/// `restful.revoke_key(kid text, issuer text)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_revoke_key(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| {
            let (kid, issuer) = (text(call, 0), text(call, 1));
            let was_there = with_tables(|tables| {
                let mut dropped = 0;
                for statement in [DELETE_PUBLIC_KEY, DELETE_SECRET_KEY] {
                    dropped += tables.change(statement, &[kid.into(), issuer.into()])?;
                }
                Ok(dropped > 0)
            });
            was_there.into()
        })
    }
}

v1_function!(restful_jwt_sign);
/// `restful.jwt_sign(claims jsonb, ttl interval, kid text)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_jwt_sign(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| {
            let claims =
                detoasted(call, 0).and_then(|claims| serde_json::from_slice(payload(jsonb::to_text(claims))).ok());
            let Some(Value::Object(mut claims)) = claims else { refuse_value("claims must be a JSON object") };
            check_signable(&claims);
            let Some(ttl) = argument(call, 1).map(|datum| seconds(datum)).filter(|ttl| *ttl > 0) else {
                refuse_value("the time to live must be positive")
            };
            let Some(key) = SigningKey::newest(text(call, 2)) else {
                raise(
                    SqlState::UNDEFINED_OBJECT,
                    "there is no such signing key",
                    None,
                    Some("Create one with restful.create_signing_key()."),
                )
            };
            if !key.issuer.is_empty() {
                let issuer = claims.entry("iss").or_insert_with(|| key.issuer.as_str().into());
                if *issuer != key.issuer.as_str() {
                    refuse_value("the claim iss differs from the issuer of the key");
                }
            }
            if !key.audiences.is_empty() {
                claims.entry("aud").or_insert_with(|| match key.audiences.as_slice() {
                    [audience] => audience.as_str().into(),
                    audiences => audiences.to_vec().into(),
                });
            }
            let now = verify::now() as i64;
            claims.entry("iat").or_insert_with(|| now.into());
            claims.insert("exp".to_owned(), (now + ttl).into());
            let token = jwk::algorithm(&key.algorithm)
                .and_then(|algorithm| token::signed(&claims, "JWT", &key.kid, &key.secret, algorithm))
                .unwrap_or_else(|| raise(SqlState::INTERNAL_ERROR, "the key cannot be used", None, None));
            if token.len() > TOKEN_BYTES {
                refuse_value(format!(
                    "the token would have {} bytes, and tokens of more than {TOKEN_BYTES} bytes are refused",
                    token.len()
                ));
            }
            token.into_datum().unwrap_or(pg_sys::Datum::null())
        })
    }
}

/// Refuses claims that would make the token invalid.
fn check_signable(claims: &Map<String, Value>) {
    let no_audience = Flaw::Type { claim: "aud", expected: "a string or an array of strings" };
    let flaw = match claims.get("aud") {
        Some(Value::Null) => Some(no_audience),
        _ => check_registered(claims).err(),
    };
    if let Some(flaw) = flaw {
        refuse_value(format!("the {}", flaw.words()));
    }
}

/// An interval in seconds. A month counts as 30 days, as in PostgreSQL.
unsafe fn seconds(interval: pg_sys::Datum) -> i64 {
    // SAFETY: an interval is passed by reference.
    unsafe {
        let interval = &*interval.cast_mut_ptr::<pg_sys::Interval>();
        (interval.time / 1_000_000)
            .saturating_add(i64::from(interval.day) * 86_400)
            .saturating_add(i64::from(interval.month) * 30 * 86_400)
            .min(i64::from(i32::MAX))
    }
}

const NO_KEYS: &str = "there is no key to verify tokens with";

v1_function!(restful_jwt_verify);
/// `restful.jwt_verify(token text)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_jwt_verify(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| {
            let refuse = |refusal: Option<Refusal>| {
                let message = refusal.map_or_else(|| NO_KEYS.to_owned(), |refusal| refusal.reason());
                raise(SqlState::INVALID_AUTHORIZATION, &message, None, None)
            };
            match verify::check(text(call, 0).unwrap_or_default()) {
                Ok(CheckedToken { signed, refusal: None }) => of_claims(&signed.claims),
                Ok(CheckedToken { refusal, .. }) | Err(refusal) => refuse(refusal),
            }
        })
    }
}

unsafe fn of_claims(claims: &Map<String, Value>) -> pg_sys::Datum {
    // SAFETY: called within a transaction.
    unsafe { jsonb::of_text(&serde_json::to_string(claims).unwrap_or_default()) }
}

v1_function!(restful_jwt_check);
/// `restful.jwt_check(token text)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_jwt_check(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| {
            let (refusal, claims) = match verify::check(text(call, 0).unwrap_or_default()) {
                Ok(CheckedToken { signed, refusal }) => {
                    (refusal.map(|refusal| refusal.reason()), Some(of_claims(&signed.claims)))
                }
                Err(refusal) => (Some(refusal.map_or_else(|| NO_KEYS.to_owned(), |refusal| refusal.reason())), None),
            };
            let is_valid = refusal.is_none();
            composite::form(call, [Some(is_valid.into()), refusal.and_then(|reason| reason.into_datum()), claims])
        })
    }
}

v1_function!(restful_jwks);
/// `restful.jwks()`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_jwks(_call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe { preserving_error_data(|| jsonb::of_text(&signing::public_keys().to_string())) }
}
