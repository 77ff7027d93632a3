//! Image references, as far as a pull needs them.

/// The registry that credentials of Docker Hub are filed under.
const HUB: &str = "https://index.docker.io/v1/";

/// The reference with a tag or digest: without one Docker would pull every tag there is.
pub(crate) fn complete(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    if last.contains(':') || last.contains('@') {
        reference.to_owned()
    } else {
        format!("{reference}:latest")
    }
}

/// The registry that serves it, by the name under which Docker files its credentials.
pub(crate) fn registry(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => match host {
            "docker.io" | "index.docker.io" | "registry-1.docker.io" => HUB,
            _ => host,
        },
        _ => HUB,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_without_tag_means_latest() {
        let digest = "host:5000/a@sha256:00";
        for (given, wanted) in [
            ("nginx", "nginx:latest"),
            ("nginx:1", "nginx:1"),
            ("host:5000/a/b", "host:5000/a/b:latest"),
            ("host:5000/a/b:1", "host:5000/a/b:1"),
            (digest, digest),
        ] {
            assert_eq!(complete(given), wanted);
        }
    }

    #[test]
    fn the_registry_is_the_first_part_if_it_looks_like_a_host() {
        for (reference, host) in [
            ("nginx", HUB),
            ("library/nginx", HUB),
            ("docker.io/library/nginx", HUB),
            ("localhost/a", "localhost"),
            ("quay.io/a/b:1", "quay.io"),
            ("host:5000/a", "host:5000"),
        ] {
            assert_eq!(registry(reference), host, "{reference}");
        }
    }
}
