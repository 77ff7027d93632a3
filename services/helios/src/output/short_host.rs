//! Host names as people say them.

/// The name relative to the first search domain that it is in; without one in full.
pub(crate) fn short_host(name: &str, search_domains: &[String]) -> String {
    relative(name, search_domains).unwrap_or_else(|| name.to_owned())
}

/// As [`short_host`], with a dot after a name in full: the form that scripts get in JSON.
pub(crate) fn relative_host(name: &str, search_domains: &[String]) -> String {
    relative(name, search_domains).unwrap_or_else(|| format!("{}.", name.trim_end_matches('.')))
}

fn relative(name: &str, search_domains: &[String]) -> Option<String> {
    search_domains.iter().find_map(|domain| {
        let label = name.strip_suffix(domain.as_str())?;
        match label.strip_suffix('.') {
            Some(host) if !host.is_empty() => Some(host.to_owned()),
            _ => label.is_empty().then(|| "@".to_owned()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_domain_that_fits_is_left_out() {
        let domains = ["example.net".to_owned(), "net".to_owned()];
        let short = |name| short_host(name, &domains);
        assert_eq!(short("n1.example.net"), "n1");
        assert_eq!(short("a.b.example.net"), "a.b");
        assert_eq!(short("example.net"), "@");
        assert_eq!(short("badexample.net"), "badexample");
        assert_eq!(short("n1.other.org"), "n1.other.org");
        assert_eq!(relative_host("n1.other.org", &domains), "n1.other.org.");
    }
}
