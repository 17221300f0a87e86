//! TLS as `sslmode` means it, made of rustls with ring.
//!
//! Invariant: `verify-ca` and `verify-full` never accept a certificate that no trusted root vouches
//! for; below them no certificate is checked, exactly as libpq does it.

use std::path::Path;
use std::sync::Arc;

use pgfleet_core::diagnose::{Code, Problem};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::spec::{RootCertificates, TlsMode, TlsSpec};

/// Builds what makes TLS connections for this specification.
pub(super) fn connector(spec: &TlsSpec) -> Result<MakeRustlsConnect, Problem> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[_] =
        if spec.only_tls13 { &[&rustls::version::TLS13] } else { rustls::DEFAULT_VERSIONS };
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|error| failed(&error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier(spec, &provider)?);
    let mut config = match client_certificate(spec)? {
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| failed(&format!("the client certificate cannot be used: {error}")))?,
        None => builder.with_no_client_auth(),
    };
    // PostgreSQL 17 wants this name when TLS begins at once.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

fn failed(what: &str) -> Problem {
    Problem::error(Code::TlsFailed, what)
}

type Verifier = Arc<dyn ServerCertVerifier>;

fn verifier(spec: &TlsSpec, provider: &Arc<CryptoProvider>) -> Result<Verifier, Problem> {
    let checks_name = spec.mode == TlsMode::VerifyFull;
    let wanted = spec.mode >= TlsMode::VerifyCa;
    // libpq: with a root certificate at hand, `require` checks the authority.
    if !wanted && (spec.mode != TlsMode::Require || spec.root.is_none()) {
        return Ok(Arc::new(AnyCertificate(provider.clone())));
    }
    let roots = trusted_roots(spec)?;
    let pinned = roots.clone();
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots);
    let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone())
        .build()
        .map_err(|error| failed(&format!("the root certificates cannot be used: {error}")))?;
    Ok(Arc::new(TrustedCertificate { chain, pinned, checks_name }))
}

fn trusted_roots(spec: &TlsSpec) -> Result<Vec<CertificateDer<'static>>, Problem> {
    match &spec.root {
        Some(RootCertificates::System) => Ok(rustls_native_certs::load_native_certs().certs),
        Some(RootCertificates::File(file)) => read_certificates(file, "root"),
        None => Err(failed("no root certificate is given")
            .because(format!(
                "sslmode={} needs one, and ~/.postgresql/root.crt does not exist",
                spec.mode.as_str()
            ))
            .fix_with("trust the operating system's authorities", "sslrootcert=system")
            .fix_with("or name the provider's certificate file", "sslrootcert=FILE.pem")),
    }
}

fn read_certificates(file: &Path, whose: &str) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let unreadable = |why: String| {
        failed(&format!("the {whose} certificate file {} cannot be used", file.display()))
            .because(why)
    };
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unreadable("it holds no certificate in PEM form".to_owned()));
    }
    Ok(certificates)
}

type ClientCertificate = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_certificate(spec: &TlsSpec) -> Result<Option<ClientCertificate>, Problem> {
    match (&spec.certificate, &spec.key) {
        (None, _) => Ok(None),
        _ if spec.mode == TlsMode::Disable => Ok(None),
        (Some(file), None) => {
            Err(failed(&format!("the client certificate {} has no key", file.display()))
                .fix_with("name the key's file", "sslkey=FILE.key"))
        }
        (Some(file), Some(key_file)) => {
            let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| {
                failed(&format!("the client key {} cannot be used", key_file.display()))
                    .because(error.to_string())
            })?;
            Ok(Some((read_certificates(file, "client")?, key)))
        }
    }
}

/// Takes any certificate, but the server must hold its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Takes certificates of trusted authorities, and those that are themselves in the root file.
#[derive(Debug)]
struct TrustedCertificate {
    chain: Arc<WebPkiServerVerifier>,
    /// A self-signed server certificate, as PostgreSQL's documentation has one made, stands in
    /// the root file itself; webpki refuses an authority's certificate as a server's.
    pinned: Vec<CertificateDer<'static>>,
    checks_name: bool,
}

impl ServerCertVerifier for TrustedCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.pinned.iter().any(|root| root.as_ref() == end_entity.as_ref()) {
            return self.verify_pinned(end_entity, server_name);
        }
        let verdict = self.chain.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verdict {
            Err(Error::InvalidCertificate(reason)) if is_name(&reason) && !self.checks_name => {
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

impl TrustedCertificate {
    fn verify_pinned(
        &self,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
    ) -> Result<ServerCertVerified, Error> {
        if self.checks_name {
            rustls::client::verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
        }
        Ok(ServerCertVerified::assertion())
    }
}

/// The chain was found good and only the name differs: webpki checks the name last.
fn is_name(reason: &CertificateError) -> bool {
    matches!(
        reason,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
    )
}
