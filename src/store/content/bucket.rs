//! A bucket of a server that speaks S3. What is signed and summed is done by OpenSSL, the one crypto library.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{
    ClientOptions, CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, Signer, SigningAlgorithm,
};
use object_store::{Error, Result, RetryConfig};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sha::Sha256;

use crate::config::S3Settings;

/// How long a request for a bucket may take: one chunk or one part each.
const REQUEST_TIME: Duration = Duration::from_secs(60);
/// How long a connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// A proxy that is asked for nothing, in place of one that the environment of the process may name: settings come in through
/// `config` alone.
const NO_PROXY: &str = "http://proxy.invalid";
const EVERYWHERE: &str = "*,0.0.0.0/0,::/0";
/// How often a request is tried again, and until when.
const RETRIES: usize = 4;
const RETRY_TIME: Duration = Duration::from_secs(20);

/// The bucket called `name`.
pub(super) fn bucket(name: &str, settings: &S3Settings) -> Result<AmazonS3> {
    let options = ClientOptions::new().with_timeout(REQUEST_TIME).with_connect_timeout(CONNECT_TIME).with_allow_http(true);
    let options = options.with_proxy_url(NO_PROXY).with_proxy_excludes(EVERYWHERE);
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIME, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(name)
        .with_region(settings.region.to_string())
        .with_client_options(options)
        .with_retry(retry)
        .with_crypto_provider(Arc::new(OpenSsl));
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint.to_string());
    }
    if let Some(id) = &settings.access_key_id {
        builder = builder.with_access_key_id(id.to_string());
    }
    if let Some(key) = &settings.secret_access_key {
        builder = builder.with_secret_access_key(key.expose());
    }
    builder.build()
}

#[derive(Debug)]
struct OpenSsl;

impl CryptoProvider for OpenSsl {
    fn digest(&self, algorithm: DigestAlgorithm) -> Result<Box<dyn DigestContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Box::new(Digesting { state: Sha256::new(), sum: [0; 32] })),
            _ => Err(unknown()),
        }
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> Result<Box<dyn HmacContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Box::new(Sealing { key: secret.to_vec(), data: Vec::new(), seal: Vec::new() })),
            _ => Err(unknown()),
        }
    }

    fn sign(&self, _: SigningAlgorithm, _: &[u8]) -> Result<Box<dyn Signer>> {
        Err(unknown())
    }
}

struct Digesting {
    state: Sha256,
    sum: [u8; 32],
}

impl DigestContext for Digesting {
    fn update(&mut self, data: &[u8]) {
        self.state.update(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        self.sum = std::mem::take(&mut self.state).finish();
        Ok(&self.sum)
    }
}

/// HMAC of what is short: the lines that a request is signed by.
struct Sealing {
    key: Vec<u8>,
    data: Vec<u8>,
    seal: Vec<u8>,
}

impl HmacContext for Sealing {
    fn update(&mut self, data: &[u8]) {
        self.data.extend_from_slice(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        let seal = || {
            let key = PKey::hmac(&self.key)?;
            openssl::sign::Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(&self.data)
        };
        self.seal = seal().map_err(|error| Error::Generic { store: "OpenSSL", source: Box::new(error) })?;
        Ok(&self.seal)
    }
}

fn unknown() -> Error {
    Error::NotSupported { source: "S3 needs SHA-256 and nothing else".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seal_is_that_of_rfc_4231() {
        let mut sealing = OpenSsl.hmac(DigestAlgorithm::Sha256, b"Jefe").unwrap();
        sealing.update(b"what do ya want ");
        sealing.update(b"for nothing?");
        let hex: String = sealing.finish().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn the_digest_is_that_of_fips_180() {
        let mut digesting = OpenSsl.digest(DigestAlgorithm::Sha256).unwrap();
        digesting.update(b"abc");
        assert_eq!(digesting.finish().unwrap()[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
