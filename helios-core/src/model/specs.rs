//! The short forms in which people write parts of a job on a command line.

use super::{ParseError, PortMapping, ServiceEndpoint};

/// Reads a port: `name=[ip:]internal[:external][/protocol]`.
///
/// The address must be an IPv4 literal. Ranges and protocols are left to
/// [`validate`](super::validate).
///
/// # Errors
/// When the text has another form, or a number is no 32-bit integer.
///
/// ```
/// let (name, port) = helios_core::model::parse_port_spec("dns=127.0.0.1:53:5353/udp")?;
/// assert_eq!((name.as_str(), port.internal_port, port.external_port), ("dns", 53, Some(5353)));
/// # Ok::<(), helios_core::model::ParseError>(())
/// ```
pub fn parse_port_spec(spec: &str) -> Result<(String, PortMapping), ParseError> {
    read_port(spec).ok_or_else(|| {
        ParseError::new(
            "a port mapping",
            spec,
            "use name=[ip:]internal[:external][/protocol], such as http=8080:80",
        )
    })
}

fn read_port(spec: &str) -> Option<(String, PortMapping)> {
    let (name, mapping) = spec.split_once('=')?;
    let (addresses, protocol) = match mapping.split_once('/') {
        Some((addresses, protocol)) => (addresses, Some(protocol)),
        None => (mapping, None),
    };
    if !is_name(name) || protocol.is_some_and(|protocol| !is_word(protocol)) {
        return None;
    }
    let mut parts = addresses.split(':').peekable();
    let ip = match parts.next_if(|part| part.contains('.')) {
        Some(ip) => Some(ip.parse().ok()?),
        None => None,
    };
    let internal_port = number(parts.next()?)?;
    let external_port = match parts.next() {
        Some(external) => Some(number(external)?),
        None => None,
    };
    let port = PortMapping {
        ip,
        internal_port,
        external_port,
        protocol: protocol.unwrap_or("tcp").to_owned(),
    };
    parts.next().is_none().then(|| (name.to_owned(), port))
}

/// Reads a registration: `service[/protocol][=port]`, with the protocol `http` if none is given.
///
/// # Errors
/// When the text has another form; a service's name has at least two characters.
///
/// ```
/// let (endpoint, port) = helios_core::model::parse_register_spec("web/tcp=http")?;
/// assert_eq!((endpoint.to_string().as_str(), port.as_deref()), ("web/tcp", Some("http")));
/// # Ok::<(), helios_core::model::ParseError>(())
/// ```
pub fn parse_register_spec(spec: &str) -> Result<(ServiceEndpoint, Option<String>), ParseError> {
    read_registration(spec).ok_or_else(|| {
        ParseError::new(
            "a registration",
            spec,
            "use service[/protocol][=port], such as web/http=http",
        )
    })
}

fn read_registration(spec: &str) -> Option<(ServiceEndpoint, Option<String>)> {
    let (endpoint, port) = match spec.split_once('=') {
        Some((endpoint, port)) => (endpoint, Some(port)),
        None => (spec, None),
    };
    let (name, protocol) = endpoint.split_once('/').unwrap_or((endpoint, "http"));
    let well_formed = name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && is_name(name)
        && is_word(protocol)
        && port.is_none_or(is_name);
    if !well_formed {
        return None;
    }
    let endpoint = ServiceEndpoint::new(name, protocol).ok()?;
    Some((endpoint, port.map(str::to_owned)))
}

/// Reads a volume: `[source:]container-path`, as the container path and the source, which is empty
/// if none is given.
///
/// ```
/// use helios_core::model::parse_volume_spec;
///
/// assert_eq!(parse_volume_spec("/etc/web:/conf:ro"), ("/conf:ro".to_owned(), "/etc/web".to_owned()));
/// assert_eq!(parse_volume_spec("/data"), ("/data".to_owned(), String::new()));
/// ```
#[must_use]
pub fn parse_volume_spec(spec: &str) -> (String, String) {
    let (source, path) = spec.split_once(':').unwrap_or(("", spec));
    (path.to_owned(), source.to_owned())
}

fn number(digits: &str) -> Option<i32> {
    let only_digits = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| only_digits)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn the_port_vectors_of_the_original() {
        #[derive(Deserialize)]
        struct File {
            vectors: Vec<Vector>,
        }
        #[derive(Deserialize)]
        struct Vector {
            spec: String,
            name: Option<String>,
            mapping: Option<PortMapping>,
        }
        let file: File =
            serde_json::from_str(include_str!("../../vectors/cli-port-specs.json")).unwrap();
        assert_eq!(file.vectors.len(), 20);
        for vector in file.vectors {
            let expected = vector.name.zip(vector.mapping);
            assert_eq!(
                parse_port_spec(&vector.spec).ok(),
                expected,
                "{}",
                vector.spec
            );
        }
    }

    #[test]
    fn registrations() {
        for (spec, read) in [
            ("web", Some(("web/http", None))),
            ("web=admin", Some(("web/http", Some("admin")))),
            ("web/tcp=http", Some(("web/tcp", Some("http")))),
            ("w", None),
            ("1web", None),
            ("web/", None),
            ("web=", None),
            ("web/a/b", None),
            ("we b", None),
        ] {
            let found = parse_register_spec(spec).ok();
            let found = found.map(|(endpoint, port)| (endpoint.to_string(), port));
            let read = read.map(|(endpoint, port)| (endpoint.to_owned(), port.map(str::to_owned)));
            assert_eq!(found, read, "{spec}");
        }
    }
}
