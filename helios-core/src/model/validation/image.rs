//! V12 to V20: the reference to an image, `registry:port/repository:tag@digest`.

use super::Rule;
use super::violation::Violations;

const FIELD: &str = "image";
const REPOSITORY_BYTES_MAX: usize = 255;
const TAG_BYTES_MAX: usize = 128;

pub(super) fn check(image: &str, found: &mut Violations) {
    let name = match image.rsplit_once('@') {
        Some((name, digest)) => {
            check_digest(digest, found);
            name
        }
        None => image,
    };
    let repository = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => {
            check_tag(tag, found);
            repository
        }
        _ => name,
    };
    check_repository(repository, found);
}

fn check_digest(digest: &str, found: &mut Violations) {
    if digest.is_empty() {
        found.add(
            Rule::DigestEmpty,
            FIELD,
            digest,
            "has an empty digest: drop the @ or add algorithm:hex",
        );
        return;
    }
    let well_formed = digest.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty() && !hex.is_empty() && !hex.contains(':')
    });
    if !well_formed {
        found.add(
            Rule::DigestMalformed,
            FIELD,
            digest,
            "is no digest: use algorithm:hex",
        );
    }
}

fn check_tag(tag: &str, found: &mut Violations) {
    if tag.is_empty() {
        found.add(
            Rule::TagEmpty,
            FIELD,
            tag,
            "has an empty tag: drop the colon or add a tag",
        );
        return;
    }
    let well_formed = tag.len() <= TAG_BYTES_MAX
        && !tag.starts_with(['.', '-'])
        && tag
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    if !well_formed {
        found.add(
            Rule::TagMalformed,
            FIELD,
            tag,
            "is no tag: use up to 128 letters, digits, _, . and -, not starting with . or -",
        );
    }
}

fn check_repository(repository: &str, found: &mut Violations) {
    let (first, path) = match repository.split_once('/') {
        Some((first, path)) => (first, Some(path)),
        None => (repository, None),
    };
    let scheme = repository.contains("://");
    let first_is_registry = first.contains(['.', ':']) || first == "localhost";
    match path {
        _ if scheme => {}
        _ if !first_is_registry => return check_repository_name(repository, found),
        Some(path) => {
            check_registry(first, found);
            return check_repository_name(path, found);
        }
        None => {}
    }
    found.add(
        Rule::RepositoryMissing,
        FIELD,
        repository,
        "is no repository: use name, registry/name or registry:port/name",
    );
}

fn check_registry(registry: &str, found: &mut Violations) {
    let (address, port) = match registry.split_once(':') {
        Some((address, port)) => (address, Some(port)),
        None => (registry, None),
    };
    if !is_dotted_quad(address) && !is_domain_name(address) {
        found.add(
            Rule::RegistryMalformed,
            FIELD,
            address,
            "is no domain name or IPv4 address",
        );
        return;
    }
    let port_in_range = |port: &str| {
        port.parse::<i32>()
            .is_ok_and(|port| (0..=65_535).contains(&port))
    };
    if let Some(port) = port.filter(|port| !port_in_range(port)) {
        found.add(
            Rule::RegistryPort,
            FIELD,
            port,
            "is no port of a registry: use 0 to 65535",
        );
    }
}

/// Four numbers of one to three digits; their size is left to whoever connects.
fn is_dotted_quad(address: &str) -> bool {
    let is_octet =
        |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    address.split('.').count() == 4 && address.split('.').all(is_octet)
}

fn is_domain_name(address: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let absolute = address.strip_suffix('.').unwrap_or(address);
    let only_numbers = address.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    absolute.split('.').all(is_label) && !only_numbers
}

fn check_repository_name(name: &str, found: &mut Violations) {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
    };
    // Slashes at the end are ignored by deployed masters, and so is a name of nothing else.
    let path = name.trim_end_matches('/');
    let bad = path.split('/').find(|part| !is_part(part));
    match bad {
        Some(part) if !path.is_empty() || name.is_empty() => found.add(
            Rule::RepositoryMalformed,
            FIELD,
            part,
            "is no part of a repository's name: use lower-case letters, digits, ., _ and -",
        ),
        _ if name.len() > REPOSITORY_BYTES_MAX => found.add(
            Rule::RepositoryTooLong,
            FIELD,
            name,
            "is too long for a repository's name: use at most 255 characters",
        ),
        _ => {}
    }
}
