//! Names that somebody may have meant.

/// The most names that are suggested.
const NEAR_MAX: usize = 3;
/// How alike names are that are mistaken for each other: 1 would be the same.
const ALIKE: f64 = 0.7;

/// Of those names the ones that are most like what was said, the best first; none if none is like it.
pub(crate) fn near<'a>(said: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let alike = |name: &str| {
        let begun = !said.is_empty() && name.starts_with(said);
        let alike = strsim::normalized_damerau_levenshtein(said, name);
        if begun { alike + 1.0 } else { alike }
    };
    let names = names.into_iter().map(|name| (alike(name), name));
    let mut names: Vec<_> = names.filter(|(alike, _)| *alike >= ALIKE).collect();
    names.sort_by(|(one, a), (other, b)| other.total_cmp(one).then(a.cmp(b)));
    names.dedup();
    names
        .into_iter()
        .take(NEAR_MAX)
        .map(|(_, name)| name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_like_it_is_suggested_the_best_first_and_nothing_else() {
        let names = ["web:1", "web:2", "webapi:2", "db:1", "queue:7"];
        for (said, expected) in [
            ("wbe:1", &["web:1"][..]),
            ("webb:2", &["web:2"]),
            ("webap", &["webapi:2"]),
            ("cache:9", &[]),
            ("", &[]),
        ] {
            assert_eq!(near(said, names), expected, "{said}");
        }
    }
}
