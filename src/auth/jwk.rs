//! Keys: reads, checks and makes JSON Web Keys (RFC 7517, 7518, 8037); verifies and makes signatures. The key decides which
//! algorithms it may be used with, and never the token (RFC 8725, section 3.1).

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey, RsaKeyPair, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, crypto};
use serde_json::{Map, Value, json};

/// The algorithms (RFC 7518, section 3.1; RFC 8037). `none` is not among them.
const ALGORITHMS: [(&str, Algorithm); 12] = [
    ("HS256", Algorithm::HS256),
    ("HS384", Algorithm::HS384),
    ("HS512", Algorithm::HS512),
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// Bits of an RSA modulus. Smaller ones are weak, and larger ones take too long (RFC 7518, section 3.3).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The algorithm of this name. Names are case-sensitive.
pub fn algorithm(name: &str) -> Option<Algorithm> {
    ALGORITHMS.iter().find(|(n, _)| *n == name).map(|(_, a)| *a)
}

/// The name of an algorithm.
pub fn algorithm_name(algorithm: Algorithm) -> &'static str {
    ALGORITHMS.iter().find(|(_, a)| *a == algorithm).map_or("", |(n, _)| n)
}

/// Why a key is not usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is not for signatures, or its kind is unknown. Other keys of the same set may be usable.
    NotForSignatures,
    /// It is weak or malformed, or it is a private key where a public one is expected.
    Invalid(&'static str),
}

/// A key that verifies signatures.
pub struct Verifier {
    key: DecodingKey,
    algorithms: Vec<Algorithm>,
}

impl Verifier {
    /// Reads a public key.
    ///
    /// # Errors
    /// The key is not for signatures, of an unknown kind, private, weak or malformed.
    pub fn of_public(jwk: &Map<String, Value>) -> Result<Self, Unusable> {
        use Unusable::{Invalid, NotForSignatures};
        if jwk.get("kty").and_then(Value::as_str) == Some("oct") {
            return Err(Invalid("it is symmetric: load it with restful.load_secret"));
        }
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|secret| jwk.contains_key(*secret)) {
            return Err(Invalid("it holds the private key, which only its owner should have"));
        }
        if !is_for_signatures(jwk) {
            return Err(NotForSignatures);
        }
        let bytes = |name: &str| {
            let text = jwk.get(name).and_then(Value::as_str).ok_or(Invalid("it lacks a member"))?;
            decode(text).ok_or(Invalid("a member is not valid base64url"))
        };
        let curve = jwk.get("crv").and_then(Value::as_str).unwrap_or_default();
        let (key, mut algorithms) = match (jwk.get("kty").and_then(Value::as_str).unwrap_or_default(), curve) {
            ("RSA", _) => {
                let (n, e) = (bytes("n")?, bytes("e")?);
                check_rsa(&n, &e)?;
                (DecodingKey::from_rsa_raw_components(&n, &e), AlgorithmFamily::Rsa.algorithms().to_vec())
            }
            ("EC", "P-256" | "P-384") => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                let (size, kind, algorithm): (_, &'static dyn VerificationAlgorithm, _) = match curve {
                    "P-256" => (32, &ECDSA_P256_SHA256_FIXED, Algorithm::ES256),
                    _ => (48, &ECDSA_P384_SHA384_FIXED, Algorithm::ES384),
                };
                if x.len() != size || y.len() != size {
                    return Err(Invalid("a coordinate does not have the length that its curve requires"));
                }
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                if !is_well_formed(kind, &point) {
                    return Err(Invalid("it is not a point on its curve"));
                }
                (DecodingKey::from_ec_der(&point), vec![algorithm])
            }
            ("OKP", "Ed25519") => {
                let x = bytes("x")?;
                if x.len() != 32 || is_of_small_order(&x) || !is_well_formed(&ED25519, &x) {
                    return Err(Invalid("it is not a point on its curve, or has small order"));
                }
                (DecodingKey::from_ed_der(&x), vec![Algorithm::EdDSA])
            }
            _ => return Err(NotForSignatures),
        };
        if let Some(name) = jwk.get("alg") {
            let name = name.as_str().ok_or(Invalid("its alg is not text"))?;
            // RFC 9864 has its own name for it
            let only = algorithm(if name == "Ed25519" { "EdDSA" } else { name }).ok_or(NotForSignatures)?;
            if !algorithms.contains(&only) {
                return Err(Invalid("its alg does not fit its kind of key"));
            }
            algorithms = vec![only];
        }
        Ok(Verifier { key, algorithms })
    }

    /// A secret for HMAC with one algorithm. It must be at least as long as the hash (RFC 7518, section 3.2).
    ///
    /// # Errors
    /// The algorithm is not an HMAC, or the secret is shorter than its hash.
    pub fn of_secret(secret: &[u8], algorithm: Algorithm) -> Result<Self, Unusable> {
        let least = match algorithm {
            Algorithm::HS256 => 32,
            Algorithm::HS384 => 48,
            Algorithm::HS512 => 64,
            _ => return Err(Unusable::Invalid("a secret can only be used with HS256, HS384 or HS512")),
        };
        if secret.len() < least {
            return Err(Unusable::Invalid("it is too short: it must have as many bytes as the hash, 32 for HS256"));
        }
        Ok(Verifier { key: DecodingKey::from_secret(secret), algorithms: vec![algorithm] })
    }

    /// Whether the key may be used with an algorithm.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether a signature, in base64url, belongs to this message.
    pub fn verify(&self, signature: &str, message: &[u8], algorithm: Algorithm) -> bool {
        self.allows(algorithm) && crypto::verify(signature, message, &self.key, algorithm).unwrap_or(false)
    }
}

/// The public half of a JSON Web Key with this `kid`. It may be stored where others can read it.
pub fn public_part(jwk: &Map<String, Value>, kid: &str) -> Value {
    let mut public = Map::new();
    for name in ["kty", "crv", "x", "y", "n", "e", "alg"] {
        if let Some(value) = jwk.get(name) {
            public.insert(name.to_owned(), value.clone());
        }
    }
    public.insert("use".to_owned(), "sig".into());
    public.insert("kid".to_owned(), kid.into());
    Value::Object(public)
}

/// The thumbprint of a public key (RFC 7638). It serves as the `kid` of a key without one.
pub fn thumbprint(jwk: &Map<String, Value>) -> String {
    // the required members, in alphabetical order
    let members: Map<String, Value> = ["crv", "e", "kty", "n", "x", "y"]
        .iter()
        .filter_map(|m| Some(((*m).to_owned(), jwk.get(*m)?.clone())))
        .collect();
    let text = Value::Object(members).to_string();
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()))
}

/// A key for signing tokens: its private half in the form that [`sign`] takes and, unless it is symmetric, its public half as a
/// JSON Web Key.
pub struct GeneratedKey {
    pub private: Vec<u8>,
    pub public: Option<Map<String, Value>>,
}

/// Makes a key. `None` if the operating system has no random bytes.
pub fn generate(algorithm: Algorithm) -> Option<GeneratedKey> {
    let name = algorithm_name(algorithm);
    let (private, public) = match algorithm {
        Algorithm::HS256 => (random::<32>()?, None),
        Algorithm::HS384 => (random::<48>()?, None),
        Algorithm::HS512 => (random::<64>()?, None),
        Algorithm::ES256 | Algorithm::ES384 => {
            let (kind, curve) = match algorithm {
                Algorithm::ES256 => (&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
                _ => (&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            };
            let private = EcdsaKeyPair::generate_pkcs8(kind, &SystemRandom::new()).ok()?;
            let pair = EcdsaKeyPair::from_pkcs8(kind, private.as_ref()).ok()?;
            // uncompressed: 4, x, y
            let point = pair.public_key().as_ref().get(1..)?;
            let (x, y) = point.split_at(point.len() / 2);
            let jwk =
                json!({"kty": "EC", "crv": curve, "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)});
            (private.as_ref().to_vec(), Some(jwk))
        }
        Algorithm::EdDSA => {
            let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).ok()?;
            let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).ok()?;
            let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
            (private.as_ref().to_vec(), Some(json!({"kty": "OKP", "crv": "Ed25519", "x": x})))
        }
        _ => {
            let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).ok()?;
            let public = pair.public_key();
            let n = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
            let e = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
            let pkcs8 = AsDer::as_der(&pair).ok()?;
            // Signing takes RSAPrivateKey (RFC 8017), which is the last part of PKCS #8. At this size, 26 bytes precede it.
            let private = pkcs8.as_ref().get(26..)?.to_vec();
            RsaKeyPair::from_der(&private).ok()?;
            (private, Some(json!({"kty": "RSA", "n": n, "e": e})))
        }
    };
    let public = public.and_then(|jwk| match jwk {
        Value::Object(mut jwk) => {
            jwk.insert("alg".to_owned(), name.into());
            Some(jwk)
        }
        _ => None,
    });
    Some(GeneratedKey { private, public })
}

/// A random name for a key, which discloses nothing about the key.
pub fn random_kid() -> Option<String> {
    Some(URL_SAFE_NO_PAD.encode(random::<16>()?))
}

/// Random bytes. `None` if the operating system has none.
pub fn random<const N: usize>() -> Option<Vec<u8>> {
    let mut bytes = vec![0; N];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

/// Signs a message with a key of [`generate`] or a secret. Returns the signature in base64url, or `None` if the key does not fit
/// the algorithm.
pub fn sign(message: &[u8], private: &[u8], algorithm: Algorithm) -> Option<String> {
    let key = match algorithm.family() {
        AlgorithmFamily::Hmac => EncodingKey::from_secret(private),
        AlgorithmFamily::Rsa => EncodingKey::from_rsa_der(private),
        AlgorithmFamily::Ec => EncodingKey::from_ec_der(private),
        AlgorithmFamily::Ed => EncodingKey::from_ed_der(private),
    };
    crypto::sign(message, &key, algorithm).ok()
}

/// The bytes of base64url without padding (RFC 7515, section 2). Only the canonical spelling is accepted.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The bytes of base64 in either alphabet, with or without padding, on one line or several: the ways in which people write secrets.
pub fn decode_any(text: &str) -> Option<Vec<u8>> {
    let joined: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    decode(&joined.trim_end_matches('=').replace('+', "-").replace('/', "_"))
}

/// base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn is_for_signatures(jwk: &Map<String, Value>) -> bool {
    let verifies = |operations: &Value| operations.as_array().is_some_and(|o| o.iter().any(|o| o == "verify"));
    jwk.get("use").is_none_or(|usage| usage == "sig") && jwk.get("key_ops").is_none_or(verifies)
}

fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), Unusable> {
    let (Some(first), Some(last)) = (n.first(), n.last()) else { return Err(Unusable::Invalid("it lacks a member")) };
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    if *first == 0 || last % 2 == 0 || !RSA_BITS.contains(&bits) {
        return Err(Unusable::Invalid("its modulus must have 2048 to 8192 bits"));
    }
    let exponent = e.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    if e.len() > 4 || exponent < 3 || exponent % 2 == 0 {
        return Err(Unusable::Invalid("its exponent must be odd, from 3 to 2^32"));
    }
    Ok(())
}

fn is_well_formed(kind: &'static dyn VerificationAlgorithm, key: &[u8]) -> bool {
    ParsedPublicKey::new(kind, key).is_ok()
}

/// Points for which anybody can make signatures (RFC 8032 accepts them when decoding; RFC 7748, section 7 lists such points),
/// without their sign.
const SMALL_ORDER: [[u8; 32]; 7] = {
    let one = {
        let mut point = [0; 32];
        point[0] = 1;
        point
    };
    const fn below_prime(low: u8) -> [u8; 32] {
        let mut point = [0xff; 32];
        point[0] = low;
        point[31] = 0x7f;
        point
    }
    [
        [0; 32],
        one,
        below_prime(0xec),
        below_prime(0xed),
        below_prime(0xee),
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
            0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
            0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
    ]
};

fn is_of_small_order(point: &[u8]) -> bool {
    SMALL_ORDER.iter().any(|known| {
        point
            .iter()
            .zip(known)
            .enumerate()
            .all(|(i, (byte, known))| (byte & if i == 31 { 0x7f } else { 0xff }) == *known)
    })
}
