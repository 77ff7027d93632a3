//! The configuration file: `~/.helios/config`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::{Environment, Failure};

/// What the configuration file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) masters: Vec<String>,
}

impl Config {
    /// What `~/.helios/config` says; nothing if there is no such file.
    pub(super) fn load(environment: &Environment) -> Result<Self, Failure> {
        let Some(path) = path(environment) else {
            return Ok(Self::default());
        };
        let unreadable = |error: std::io::Error| {
            Failure::new(format!(
                "the configuration file {} cannot be read",
                path.display()
            ))
            .caused_by(error)
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(error)),
        };
        Self::parse(&text).map_err(|wrong| malformed(&path, &wrong))
    }

    /// Reads the simple part of HOCON, which JSON is a part of too: members with texts or lists of texts.
    fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = tokens(text)?.into_iter().peekable();
        let mut config = Self::default();
        let braces = tokens.next_if_eq(&Token::Mark('{')).is_some();
        loop {
            while tokens.next_if_eq(&Token::Mark(',')).is_some() {}
            let name = match tokens.next() {
                None if !braces => return Ok(config),
                Some(Token::Mark('}')) if braces => break,
                Some(Token::Text(name)) => name,
                other => return Err(format!("a name was expected, not {}", shown(other))),
            };
            if !matches!(tokens.next(), Some(Token::Mark('=' | ':'))) {
                return Err(format!("after {name} an = was expected"));
            }
            let values = values(&name, &mut tokens)?;
            match name.as_str() {
                "masterEndpoints" => config.masters = values,
                "domains" if values.is_empty() => {}
                "domains" => return Err(NO_DOMAINS.to_owned()),
                _ => {}
            }
        }
        match tokens.next() {
            None => Ok(config),
            other => Err(format!(
                "nothing was expected after the last }}, not {}",
                shown(other)
            )),
        }
    }
}

const NO_DOMAINS: &str = "domains are not looked up: name the masters in masterEndpoints";

fn path(environment: &Environment) -> Option<PathBuf> {
    Some(environment.home()?.join(".helios/config"))
}

fn malformed(path: &Path, wrong: &str) -> Failure {
    Failure::new(format!(
        "the configuration file {} is malformed: {wrong}",
        path.display()
    ))
    .advise("write it like this: masterEndpoints = [\"http://127.0.0.1:5801\"]")
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Mark(char),
}

fn shown(token: Option<Token>) -> String {
    match token {
        None => "the end".to_owned(),
        Some(Token::Text(text)) => format!("{text:?}"),
        Some(Token::Mark(mark)) => mark.to_string(),
    }
}

/// A text, or a list of texts.
fn values(name: &str, tokens: &mut impl Iterator<Item = Token>) -> Result<Vec<String>, String> {
    match tokens.next() {
        Some(Token::Text(text)) => return Ok(vec![text]),
        Some(Token::Mark('[')) => {}
        other => {
            return Err(format!(
                "{name} needs a text or a list, not {}",
                shown(other)
            ));
        }
    }
    let mut values = Vec::new();
    loop {
        match tokens.next() {
            Some(Token::Text(text)) => values.push(text),
            Some(Token::Mark(',')) => {}
            Some(Token::Mark(']')) => return Ok(values),
            other => return Err(format!("the list {name} holds {}", shown(other))),
        }
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
            Ok((Token::Text(text), after))
        }
        _ => Err(format!("{rest} does not end its quotes")),
    }
}

fn without_quotes(rest: &str) -> (Token, &str) {
    let ends = |c: char| c.is_whitespace() || "{}[],=:#\"".contains(c);
    let end = rest.find(ends).unwrap_or(rest.len());
    let (text, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    (Token::Text(text.to_owned()), after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masters(text: &str) -> Vec<String> {
        Config::parse(text).unwrap().masters
    }

    #[test]
    fn reads_json_and_what_people_write() {
        for text in [
            r#"{"masterEndpoints": ["http://a:1", "http://b:2"], "srvName": "helios"}"#,
            "# ours\nmasterEndpoints = [\n  \"http://a:1\" // first\n  \"http://b:2\",\n]\nsrvName = helios\n",
            "domains: [], masterEndpoints : [\"http://a:1\",\"http://b:2\"]",
        ] {
            assert_eq!(masters(text), ["http://a:1", "http://b:2"], "{text}");
        }
        assert!(masters("").is_empty() && masters("{}").is_empty());
    }

    #[test]
    fn says_what_it_stumbled_over() {
        for (text, part) in [
            ("masterEndpoints", "an = was expected"),
            ("masterEndpoints = ", "not the end"),
            ("masterEndpoints = [\"a", "does not end its quotes"),
            ("masterEndpoints = [[", "holds ["),
            ("{} x", "\"x\""),
            ("{", "not the end"),
            ("domains = [a]", "are not looked up"),
        ] {
            let error = Config::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
