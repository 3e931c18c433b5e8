//! Data types, as the catalogue describes them.

use crate::limits::TYPE_DEPTH;
use serde::Deserialize;
use std::collections::HashMap;

/// Types and the types that they consist of.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Types {
    /// By `pg_type.oid`.
    pub by_oid: HashMap<u32, Type>,
    /// Whether `bytea_output` is `hex`.
    pub bytea_is_hex: bool,
}

impl Types {
    /// The domains around a type, the outermost first, and the type under them.
    pub fn domains(&self, mut of: TypeUse) -> (Vec<&Type>, TypeUse) {
        let mut domains = Vec::new();
        while domains.len() < TYPE_DEPTH
            && let Some(domain) = self.by_oid.get(&of.type_oid)
            && let Some(base) = domain.base
        {
            domains.push(domain);
            of = TypeUse { collation: of.collation, ..base };
        }
        (domains, of)
    }

    /// Removes the base of domains that have a cast to json: only the cast determines what their values are in bodies of the API.
    pub fn represent_domains(&mut self) {
        for domain in self.by_oid.values_mut().filter(|t| t.casts_to_json) {
            domain.base = None;
        }
    }
}

/// A type, with the modifier and collation of one use of it.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct TypeUse {
    /// `pg_type.oid`
    pub type_oid: u32,
    /// `pg_attribute.atttypmod`: a length, or precision and scale; -1 if absent.
    #[serde(default = "no_modifier")]
    pub modifier: i32,
    /// The collation of a text, if it is not the default.
    #[serde(default)]
    pub collation: Collation,
}

impl TypeUse {
    /// A type without modifier and collation.
    pub fn plain(type_oid: u32) -> Self {
        TypeUse { type_oid, modifier: no_modifier(), collation: Collation::default() }
    }
}

fn no_modifier() -> i32 {
    -1
}

/// The properties of a collation that CHECK constraints depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Collation {
    /// Texts are equal only if their bytes are equal.
    pub deterministic: bool,
    /// `\d` is `[0-9]`.
    pub ascii_digits: bool,
}

impl Default for Collation {
    fn default() -> Self {
        Collation { deterministic: true, ascii_digits: true }
    }
}

/// A data type.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Type {
    pub schema: String,
    pub name: String,
    /// As SQL spells it, qualified: `integer`, `api.mood[]`.
    #[serde(default)]
    pub sql: String,
    /// `pg_type.typtype`: `b`ase, `c`omposite, `d`omain, `e`num, `p`seudo, `r`ange, `m`ultirange.
    pub kind: String,
    /// The element type of an array.
    #[serde(default)]
    pub element: Option<u32>,
    /// The base type of a domain.
    #[serde(default)]
    pub base: Option<TypeUse>,
    /// The domain is NOT NULL.
    #[serde(default)]
    pub not_null: bool,
    /// The default expression of a domain.
    #[serde(default)]
    pub default: Option<String>,
    /// CHECK constraints of a domain.
    #[serde(default)]
    pub checks: Vec<String>,
    /// An enum's labels in their order.
    #[serde(default)]
    pub labels: Vec<String>,
    /// A composite type's attributes in their order.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// A cast to json determines how it is written.
    #[serde(default)]
    pub casts_to_json: bool,
}

/// An attribute of a composite type.
#[derive(Clone, Debug, Deserialize)]
pub struct Attribute {
    pub name: String,
    #[serde(flatten)]
    pub data_type: TypeUse,
}
