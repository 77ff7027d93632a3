//! Why no master could be asked, and what to do about it.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// Why a connection was not made, or broke before an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nobody listens there.
    Refused,
    /// The name has no address.
    UnknownName,
    /// Nobody who is trusted has issued the master's certificate.
    UnknownIssuer,
    /// The master serves with the certificate of an authority, which may issue others and nothing else.
    Authority,
    /// The master's certificate is for another name.
    OtherName,
    /// The master's certificate is too old, or too new.
    Expired,
    /// The master asks for a certificate of the client, or wants another one.
    WantsCertificate,
    /// What listens there does not speak TLS.
    Plain,
    /// What listens there does not speak HTTP; a master over TLS does not to those who do not speak TLS.
    NotHttp,
    /// Something else.
    Other,
}

impl Trouble {
    /// What an error and its causes tell of it.
    pub(super) fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = Self::of_one(error) {
                return found;
            }
            cause = next(error);
        }
        Self::Other
    }

    fn of_one(error: &(dyn StdError + 'static)) -> Option<Self> {
        if let Some(error) = error.downcast_ref::<TlsError>() {
            return Some(Self::of_tls(error));
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return error.is_parse().then_some(Self::NotHttp);
        }
        match error.downcast_ref::<io::Error>()?.kind() {
            ErrorKind::ConnectionRefused => Some(Self::Refused),
            _ => None,
        }
        .or_else(|| {
            // The standard library has no kind for it.
            let text = error.to_string();
            text.contains("failed to lookup address")
                .then_some(Self::UnknownName)
        })
    }

    fn of_tls(error: &TlsError) -> Self {
        match error {
            TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => Self::UnknownIssuer,
            TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => Self::OtherName,
            TlsError::InvalidCertificate(
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. },
            ) => Self::Expired,
            // What its cause is called is all that can be asked of it without another crate.
            TlsError::InvalidCertificate(CertificateError::Other(cause))
                if format!("{cause:?}").contains("CaUsedAsEndEntity") =>
            {
                Self::Authority
            }
            TlsError::InvalidCertificate(_) => Self::UnknownIssuer,
            TlsError::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnknownCA,
            ) => Self::WantsCertificate,
            TlsError::InvalidMessage(_) => Self::Plain,
            _ => Self::Other,
        }
    }

    /// Whether it will be the same next time, and no master saw the request.
    pub(super) fn lasts(self) -> bool {
        match self {
            Self::UnknownIssuer
            | Self::Authority
            | Self::OtherName
            | Self::Expired
            | Self::WantsCertificate
            | Self::Plain
            | Self::NotHttp => true,
            // A master may be starting, and so may a name service.
            Self::Refused | Self::UnknownName | Self::Other => false,
        }
    }

    /// What is wrong in more detail, and what to do next.
    pub(super) fn advice(self, tls: bool) -> &'static str {
        match self {
            Self::Refused => {
                "nobody listens there: start `helios solo` or `helios master`, or name another master with -z or \
                 HELIOS_MASTER"
            }
            Self::UnknownName => {
                "its name has no address: look for a typing error in -z or HELIOS_MASTER"
            }
            Self::UnknownIssuer => {
                "nobody this machine trusts issued its certificate: give the issuer's certificate with --cacert or \
                 HELIOS_CACERT"
            }
            Self::Authority => {
                "its certificate is that of an authority, which may only issue others: make it one with \
                 `openssl req -x509 -addext basicConstraints=critical,CA:FALSE ...`, as docs/security.md shows"
            }
            Self::OtherName => {
                "its certificate is for another name: ask it by the name that is in it, or say --insecure if that \
                 does not matter"
            }
            Self::Expired => {
                "its certificate is not good at this time: look at the clocks, or give the master a new one"
            }
            Self::WantsCertificate => {
                "it wants another certificate of yours: name the folder with cert.pem and key.pem in HELIOS_CERT_PATH"
            }
            Self::Plain => "it does not speak TLS: ask it with http:// in place of https://",
            Self::NotHttp if tls => "what answers is no master: look at -z or HELIOS_MASTER",
            Self::NotHttp => {
                "what answers does not speak plain HTTP: ask it with https://, or look at -z or HELIOS_MASTER"
            }
            Self::Other if tls => {
                "does it run, and did somebody this machine trusts issue its certificate? set --cacert or \
                 HELIOS_CACERT"
            }
            Self::Other => "does it run? set -z or HELIOS_MASTER",
        }
    }
}

/// The cause of an error. What an I/O error is made of is no cause of it, only what caused that.
fn next<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let made_of = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match made_of {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_found_under_everything_that_hides_it() {
        let tls = |error| io::Error::other(io::Error::new(ErrorKind::InvalidData, error));
        let certificate = TlsError::InvalidCertificate;
        for (error, expected) in [
            (ErrorKind::ConnectionRefused.into(), Trouble::Refused),
            (
                io::Error::other("failed to lookup address information: x"),
                Trouble::UnknownName,
            ),
            (
                tls(certificate(CertificateError::UnknownIssuer)),
                Trouble::UnknownIssuer,
            ),
            (
                tls(certificate(CertificateError::NotValidForName)),
                Trouble::OtherName,
            ),
            (
                tls(certificate(CertificateError::Expired)),
                Trouble::Expired,
            ),
            (
                tls(TlsError::AlertReceived(
                    AlertDescription::CertificateRequired,
                )),
                Trouble::WantsCertificate,
            ),
            (ErrorKind::ConnectionReset.into(), Trouble::Other),
        ] {
            assert_eq!(Trouble::of(&error), expected, "{error:?}");
        }
    }
}
