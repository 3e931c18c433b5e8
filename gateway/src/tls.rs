//! TLS to the database: which server certificates are trusted.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

/// What a server's certificate must satisfy.
#[derive(Debug)]
pub enum Check {
    /// Nothing. The connection is encrypted, but to whoever answers.
    Nothing,
    /// A chain to one of the roots.
    Chain(Roots),
    /// A chain to one of the roots, and the name of the host that we connect to.
    ChainAndName(Roots),
}

/// The trusted root certificates.
#[derive(Debug)]
pub struct Roots {
    store: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
}

impl Roots {
    /// Those of a file of PEM certificates.
    ///
    /// # Errors
    /// The file cannot be read, or has no usable certificate.
    pub fn of_file(path: &str) -> Result<Self, String> {
        let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
        let certificates: Vec<_> = certificates.map_err(|error| format!("sslrootcert={path}: {error}"))?;
        let roots = Self::new(certificates);
        if roots.store.len() < roots.certificates.len().max(1) {
            return Err(format!("sslrootcert={path}: contains no certificate, or one that cannot be used"));
        }
        Ok(roots)
    }

    /// Those of the operating system.
    ///
    /// # Errors
    /// The system has none.
    pub fn of_system() -> Result<Self, String> {
        let roots = Self::new(rustls_native_certs::load_native_certs().certs);
        if roots.store.is_empty() {
            return Err("sslrootcert=system: the system has no certificates (package ca-certificates)".to_owned());
        }
        Ok(roots)
    }

    fn new(certificates: Vec<CertificateDer<'static>>) -> Self {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates.iter().cloned());
        Self { store, certificates }
    }
}

/// Makes TLS connections to servers that pass the check.
///
/// # Errors
/// TLS cannot be set up.
pub fn connector(check: Check) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be used: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { check, algorithms }))
        .with_no_client_auth();
    // sslnegotiation=direct requires this.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

#[derive(Debug)]
struct Verifier {
    check: Check,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (Check::Chain(roots) | Check::ChainAndName(roots)) = &self.check else {
            return Ok(ServerCertVerified::assertion());
        };
        if roots.certificates.contains(certificate) {
            // The server's own certificate is the root. It is most likely self-signed, and often marked as an authority, which the
            // verification of chains does not accept as a server's certificate.
            within_validity(certificate, now)?;
        } else {
            let parsed = ParsedCertificate::try_from(certificate)?;
            let algorithms = self.algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&parsed, &roots.store, intermediates, now, algorithms)?;
        }
        if matches!(self.check, Check::ChainAndName(_)) {
            verify_server_name(&ParsedCertificate::try_from(certificate)?, host)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    /// Whatever the check, verifies that the server has the certificate's key, because channel binding relies on it.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if ParsedCertificate::try_from(certificate).is_ok() {
            return verify_tls13_signature(message, certificate, signature, &self.algorithms);
        }
        // A certificate of X.509 version 1, which openssl makes without extensions, has a key as well.
        let key = decoded(certificate)?.tbs_certificate.subject_public_key_info.to_der().map_err(|_| bad_encoding())?;
        verify_tls13_signature_with_raw_key(message, &SubjectPublicKeyInfoDer::from(key), signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn within_validity(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let validity = decoded(certificate)?.tbs_certificate.validity;
    let now = Duration::from_secs(now.as_secs());
    if now < validity.not_before.to_unix_duration() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after.to_unix_duration() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

fn decoded(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(certificate).map_err(|_| bad_encoding())
}

fn bad_encoding() -> Error {
    CertificateError::BadEncoding.into()
}
