//! What cargo-mutants and the compiler say.

use serde::Deserialize;

/// A small mistake, as `cargo mutants --list --json` tells it.
#[derive(Deserialize)]
pub struct Mutant {
    pub file: String,
    pub name: String,
    pub genre: String,
    pub replacement: String,
    pub span: Span,
    pub function: Option<Function>,
}

/// The function that a mistake is made in.
#[derive(Deserialize)]
pub struct Function {
    pub return_type: String,
}

/// What is replaced.
#[derive(Deserialize)]
pub struct Span {
    pub start: Position,
    pub end: Position,
}

/// Counted from 1, in characters.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// The places of a compiler's message that matter: files, and from which byte to which. In a macro that is where it is used.
pub fn spans(message: &serde_json::Value) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for span in message["spans"].as_array().into_iter().flatten() {
        let mut at = span;
        while at["expansion"].is_object() {
            at = &at["expansion"]["span"];
        }
        let byte = |name: &str| {
            at[name]
                .as_u64()
                .and_then(|byte| usize::try_from(byte).ok())
        };
        if let (true, Some(file), Some(from), Some(to)) = (
            span["is_primary"] == true,
            at["file_name"].as_str(),
            byte("byte_start"),
            byte("byte_end"),
        ) {
            found.push((file.to_owned(), from, to));
        }
    }
    found
}
