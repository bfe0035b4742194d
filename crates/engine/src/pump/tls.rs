//! TLS over a socket. The only file that names rustls.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore,
    SignatureScheme,
};

use super::socket::{Socket, ignore_not_yet, is_not_yet, tick, unreachable_server};
use crate::config::{Address, ClientCertificate, PostgresConfig, TlsMode};
use crate::{Control, Error, ErrorKind, Result};

/// A TLS session over a socket.
#[derive(Debug)]
pub(crate) struct TlsStream {
    connection: ClientConnection,
    socket: Socket,
}

/// Lets rustls read from and write to the socket, waiting or not.
struct Wire<'a>(&'a Socket, bool);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buffer, self.1)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TlsStream {
    /// Shakes hands, checking the certificate as far as the mode asks.
    pub(crate) fn handshake(
        socket: Socket,
        config: &PostgresConfig,
        address: &Address,
        control: &Control<'_>,
    ) -> Result<Box<Self>> {
        let refused = |message: String| Error::new(ErrorKind::Connect, message);
        let Address::Tcp(host, _) = address else {
            return Err(refused("TLS needs a TCP address".into()));
        };
        let name = ServerName::try_from(host.clone())
            .map_err(|_| refused(format!("{host} is not a name a certificate can be for")))?;
        let connection = ClientConnection::new(Arc::new(client_config(config)?), name)
            .map_err(|error| refused(format!("TLS could not start: {error}")))?;
        let mut stream = Box::new(Self { connection, socket });
        while stream.connection.is_handshaking() {
            let wait = tick(control).map_err(|error| unreachable_server(address, error))?;
            match stream.connection.complete_io(&mut Wire(&stream.socket, false)) {
                Ok(_) => {}
                Err(error) if is_not_yet(&error) => {
                    let write = stream.connection.wants_write();
                    stream.socket.wait(write, wait).or_else(ignore_not_yet).map_err(|error| {
                        refused(format!("the connection to {address} broke: {error}"))
                    })?;
                }
                Err(error) => {
                    return Err(refused(format!("TLS with {address} failed: {error}")).with_hint(
                        "give the authority's certificate with sslrootcert=, or choose a weaker \
                             sslmode knowingly",
                    ));
                }
            }
        }
        Ok(stream)
    }

    /// The server's certificate in DER.
    pub(crate) fn certificate(&self) -> Option<Vec<u8>> {
        self.connection.peer_certificates()?.first().map(|certificate| certificate.to_vec())
    }

    pub(crate) fn recv(&mut self, buffer: &mut [u8], wait: bool) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            if self.connection.read_tls(&mut Wire(&self.socket, wait))? == 0 {
                return Ok(0);
            }
            self.connection.process_new_packets().map_err(io::Error::other)?;
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.connection.wants_write() && !self.flush()? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = self.connection.writer().write(bytes)?;
        self.flush()?;
        Ok(taken)
    }

    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut Wire(&self.socket, false)) {
                Ok(_) => {}
                Err(error) if is_not_yet(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }
}

fn client_config(config: &PostgresConfig) -> Result<ClientConfig> {
    config.check_tls()?;
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Config, format!("TLS could not start: {error}")))?;
    // As libpq: without a certificate to trust, `require` encrypts and trusts whoever answers.
    let unchecked = match config.tls {
        TlsMode::Disable | TlsMode::Prefer => true,
        TlsMode::Require => config.root_certificates.is_none(),
        TlsMode::VerifyCa | TlsMode::VerifyFull => false,
    };
    let chain = if unchecked {
        None
    } else {
        let roots = Arc::new(trusted(config)?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone());
        let verifier = verifier.build().map_err(|error| {
            Error::new(ErrorKind::Config, format!("no usable trusted certificates: {error}"))
        })?;
        Some(verifier)
    };
    let check_name = config.tls == TlsMode::VerifyFull;
    let verifier = Arc::new(Verifier { provider, chain, check_name });
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let Some(ClientCertificate { certificate, key }) = &config.client_certificate else {
        return Ok(builder.with_no_client_auth());
    };
    let bad = |option: &str, path: &Path, error: &dyn fmt::Display| {
        let message = format!("{option} {}: {error}", path.display());
        Error::new(ErrorKind::Config, message)
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(|found| found.collect::<std::result::Result<Vec<_>, _>>())
        .map_err(|error| bad("sslcert", certificate, &error))?;
    if chain.is_empty() {
        return Err(bad("sslcert", certificate, &"it holds no certificate"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad("sslkey", key, &error))?;
    builder.with_client_auth_cert(chain, private).map_err(|error| bad("sslkey", key, &error))
}

fn trusted(config: &PostgresConfig) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &config.root_certificates {
        let bad = |error: String| {
            Error::new(ErrorKind::Config, format!("sslrootcert {}: {error}", path.display()))
        };
        for certificate in
            CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))?
        {
            let certificate = certificate.map_err(|error| bad(error.to_string()))?;
            roots.add(certificate).map_err(|error| bad(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(bad("it holds no certificate".into()));
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() {
        return Err(Error::new(ErrorKind::Config, "there are no trusted certificates")
            .with_hint("give the authority's certificate with sslrootcert="));
    }
    Ok(roots)
}

/// Checks a server's certificate as far as libpq's `sslmode` asks.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// The chain's check; none in modes that trust whoever answers.
    chain: Option<Arc<WebPkiServerVerifier>>,
    check_name: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        let checked =
            chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match checked {
            // The chain is checked before the name, so a wrong name means a good chain.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.check_name => Ok(ServerCertVerified::assertion()),
            checked => checked,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
