//! The order in which people expect hosts.

use std::cmp::Ordering;

/// Compares two host names so that `host9` comes before `host10`.
///
/// Names are cut into runs of digits and runs of other characters. Digits compare by value. Other
/// runs compare by letters without regard to case, with punctuation before letters; hyphens and
/// blanks count only if all else is equal, and after them case does, lower before upper. A name that
/// ends first comes first. Names that are still equal compare by length and then as plain text, so
/// this is a total order, equal only for equal texts.
///
/// ```
/// let mut hosts = ["web-10", "web-9", "db.1", "Web-9"];
/// hosts.sort_by(|a, b| helios_core::model::natural_cmp(a, b));
/// assert_eq!(hosts, ["db.1", "web-9", "web-10", "Web-9"]);
/// ```
#[must_use]
pub fn natural_cmp(left: &str, right: &str) -> Ordering {
    runs(left)
        .map(Run)
        .cmp(runs(right).map(Run))
        .then_with(|| left.len().cmp(&right.len()))
        .then_with(|| left.cmp(right))
}

/// Cuts `text` into the longest runs of digits and of other characters.
fn runs(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let digits = text.chars().next()?.is_ascii_digit();
        let end = text
            .find(|c: char| c.is_ascii_digit() != digits)
            .unwrap_or(text.len());
        let (run, rest) = text.split_at_checked(end)?;
        text = rest;
        Some(run)
    })
}

/// A run of digits or of other characters.
struct Run<'a>(&'a str);

impl Ord for Run<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_number(), other.is_number()) {
            (true, true) => compare_numbers(self.0, other.0),
            (false, false) => compare_words(self.0, other.0),
            // Digits come before letters, and after punctuation.
            (true, false) if other.starts_with_letter() => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if self.starts_with_letter() => Ordering::Greater,
            (false, true) => Ordering::Less,
        }
    }
}

impl PartialOrd for Run<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Run<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Run<'_> {}

impl Run<'_> {
    fn is_number(&self) -> bool {
        self.0.starts_with(|c: char| c.is_ascii_digit())
    }

    fn starts_with_letter(&self) -> bool {
        self.0.starts_with(char::is_alphabetic)
    }
}

/// By value, however many digits there are.
fn compare_numbers(left: &str, right: &str) -> Ordering {
    let significant = |digits: &'_ str| digits.trim_start_matches('0').to_owned();
    let (left, right) = (significant(left), significant(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(&right))
}

fn compare_words(left: &str, right: &str) -> Ordering {
    let weights = |word: &'_ str| -> Vec<(u8, char)> {
        word.chars()
            .filter(|c| !is_separator(*c))
            .map(weight)
            .collect()
    };
    let separators = |word: &'_ str| word.chars().filter(|c| is_separator(*c)).count();
    weights(left)
        .cmp(&weights(right))
        .then_with(|| separators(left).cmp(&separators(right)))
        .then_with(|| lower_first(left).cmp(lower_first(right)))
}

fn is_separator(c: char) -> bool {
    c == '-' || c == ' '
}

/// The punctuation of an English collation, first to last.
const PUNCTUATION: &str = "_,;:!?/.`^'\"()[]{}@$*\\&#%+<=>|~";

fn weight(c: char) -> (u8, char) {
    let rank = PUNCTUATION.chars().zip(0..).find(|(mark, _)| *mark == c);
    match rank {
        Some((_, rank)) => (rank, '\0'),
        None => (u8::MAX, c.to_lowercase().next().unwrap_or(c)),
    }
}

fn lower_first(word: &str) -> impl Iterator<Item = bool> {
    word.chars().map(char::is_uppercase)
}
