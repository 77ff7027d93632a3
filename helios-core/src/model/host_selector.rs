//! Which hosts belong to a deployment group.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ParseError;

/// A condition on one label of a host, such as `role = web` or `az in (a, b)`.
///
/// A host without the label never matches, whatever the condition.
///
/// ```
/// use helios_core::model::HostSelector;
/// use std::collections::BTreeMap;
///
/// let labels = BTreeMap::from([("role".to_owned(), "web".to_owned())]);
/// let selector: HostSelector = "role in (web, api)".parse()?;
/// assert!(selector.matches(&labels));
/// assert!(!"zone != b".parse::<HostSelector>()?.matches(&labels), "it has no zone");
/// # Ok::<(), helios_core::model::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "Written")
)]
pub struct HostSelector {
    /// The label.
    pub label: String,
    /// What its value has to fulfil.
    pub test: LabelTest,
}

/// What the value of a label has to fulfil.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelTest {
    /// Be that text.
    Equals(String),
    /// Be another text.
    NotEquals(String),
    /// Be one of those texts.
    In(BTreeSet<String>),
    /// Be none of those texts.
    NotIn(BTreeSet<String>),
}

impl HostSelector {
    /// Whether a host with those labels fulfils the condition.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        labels
            .get(&self.label)
            .is_some_and(|value| self.test.accepts(value))
    }

    /// Whether a host with those labels fulfils every condition, and there is one.
    #[must_use]
    pub fn all_match(selectors: &[Self], labels: &BTreeMap<String, String>) -> bool {
        !selectors.is_empty() && selectors.iter().all(|selector| selector.matches(labels))
    }
}

impl LabelTest {
    fn accepts(&self, value: &str) -> bool {
        match self {
            Self::Equals(text) => value == text,
            Self::NotEquals(text) => value != text,
            Self::In(texts) => texts.contains(value),
            Self::NotIn(texts) => !texts.contains(value),
        }
    }

    /// The operator that this test is written with.
    #[must_use]
    pub fn operator(&self) -> SelectorOperator {
        match self {
            Self::Equals(_) => SelectorOperator::Equals,
            Self::NotEquals(_) => SelectorOperator::NotEquals,
            Self::In(_) => SelectorOperator::In,
            Self::NotIn(_) => SelectorOperator::NotIn,
        }
    }
}

wire_enum! {
    /// How a label is compared, as it travels beside the operand.
    SelectorOperator, "an operator", "use EQUALS, NOT_EQUALS, IN or NOT_IN";
    {
        /// `=`
        Equals = "EQUALS",
        /// `!=`
        NotEquals = "NOT_EQUALS",
        /// `in`
        In = "IN",
        /// `notin`
        NotIn = "NOT_IN",
    }
}

impl SelectorOperator {
    /// Every operator and its sign, in the order in which they are tried.
    const SIGNS: [(&'static str, Self); 4] = [
        ("!=", Self::NotEquals),
        ("=", Self::Equals),
        ("in", Self::In),
        ("notin", Self::NotIn),
    ];
}

impl FromStr for HostSelector {
    type Err = ParseError;

    /// Reads `label operator operand`.
    ///
    /// The label takes as much as it can, so that `anotin(b)` is about the label `anot`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let label_end = text.find(|c| !is_word(c)).unwrap_or(text.len());
        (1..=label_end)
            .rev()
            .find_map(|end| {
                let (label, condition) = text.split_at_checked(end)?;
                let test = parse_condition(condition)?;
                let label = label.to_owned();
                Some(Self { label, test })
            })
            .ok_or_else(|| {
                ParseError::new(
                    "a host selector",
                    text,
                    "use label=value, label!=value, label in (a, b) or label notin (a, b)",
                )
            })
    }
}

/// The condition that `text`, all that follows the label, stands for.
fn parse_condition(text: &str) -> Option<LabelTest> {
    let text = text.trim_start_matches(is_space);
    SelectorOperator::SIGNS.iter().find_map(|(sign, operator)| {
        let operand = text.strip_prefix(sign)?.trim_start_matches(is_space);
        if !is_operand(operand) {
            return None;
        }
        Some(match operator {
            SelectorOperator::Equals => LabelTest::Equals(operand.to_owned()),
            SelectorOperator::NotEquals => LabelTest::NotEquals(operand.to_owned()),
            SelectorOperator::In => LabelTest::In(parse_list(operand)),
            SelectorOperator::NotIn => LabelTest::NotIn(parse_list(operand)),
        })
    })
}

fn is_operand(text: &str) -> bool {
    match text.strip_prefix('(') {
        Some(list) => list
            .strip_suffix(')')
            .is_some_and(|list| list.chars().all(|c| is_word(c) || is_space(c) || c == ',')),
        None => !text.is_empty() && text.chars().all(is_word),
    }
}

/// Parentheses and blanks mean nothing; a list that ends in commas ends before them.
fn parse_list(operand: &str) -> BTreeSet<String> {
    let list: String = operand.chars().filter(|c| !"() ".contains(*c)).collect();
    let items = list.trim_end_matches(',');
    if items.is_empty() && !list.is_empty() {
        return BTreeSet::new();
    }
    items.split(',').map(str::to_owned).collect()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

fn is_space(c: char) -> bool {
    " \t\n\x0b\x0c\r".contains(c)
}

impl fmt::Display for HostSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = &self.label;
        let list = |texts: &BTreeSet<String>| {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            texts.join(", ")
        };
        match &self.test {
            LabelTest::Equals(text) => write!(f, "{label} = {text}"),
            LabelTest::NotEquals(text) => write!(f, "{label} != {text}"),
            LabelTest::In(texts) => write!(f, "{label} in [{}]", list(texts)),
            LabelTest::NotIn(texts) => write!(f, "{label} notin [{}]", list(texts)),
        }
    }
}

impl Serialize for HostSelector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("HostSelector", 3)?;
        members.serialize_field("label", &self.label)?;
        members.serialize_field("operator", &self.test.operator())?;
        match &self.test {
            LabelTest::Equals(text) | LabelTest::NotEquals(text) => {
                members.serialize_field("operand", text)?;
            }
            LabelTest::In(texts) | LabelTest::NotIn(texts) => {
                members.serialize_field("operand", texts)?;
            }
        }
        members.end()
    }
}

/// A selector in JSON.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "it is only described")]
struct Written {
    /// The label.
    label: String,
    /// How its value is compared.
    operator: SelectorOperator,
    /// With what: a list for `IN` and `NOT_IN`.
    operand: Operand,
}

#[derive(Default)]
struct SelectorMembers {
    label: Option<String>,
    operator: Option<SelectorOperator>,
    operand: Option<Operand>,
}

read_members!(SelectorMembers {
    "label" => label,
    "operator" => operator,
    "operand" => operand,
});

/// A text or a list of texts; which of the two is right depends on the operator.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(untagged)]
enum Operand {
    One(String),
    Many(BTreeSet<String>),
}

optional_member!(Operand);

impl<'de> Deserialize<'de> for HostSelector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = SelectorMembers::deserialize(deserializer)?;
        let label = members
            .label
            .ok_or_else(|| D::Error::missing_field("label"))?;
        let operator = members
            .operator
            .ok_or_else(|| D::Error::missing_field("operator"))?;
        let operand = members
            .operand
            .ok_or_else(|| D::Error::missing_field("operand"))?;
        let test = match (operator, operand) {
            (SelectorOperator::Equals, Operand::One(text)) => LabelTest::Equals(text),
            (SelectorOperator::NotEquals, Operand::One(text)) => LabelTest::NotEquals(text),
            (SelectorOperator::In, Operand::Many(texts)) => LabelTest::In(texts),
            (SelectorOperator::NotIn, Operand::Many(texts)) => LabelTest::NotIn(texts),
            (operator, _) => {
                return Err(D::Error::custom(format_args!(
                    "the operand of {operator} on label {label:?} must be {}",
                    match operator {
                        SelectorOperator::Equals | SelectorOperator::NotEquals => "one text",
                        SelectorOperator::In | SelectorOperator::NotIn => "a list of texts",
                    }
                )));
            }
        };
        Ok(Self { label, test })
    }
}

#[cfg(test)]
mod tests;
