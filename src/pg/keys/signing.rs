//! The keys that this database signs tokens with, and their public halves.

use crate::pg::keys::tables::with_tables;
use pgrx::JsonB;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;
use serde_json::{Value, json};

const NEWEST: &str = include_str!("../../../sql/query/keys/signing_key.sql");
const NEWEST_OF_ISSUER: &str = include_str!("../../../sql/query/keys/issuer_signing_key.sql");
const OWN_PUBLIC_KEYS: &str = include_str!("../../../sql/query/keys/own_public_keys.sql");

/// A private key or secret, and what tokens say that are signed with it.
pub(in crate::pg) struct SigningKey {
    pub issuer: String,
    pub audiences: Vec<String>,
    pub kid: String,
    pub algorithm: String,
    pub secret: Vec<u8>,
}

impl SigningKey {
    /// The key with this `kid`, or the newest key if `kid` is `None`.
    pub fn newest(kid: Option<&str>) -> Option<Self> {
        with_tables(|tables| tables.first(NEWEST, &[kid.into()], Self::of_row))
    }

    /// The newest key of an issuer; one with a public half, if there is one.
    pub fn newest_of_issuer(issuer: &str) -> Option<Self> {
        with_tables(|tables| tables.first(NEWEST_OF_ISSUER, &[issuer.into()], Self::of_row))
    }

    fn of_row(row: &SpiHeapTupleData) -> spi::Result<Self> {
        Ok(SigningKey {
            issuer: row.get(1)?.unwrap_or_default(),
            audiences: row.get(2)?.unwrap_or_default(),
            kid: row.get(3)?.unwrap_or_default(),
            algorithm: row.get(4)?.unwrap_or_default(),
            secret: row.get(5)?.unwrap_or_default(),
        })
    }
}

/// The public halves of the signing keys, as a JSON Web Key Set.
pub(in crate::pg) fn public_keys() -> Value {
    let keys = with_tables(|tables| tables.first(OWN_PUBLIC_KEYS, &[], |row| row.get::<JsonB>(1)));
    keys.flatten().map_or_else(|| json!({"keys": []}), |JsonB(keys)| keys)
}
