//! https, from a certificate and a key in PEM files.

use anyhow::{Context, anyhow};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::HttpConfig;

/// rustls' configuration (TLS 1.2 and 1.3); `None` where no certificate is named.
pub fn config(config: &HttpConfig) -> anyhow::Result<Option<ServerConfig>> {
    let (certificates, key) = match (&config.ssl_certfile, &config.ssl_keyfile) {
        (Some(certificates), Some(key)) => (certificates, key),
        (None, None) => return Ok(None),
        // Plain http in the place of https would be worse than none.
        _ => return Err(anyhow!("--ssl-certfile and --ssl-keyfile go together")),
    };
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read the certificates: {}", certificates.display()))?;
    if chain.is_empty() {
        return Err(anyhow!("no certificate in {}", certificates.display()));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read the key: {}", key.display()))?;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Some(
        builder
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .context("the key does not fit the certificate")?,
    ))
}
