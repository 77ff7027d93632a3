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
    let (left, right) = without_common_runs(left, right);
    runs(left)
        .map(Run)
        .cmp(runs(right).map(Run))
        .then_with(|| left.len().cmp(&right.len()))
        .then_with(|| left.cmp(right))
}

/// What is left of two texts without the runs that both begin with: the names of a fleet begin alike.
fn without_common_runs<'a>(left: &'a str, right: &'a str) -> (&'a str, &'a str) {
    let pairs = left.bytes().zip(right.bytes());
    let common = pairs.take_while(|(left, right)| left == right).count();
    let mut common = left.bytes().take(common).enumerate();
    // The last of them may go on.
    let is_digit = |(_, byte): (usize, u8)| byte.is_ascii_digit();
    let mut begins = (0, common.next().is_some_and(is_digit));
    for (at, byte) in common {
        if byte.is_ascii_digit() != begins.1 {
            begins = (at, !begins.1);
        }
    }
    let (at, _) = begins;
    let rest = |text: &'a str| text.get(at..).unwrap_or(text);
    (rest(left), rest(right))
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
            (true, false) => compare_number_with_word(other.0),
            (false, true) => compare_number_with_word(self.0).reverse(),
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
}

/// By value, however many digits there are.
fn compare_numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Digits come after punctuation and before letters.
fn compare_number_with_word(word: &str) -> Ordering {
    match weights(word).next() {
        Some((LETTER, _)) => Ordering::Less,
        _ => Ordering::Greater,
    }
}

fn compare_words(left: &str, right: &str) -> Ordering {
    let separators = |word: &str| word.chars().filter(|c| is_separator(*c)).count();
    let upper = |c: char| c.is_uppercase();
    weights(left)
        .cmp(weights(right))
        .then_with(|| separators(left).cmp(&separators(right)))
        .then_with(|| left.chars().map(upper).cmp(right.chars().map(upper)))
}

/// What counts first of each character; separators do not count.
fn weights(word: &str) -> impl Iterator<Item = (u8, char)> {
    word.chars().filter(|c| !is_separator(*c)).map(weight)
}

fn is_separator(c: char) -> bool {
    c == '-' || c == ' '
}

/// The punctuation of an English collation, first to last.
const PUNCTUATION: &str = "_,;:!?/.`^'\"()[]{}@$*\\&#%+<=>|~";
/// The rank of everything else.
const LETTER: u8 = u8::MAX;

fn weight(c: char) -> (u8, char) {
    let rank = PUNCTUATION.chars().zip(0..).find(|(mark, _)| *mark == c);
    match rank {
        Some((_, rank)) => (rank, c),
        None => (LETTER, c.to_lowercase().next().unwrap_or(c)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[test]
    fn the_vectors_of_the_original() {
        #[derive(Deserialize)]
        struct File {
            vectors: Vec<Vector>,
        }
        #[derive(Deserialize)]
        struct Vector {
            given: Vec<String>,
            sorted: Vec<String>,
        }
        let file: File =
            serde_json::from_str(include_str!("../../vectors/natural-sort.json")).unwrap();
        assert_eq!(file.vectors.len(), 7);
        for Vector { mut given, sorted } in file.vectors {
            given.sort_by(|a, b| natural_cmp(a, b));
            assert_eq!(given, sorted);
        }
    }

    #[test]
    fn a_hyphen_counts_before_case_and_what_follows() {
        assert_eq!(natural_cmp("ab2", "a-b1"), Ordering::Less);
        assert_eq!(natural_cmp("Ab", "a-b"), Ordering::Less);
    }

    #[test]
    fn numbers_of_any_length_compare_by_value() {
        let (small, large) = ("h99999999999999999999999", "h100000000000000000000000");
        assert_eq!(natural_cmp(small, large), Ordering::Less);
        assert_eq!(natural_cmp("h007", "h7"), Ordering::Greater);
    }

    proptest! {
        // Sorting may panic or disagree between masters if this is not a total order.
        #[test]
        fn is_a_total_order(names in prop::collection::vec("[ab0-2AB._é -]{0,5}", 3)) {
            let [a, b, c] = &names[..] else { unreachable!() };
            prop_assert_eq!(natural_cmp(a, b), natural_cmp(b, a).reverse());
            prop_assert_eq!(natural_cmp(a, b) == Ordering::Equal, a == b);
            if natural_cmp(a, b).is_le() && natural_cmp(b, c).is_le() {
                prop_assert!(natural_cmp(a, c).is_le());
            }
        }
    }
}
