//! What a configuration file is written in.

use std::collections::BTreeMap;
use std::iter::Peekable;

/// The deepest that members are nested.
const DEPTH_MAX: usize = 8;

/// Members by name.
pub(super) type Members = BTreeMap<String, Value>;

/// What a member holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A text, in quotes or not.
    Text(String),
    /// Several.
    List(Vec<String>),
    /// Members of its own.
    Members(Members),
}

impl Value {
    /// What it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Members(_) => "members in braces",
        }
    }
}

/// Reads the part of HOCON that people use in such files, and that JSON is a part of: members that hold texts,
/// lists of texts or members; names with dots; comments.
///
/// # Errors
/// What was expected, and what is there.
pub(super) fn parse(text: &str) -> Result<Members, String> {
    let mut tokens = tokens(text)?.into_iter().peekable();
    let braces = tokens.next_if_eq(&Token::Mark('{')).is_some();
    let mut members = Members::new();
    read_members(&mut tokens, &mut members, braces, DEPTH_MAX)?;
    match tokens.next() {
        None => Ok(members),
        other => Err(format!(
            "nothing was expected after the last }}, not {}",
            shown(other)
        )),
    }
}

/// Reads up to the brace that closes, or up to the end.
fn read_members<I: Iterator<Item = Token>>(
    tokens: &mut Peekable<I>,
    members: &mut Members,
    braces: bool,
    depth: usize,
) -> Result<(), String> {
    loop {
        while tokens.next_if_eq(&Token::Mark(',')).is_some() {}
        let path = match tokens.next() {
            None if !braces => return Ok(()),
            Some(Token::Mark('}')) if braces => return Ok(()),
            Some(Token::Quoted(name)) => vec![name],
            Some(Token::Plain(path)) => path.split('.').map(str::to_owned).collect(),
            other => return Err(format!("a name was expected, not {}", shown(other))),
        };
        let name = path.join(".");
        let value = match tokens.next() {
            // HOCON leaves out the mark before a brace.
            Some(Token::Mark('{')) => read_inner(tokens, depth)?,
            Some(Token::Mark('=' | ':')) => read_value(&name, tokens, depth)?,
            _ => return Err(format!("after {name} an = was expected")),
        };
        insert(members, &path, value);
    }
}

fn read_value<I: Iterator<Item = Token>>(
    name: &str,
    tokens: &mut Peekable<I>,
    depth: usize,
) -> Result<Value, String> {
    match tokens.next() {
        Some(Token::Plain(text) | Token::Quoted(text)) => Ok(Value::Text(text)),
        Some(Token::Mark('[')) => read_list(name, tokens).map(Value::List),
        Some(Token::Mark('{')) => read_inner(tokens, depth),
        other => Err(format!("{name} needs a value, not {}", shown(other))),
    }
}

fn read_inner<I: Iterator<Item = Token>>(
    tokens: &mut Peekable<I>,
    depth: usize,
) -> Result<Value, String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("members are nested more than {DEPTH_MAX} deep"));
    };
    let mut members = Members::new();
    read_members(tokens, &mut members, true, depth)?;
    Ok(Value::Members(members))
}

fn read_list(name: &str, tokens: &mut impl Iterator<Item = Token>) -> Result<Vec<String>, String> {
    let mut values = Vec::new();
    loop {
        match tokens.next() {
            Some(Token::Plain(text) | Token::Quoted(text)) => values.push(text),
            Some(Token::Mark(',')) => {}
            Some(Token::Mark(']')) => return Ok(values),
            other => return Err(format!("the list {name} holds {}", shown(other))),
        }
    }
}

/// The last value of a name counts; members come together.
fn insert(members: &mut Members, path: &[String], value: Value) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    if !rest.is_empty() {
        let inner = members
            .entry(name.clone())
            .or_insert_with(|| Value::Members(Members::new()));
        if !matches!(inner, Value::Members(_)) {
            *inner = Value::Members(Members::new());
        }
        if let Value::Members(inner) = inner {
            insert(inner, rest, value);
        }
        return;
    }
    match (members.get_mut(name), value) {
        (Some(Value::Members(older)), Value::Members(newer)) => {
            for (name, value) in newer {
                insert(older, &[name], value);
            }
        }
        (_, value) => drop(members.insert(name.clone(), value)),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Quoted(String),
    Plain(String),
    Mark(char),
}

fn shown(token: Option<Token>) -> String {
    match token {
        None => "the end".to_owned(),
        Some(Token::Quoted(text) | Token::Plain(text)) => format!("{text:?}"),
        Some(Token::Mark(mark)) => mark.to_string(),
    }
}

/// Texts in quotes, texts without, and marks; comments and white space are left out.
fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    for line in text.lines() {
        let mut rest = line.trim_start();
        while let Some(c) = rest.chars().next() {
            if c == '#' || rest.starts_with("//") {
                break;
            }
            let (token, after) = match c {
                '"' => in_quotes(rest)?,
                '{' | '}' | '[' | ']' | ',' | '=' | ':' => {
                    (Token::Mark(c), rest.get(1..).unwrap_or_default())
                }
                _ => without_quotes(rest),
            };
            tokens.push(token);
            rest = after.trim_start();
        }
    }
    Ok(tokens)
}

fn in_quotes(rest: &str) -> Result<(Token, &str), String> {
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    match values.next() {
        Some(Ok(text)) => {
            let after = rest.get(values.byte_offset()..).unwrap_or_default();
            Ok((Token::Quoted(text), after))
        }
        _ => Err(format!("{rest} does not end its quotes")),
    }
}

fn without_quotes(rest: &str) -> (Token, &str) {
    let ends = |c: char| c.is_whitespace() || "{}[],=:#\"".contains(c);
    let end = rest.find(ends).unwrap_or(rest.len());
    let (text, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    (Token::Plain(text.to_owned()), after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_and_json_say_the_same() {
        let json =
            r#"{"a": ["x", "y"], "b": {"c": {"d": "1", "e.f": "2"}, "g": "h"}, "k": "http://l:1"}"#;
        let written = "# ours\na = [\n  x // first\n  \"y\",\n]\nb.c { d = 1 }\nb { g : h, c = { \"e.f\" = 2 } }\nk = \"http://l:1\"";
        assert_eq!(parse(json), parse(written));
        assert_eq!(parse("a = 1, a = 2"), parse("a.b = 1, a = 2"));
        assert_eq!(parse("a = 1, a.b = 2"), parse("a { b = 2 }"));
        assert_eq!(parse(""), parse("{}"));
    }

    #[test]
    fn says_what_it_stumbled_over() {
        for (text, part) in [
            ("a", "an = was expected"),
            ("a = ", "not the end"),
            ("a = [\"b", "does not end its quotes"),
            ("a = [[", "holds ["),
            ("{} x", "\"x\""),
            ("{", "not the end"),
            ("a = ]", "needs a value"),
            (&"a {".repeat(100_000), "nested more than 8 deep"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
