use super::*;
use crate::auth::jwk::{GeneratedKey, Unusable, generate, thumbprint};
use crate::auth::strict::Flaw;
use serde_json::json;

const NOW: f64 = 1_700_000_000.0;
const SECRET: &[u8] = b"a secret of thirty-two bytes, ok";
const STRICT: Policy = Policy { require_exp: true, require_aud: true };

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn issuer(name: &str, audiences: &[&str]) -> Rc<Issuer> {
    Rc::new(Issuer {
        name: name.to_owned(),
        audiences: audiences.iter().map(|a| (*a).to_owned()).collect(),
        role_path: Path::parse("$.role").unwrap(),
    })
}

fn secret_set(issuer: Rc<Issuer>) -> KeySet {
    let verifier = Verifier::of_secret(SECRET, Algorithm::HS256).unwrap();
    KeySet(vec![Key { issuer, kid: "k".to_owned(), verifier }])
}

fn public_set(kid: &str, jwk: &Map<String, Value>) -> KeySet {
    let verifier = Verifier::of_public(jwk).unwrap();
    KeySet(vec![Key { issuer: issuer("", &[]), kid: kid.to_owned(), verifier }])
}

/// A token with exactly this header and these claims, signed with the secret.
fn raw(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", jwk::encode(header.as_bytes()), jwk::encode(claims.as_bytes()));
    let signature = jwk::sign(message.as_bytes(), SECRET, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn refusal(header: &str) -> Option<Refusal> {
    secret_set(issuer("", &[])).verify(&raw(header, "{}")).err()
}

fn checked(issuer: Rc<Issuer>, policy: Policy, claims: &str) -> Result<(), Refusal> {
    secret_set(issuer).verify(&raw(r#"{"alg":"HS256"}"#, claims))?.check(policy, NOW)
}

#[test]
fn every_algorithm_signs_and_verifies() {
    for name in ["HS256", "HS384", "HS512", "RS256", "PS512", "ES256", "ES384", "EdDSA"] {
        let algorithm = jwk::algorithm(name).unwrap();
        let GeneratedKey { private, public } = generate(algorithm).unwrap();
        let claims = map(json!({"role": "web", "exp": NOW}));
        let token = signed(&claims, "JWT", "k", &private, algorithm).unwrap();
        let set = match &public {
            Some(jwk) => public_set("k", jwk),
            None => {
                let verifier = Verifier::of_secret(&private, algorithm).unwrap();
                KeySet(vec![Key { issuer: issuer("", &[]), kid: "k".to_owned(), verifier }])
            }
        };
        let verified = set.verify(&token).unwrap();
        assert_eq!((verified.role(), &*verified.claims), (Some("web"), &claims), "{name}");
        // another key of the same kind did not make it
        let other = generate(algorithm).unwrap();
        if let Some(jwk) = &other.public {
            assert!(public_set("k", jwk).verify(&token).is_err(), "{name}");
        }
    }
}

#[test]
fn t19_the_key_decides_the_algorithm() {
    assert_eq!(refusal(r#"{"alg":"HS256"}"#), None);
    for alg in ["none", "NONE", "nOnE", "", "hs256", "HS384", "RS256", "ES256", "A128KW"] {
        let found = refusal(&json!({"alg": alg}).to_string());
        assert!(matches!(found, Some(Refusal::UnknownAlgorithm | Refusal::OtherAlgorithm)), "{alg}: {found:?}");
    }
    for header in ["{}", r#"{"alg":null}"#, r#"{"alg":["HS256"]}"#] {
        assert_eq!(refusal(header), Some(Refusal::UnknownAlgorithm), "{header}");
    }
    // no signature at all
    let unsigned = format!("{}.{}.", jwk::encode(br#"{"alg":"none"}"#), jwk::encode(b"{}"));
    assert!(secret_set(issuer("", &[])).verify(&unsigned).is_err());
    let unsigned = format!("{}.{}.", jwk::encode(br#"{"alg":"HS256"}"#), jwk::encode(b"{}"));
    assert!(secret_set(issuer("", &[])).verify(&unsigned).is_err());
}

#[test]
fn t20_a_public_key_is_no_secret() {
    let GeneratedKey { public, .. } = generate(Algorithm::RS256).unwrap();
    let mut public = public.unwrap();
    let n = jwk::decode(public["n"].as_str().unwrap()).unwrap();
    for jwk_alg in [Some("RS256"), None] {
        match jwk_alg {
            Some(alg) => public.insert("alg".to_owned(), alg.into()),
            None => public.remove("alg"),
        };
        let set = public_set("k", &public);
        let text = Value::Object(public.clone()).to_string();
        for secret in [n.as_slice(), public["n"].as_str().unwrap().as_bytes(), text.as_bytes()] {
            let token = signed(&map(json!({"role": "web"})), "JWT", "k", secret, Algorithm::HS256).unwrap();
            assert_eq!(set.verify(&token).unwrap_err(), Refusal::OtherAlgorithm);
        }
    }
}

fn not_a_number(claim: &'static str) -> Result<(), Refusal> {
    Err(Refusal::Claim(claims::Flaw::Type { claim, expected: "a number" }))
}

#[test]
fn t21_times_are_finite_numbers() {
    let lax = Policy { require_exp: false, require_aud: false };
    for claim in ["exp", "nbf", "iat"] {
        for value in [r#""1700000000""#, "true", "null", "{}", "[1700000000]", r#"{"a": 1}"#] {
            let found = checked(issuer("", &[]), lax, &format!("{{\"{claim}\": {value}}}"));
            assert_eq!(found, not_a_number(claim), "{claim} {value}");
        }
        assert_eq!(checked(issuer("", &[]), lax, &format!("{{\"{claim}\": 1e400}}")), Err(Refusal::Claims(Flaw::Json)));
        assert!(checked(issuer("", &[]), lax, &format!("{{\"{claim}\": -1}}")).is_err(), "{claim}");
        assert!(checked(issuer("", &[]), lax, &format!("{{\"{claim}\": 1, \"{claim}\": 1700000000}}")).is_err());
    }
    assert_eq!(checked(issuer("", &[]), lax, "{}"), Ok(()));
    assert_eq!(checked(issuer("", &[]), STRICT, "{}"), Err(Refusal::Missing("exp")));
    assert_eq!(checked(issuer("", &[]), STRICT, r#"{"exp": 1e300}"#), Ok(()));
}

#[test]
fn t22_clocks_may_differ_by_thirty_seconds() {
    let at = |claim: &str, seconds: f64| {
        let claims =
            if claim == "exp" { json!({"exp": NOW + seconds}) } else { json!({"exp": NOW, claim: NOW + seconds}) };
        checked(issuer("", &[]), STRICT, &claims.to_string())
    };
    assert_eq!((at("exp", -29.0), at("exp", -31.0)), (Ok(()), Err(Refusal::Expired)));
    assert_eq!((at("nbf", 29.0), at("nbf", 31.0)), (Ok(()), Err(Refusal::NotYetValid)));
    assert_eq!((at("iat", 29.0), at("iat", 31.0)), (Ok(()), Err(Refusal::IssuedInFuture)));
}

#[test]
fn t23_an_audience_is_one_of_ours() {
    let lax = Policy { require_aud: false, ..STRICT };
    // the claim, and the result if it is required, not required, and if no audience is known
    let matrix = [
        (json!("us"), Ok(()), Ok(())),
        (json!(["them", "us"]), Ok(()), Ok(())),
        (json!("them"), Err(Refusal::Audience), Err(Refusal::Audience)),
        (json!(["them"]), Err(Refusal::Audience), Err(Refusal::Audience)),
        (json!(""), Err(Refusal::Audience), Err(Refusal::Audience)),
        (json!([]), Err(Refusal::Missing("aud")), Ok(())),
        (Value::Null, Err(Refusal::Missing("aud")), Ok(())),
    ];
    for (aud, strict, not) in matrix {
        let claims = json!({"exp": NOW, "aud": aud}).to_string();
        assert_eq!(checked(issuer("", &["us", "also us"]), STRICT, &claims), strict, "{aud}");
        assert_eq!(checked(issuer("", &["us", "also us"]), lax, &claims), not, "{aud}");
        assert_eq!(checked(issuer("", &[]), STRICT, &claims), Ok(()), "{aud}");
    }
    let missing = json!({"exp": NOW}).to_string();
    assert_eq!(checked(issuer("", &["us"]), STRICT, &missing), Err(Refusal::Missing("aud")));
    assert_eq!(checked(issuer("", &["us"]), lax, &missing), Ok(()));
    for aud in [json!(1), json!({"us": 1}), json!(["us", 1]), json!(true)] {
        let claims = json!({"exp": NOW, "aud": aud}).to_string();
        let flaw = claims::Flaw::Type { claim: "aud", expected: "a string or an array of strings" };
        assert_eq!(checked(issuer("", &[]), lax, &claims), Err(Refusal::Claim(flaw)), "{aud}");
    }
}

#[test]
fn t24_a_kid_is_a_name_and_nothing_else() {
    assert_eq!(refusal(r#"{"alg":"HS256","kid":"k"}"#), None);
    let long = "k".repeat(10_000);
    for kid in ["K", "", "../../dev/null", "k' OR 1=1 --", &"k".repeat(300)] {
        let found = refusal(&json!({"alg": "HS256", "kid": kid}).to_string());
        assert_eq!(found, Some(Refusal::UnknownKey), "{kid}");
    }
    assert_eq!(refusal(&json!({"alg": "HS256", "kid": long}).to_string()), Some(Refusal::TooLong));
    for kid in [json!(1), Value::Null, json!(["k"])] {
        assert_eq!(refusal(&json!({"alg": "HS256", "kid": kid}).to_string()), Some(Refusal::UnknownKey));
    }
    for (header, flaw) in
        [(r#"{"alg":"HS256","kid":"k","kid":"k"}"#, Flaw::Duplicate), (r#"{"alg":"HS256","kid":"k\u0000"}"#, Flaw::Nul)]
    {
        assert_eq!(refusal(header), Some(Refusal::Header(flaw)), "{header}");
    }
    // several keys with the same name: the one that made the signature counts
    let other = Verifier::of_secret(&[7; 32], Algorithm::HS256).unwrap();
    let mut set = secret_set(issuer("", &[]));
    set.0.insert(0, Key { issuer: issuer("", &[]), kid: "k".to_owned(), verifier: other });
    assert!(set.verify(&raw(r#"{"alg":"HS256","kid":"k"}"#, "{}")).is_ok());
}

#[test]
fn t25_other_forms_are_refused() {
    let set = secret_set(issuer("", &[]));
    let token = raw(r#"{"alg":"HS256"}"#, "{}");
    let (h, p, s) = {
        let mut parts = token.split('.');
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
    };
    for (text, parts) in
        [(format!("{h}.{p}"), 2), (format!("{token}.x"), 4), (format!("{h}..{p}.{s}.{s}"), 5), (h.to_owned(), 1)]
    {
        assert_eq!(set.verify(&text).unwrap_err(), Refusal::Parts(parts), "{text}");
    }
    assert_eq!(set.verify("").unwrap_err(), Refusal::Empty);
    // padding, blanks, the other alphabet, and trailing bits
    for text in [
        format!("{token}="),
        format!("{h}=.{p}.{s}"),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{h}.{p} .{s}"),
        token.replacen('.', ".+", 1),
        format!("{h}.{p}.{}", non_canonical(s)),
        format!("{}.{p}.{s}", h.replace('J', "%4A")),
    ] {
        assert!(matches!(set.verify(&text), Err(Refusal::NotBase64(_))), "{text}");
    }
    for header in [
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","b64":false}"#,
        r#"{"alg":"HS256","b64":true}"#,
        r#"{"alg":"HS256","zip":"DEF"}"#,
        r#"{"alg":"dir","enc":"A256GCM"}"#,
    ] {
        assert!(matches!(refusal(header), Some(Refusal::Extension(_))), "{header}");
    }
    for (header, flaw) in [(r#"{"alg":"HS256","alg":"HS256"}"#, Flaw::Duplicate), ("[]", Flaw::Kind), ("{", Flaw::Json)]
    {
        assert_eq!(refusal(header), Some(Refusal::Header(flaw)), "{header}");
    }
    for typ in ["JWS", "dpop+jwt", "logout+jwt", "secevent+jwt", ""] {
        assert_eq!(refusal(&json!({"alg": "HS256", "typ": typ}).to_string()), Some(Refusal::Type));
    }
    for typ in ["JWT", "jwt", "at+jwt", "application/at+JWT"] {
        assert_eq!(refusal(&json!({"alg": "HS256", "typ": typ}).to_string()), None);
    }
    // a key in the token, or at a URL in it, is ignored
    let GeneratedKey { private, public } = generate(Algorithm::EdDSA).unwrap();
    let header =
        json!({"alg": "EdDSA", "jwk": public, "jku": "https://evil.example/jwks", "x5u": "https://evil.example"});
    let message = format!("{}.{}", jwk::encode(header.to_string().as_bytes()), jwk::encode(b"{}"));
    let signature = jwk::sign(message.as_bytes(), &private, Algorithm::EdDSA).unwrap();
    assert!(set.verify(&format!("{message}.{signature}")).is_err());
    let own = generate(Algorithm::EdDSA).unwrap();
    assert!(public_set("k", &own.public.unwrap()).verify(&format!("{message}.{signature}")).is_err());
    assert_eq!(set.verify(&raw(r#"{"alg":"HS256"}"#, &"x".repeat(9000))).unwrap_err(), Refusal::TooLong);
    for (claims, flaw) in [
        ("[]", Flaw::Kind),
        ("1", Flaw::Kind),
        ("null", Flaw::Kind),
        (r#"{"a":1,"a":2}"#, Flaw::Duplicate),
        ("{", Flaw::Json),
    ] {
        assert_eq!(set.verify(&raw(r#"{"alg":"HS256"}"#, claims)).unwrap_err(), Refusal::Claims(flaw));
    }
}

/// The same bytes with a different last character, of which only the first bits count.
fn non_canonical(signature: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = *signature.as_bytes().last().unwrap();
    let at = ALPHABET.iter().position(|b| *b == last).unwrap();
    format!("{}{}", &signature[..signature.len() - 1], char::from(ALPHABET[at ^ 1]))
}

#[test]
fn t26_no_bit_can_be_flipped() {
    for name in ["HS256", "ES256", "EdDSA"] {
        let algorithm = jwk::algorithm(name).unwrap();
        let GeneratedKey { private, public } = generate(algorithm).unwrap();
        let set = match &public {
            Some(jwk) => public_set("k", jwk),
            None => {
                let verifier = Verifier::of_secret(&private, algorithm).unwrap();
                KeySet(vec![Key { issuer: issuer("", &[]), kid: "k".to_owned(), verifier }])
            }
        };
        let token = signed(&map(json!({"sub": "me", "exp": NOW})), "JWT", "k", &private, algorithm).unwrap();
        assert!(set.verify(&token).is_ok());
        for at in 0..token.len() {
            for bit in 0..8 {
                let mut bytes = token.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(text) = String::from_utf8(bytes) {
                    assert!(set.verify(&text).is_err(), "{name}: bit {bit} of byte {at}");
                }
            }
            assert!(set.verify(&token[..at]).is_err());
        }
    }
}

#[test]
fn t27_weak_and_broken_keys_are_not_loaded() {
    let refused = |jwk: Value| matches!(Verifier::of_public(&map(jwk)), Err(Unusable::Invalid(_)));
    let modulus = |bytes: usize| {
        let mut n = vec![0xc5; bytes];
        n[bytes - 1] = 0xc7;
        jwk::encode(&n)
    };
    assert!(!refused(json!({"kty": "RSA", "n": modulus(256), "e": "AQAB"})));
    assert!(refused(json!({"kty": "RSA", "n": modulus(128), "e": "AQAB"})));
    assert!(refused(json!({"kty": "RSA", "n": modulus(1025), "e": "AQAB"})));
    for e in ["AQ", "Ag", "AA", "", "AQABAQAB"] {
        assert!(refused(json!({"kty": "RSA", "n": modulus(256), "e": e})), "{e}");
    }
    assert!(refused(json!({"kty": "RSA", "e": "AQAB"})));
    assert!(refused(json!({"kty": "RSA", "n": format!("{}=", modulus(256)), "e": "AQAB"})));
    let GeneratedKey { public, .. } = generate(Algorithm::ES256).unwrap();
    let good = public.unwrap();
    let changed = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk.insert(name.to_owned(), value);
        Value::Object(jwk)
    };
    assert!(!refused(Value::Object(good.clone())));
    assert!(refused(changed("y", good["x"].clone())));
    assert!(refused(json!({"kty": "EC", "crv": "P-256", "x": jwk::encode(&[0; 32]), "y": jwk::encode(&[0; 32])})));
    assert!(refused(changed("x", jwk::encode(&[1; 31]).into())));
    assert!(refused(changed("alg", "ES384".into())));
    assert!(refused(changed("d", "AAAA".into())));
    assert!(refused(json!({"kty": "OKP", "crv": "Ed25519", "x": jwk::encode(&[0; 32])})));
    let mut identity = [0; 32];
    (identity[0], identity[31]) = (1, 0x80);
    assert!(refused(json!({"kty": "OKP", "crv": "Ed25519", "x": jwk::encode(&identity)})));
    assert!(refused(json!({"kty": "oct", "k": jwk::encode(SECRET)})));
    assert!(Verifier::of_secret(&[1; 31], Algorithm::HS256).is_err());
    assert!(Verifier::of_secret(&[1; 47], Algorithm::HS384).is_err());
    assert!(Verifier::of_secret(&[1; 63], Algorithm::HS512).is_err());
    assert!(Verifier::of_secret(&[1; 64], Algorithm::ES256).is_err());
    // other keys in a set are skipped
    for jwk in [
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
        json!({"kty": "RSA", "n": modulus(256), "e": "AQAB", "use": "enc"}),
        json!({"kty": "RSA", "n": modulus(256), "e": "AQAB", "key_ops": ["encrypt"]}),
        json!({"kty": "RSA", "n": modulus(256), "e": "AQAB", "alg": "RSA-OAEP"}),
        json!({}),
    ] {
        assert_eq!(Verifier::of_public(&map(jwk.clone())).err(), Some(Unusable::NotForSignatures), "{jwk}");
    }
}

#[test]
fn a_token_is_of_the_issuer_of_its_key() {
    let claims = |iss: Value| json!({"exp": NOW, "iss": iss}).to_string();
    let ours = || issuer("https://us.example", &[]);
    assert_eq!(checked(ours(), STRICT, &claims("https://us.example".into())), Ok(()));
    for iss in [json!("https://them.example"), json!("https://us.example/"), json!(["https://us.example"]), Value::Null]
    {
        assert_eq!(checked(ours(), STRICT, &claims(iss.clone())), Err(Refusal::Issuer), "{iss}");
    }
    assert_eq!(checked(ours(), STRICT, &json!({"exp": NOW}).to_string()), Err(Refusal::Issuer));
    assert_eq!(checked(issuer("", &[]), STRICT, &claims("https://them.example".into())), Ok(()));
    // two issuers with the same key name
    let mut set = secret_set(ours());
    let other = Verifier::of_secret(&[7; 32], Algorithm::HS256).unwrap();
    set.0.push(Key { issuer: issuer("https://them.example", &[]), kid: "k".to_owned(), verifier: other });
    let token = raw(r#"{"alg":"HS256","kid":"k"}"#, &claims("https://them.example".into()));
    assert!(set.verify(&token).is_err());
}

#[test]
fn a_subject_is_short_text() {
    let with = |sub: &str| checked(issuer("", &[]), STRICT, &json!({"exp": NOW, "sub": sub}).to_string());
    assert_eq!(with(&"x".repeat(255)), Ok(()));
    let length = Err(Refusal::Claim(claims::Flaw::SubjectLength));
    assert_eq!((with(&"x".repeat(256)), with("")), (length.clone(), length));
    // no claim holds U+0000
    assert_eq!(with("a\0b"), Err(Refusal::Claims(Flaw::Nul)));
    for sub in [json!(42), Value::Null, json!({"id": 1}), json!(["a"]), json!(true)] {
        let found = checked(issuer("", &[]), STRICT, &json!({"exp": NOW, "sub": sub}).to_string());
        assert_eq!(found, Err(Refusal::Claim(claims::Flaw::Type { claim: "sub", expected: "a string" })), "{sub}");
    }
}

#[test]
fn a_role_is_one_text() {
    let with = |role: Value| checked(issuer("", &[]), STRICT, &json!({"exp": NOW, "role": role}).to_string());
    assert_eq!((with("web".into()), with(Value::Null)), (Ok(()), Ok(())));
    for (role, kind) in [
        (json!(["web"]), "an array"),
        (json!({"a": 1}), "an object"),
        (json!(42), "a number"),
        (json!(true), "a boolean"),
    ] {
        assert_eq!(with(role), Err(Refusal::Role(kind)));
    }
}

#[test]
fn every_cause_has_its_own_reason() {
    let set = secret_set(issuer("", &[]));
    let token = raw(r#"{"alg":"HS256"}"#, "{}");
    let part = |at: usize, text: &str| {
        let mut parts: Vec<&str> = token.split('.').collect();
        parts[at] = text;
        parts.join(".")
    };
    let claims = |text: &str| part(1, &jwk::encode(text.as_bytes()));
    let header = |text: &str| part(0, &jwk::encode(text.as_bytes()));
    let mut reasons: Vec<String> = [
        String::new(),
        "x".repeat(9000),
        "a.b".to_owned(),
        part(0, "a="),
        part(1, "a="),
        part(2, "a="),
        header("{"),
        header("[]"),
        header(r#"{"alg":"HS256","alg":"HS256"}"#),
        header(r#"{"alg":"HS256","kid":"\u0000"}"#),
        header(r#"{"alg":"HS256","crit":[]}"#),
        header(r#"{"alg":"HS256","zip":"DEF"}"#),
        header(r#"{"alg":"HS256","typ":"x"}"#),
        header(r#"{"alg":"none"}"#),
        header(r#"{"alg":"HS512"}"#),
        header(r#"{"alg":"HS256","kid":"other"}"#),
        claims("{"),
        claims("[]"),
        claims(r#"{"a":1,"a":1}"#),
        claims(r#"{"a":"\u0000"}"#),
        claims(r#"{"a":1}"#),
    ]
    .iter()
    .map(|token| set.verify(token).unwrap_err().reason())
    .collect();
    let count = reasons.len();
    reasons.sort_unstable();
    reasons.dedup();
    assert_eq!(reasons.len(), count, "{reasons:#?}");
}

#[test]
fn refusals_hold_nothing_of_the_token() {
    let error = Refusal::Parts(2).into_error();
    assert_eq!((error.status, error.code.as_str()), (401, "PGRST301"));
    assert_eq!(error.headers[0].0, "www-authenticate");
    assert_eq!((Refusal::Expired.into_error().status, Refusal::Expired.into_error().code.as_str()), (401, "PGRST303"));
}

#[test]
fn a_thumbprint_is_that_of_the_rfc() {
    // RFC 7638, section 3.1
    let key = json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"
    });
    assert_eq!(thumbprint(&map(key)), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}
