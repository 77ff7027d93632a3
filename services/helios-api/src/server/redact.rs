//! Leaving secrets out of answers.

use axum::body::{Body, HttpBody, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;

/// What stands in the place of a secret.
const HIDDEN: &[u8] = br#""***""#;

/// The answer without secrets: the values of environment variables, and the tokens of jobs.
///
/// Whatever the endpoint: a new one that forgets about it must not tell them either.
pub(super) async fn redact(response: Response) -> Response {
    let json = response.headers().get(CONTENT_TYPE);
    let json = json.is_some_and(|value| value == "application/json");
    // What is sent piece by piece is made for everybody.
    if !json || response.body().size_hint().exact().is_none() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(text) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(without_secrets(&text)))
}

/// Copies a JSON text, with the secret values replaced.
fn without_secrets(json: &[u8]) -> Vec<u8> {
    let mut copy = Vec::with_capacity(json.len());
    let mut rest = json;
    let mut name: &[u8] = b"";
    // Whether this is an object whose values are secret; such objects hold texts only.
    let mut values = false;
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'"' {
            copy.push(byte);
            rest = after;
            match byte {
                b'{' => values = matches!(name, b"env" | b"environment"),
                b'}' => values = false,
                _ => {}
            }
            if !matches!(byte, b':' | b' ' | b'\n') {
                name = b"";
            }
            continue;
        }
        let (text, after) = rest.split_at(text_length(after) + 1);
        rest = after;
        let is_name = after.trim_ascii_start().first() == Some(&b':');
        if is_name {
            name = unquoted(text);
            copy.extend_from_slice(text);
        } else {
            let secret = (values || name == b"token") && text != br#""""#;
            copy.extend_from_slice(if secret { HIDDEN } else { text });
            name = b"";
        }
    }
    copy
}

fn unquoted(text: &[u8]) -> &[u8] {
    let inner = text.strip_prefix(b"\"").unwrap_or(text);
    inner.strip_suffix(b"\"").unwrap_or(inner)
}

/// How much of `after` belongs to the text whose opening quote came before it, its closing quote included.
fn text_length(after: &[u8]) -> usize {
    let mut escaped = false;
    let end = after.iter().position(|&byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    end.map_or(after.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::without_secrets;

    fn check(value: &Value, expected: &Value) {
        for text in [
            serde_json::to_string(value).unwrap(),
            serde_json::to_string_pretty(value).unwrap(),
        ] {
            let redacted: Value =
                serde_json::from_slice(&without_secrets(text.as_bytes())).unwrap();
            assert_eq!(redacted, *expected, "{text}");
        }
    }

    #[test]
    fn secrets_are_replaced_and_nothing_else() {
        check(
            &json!({"job": {"env": {"A": "s\"}\\", "B": ""}, "token": "s", "image": "env"}}),
            &json!({"job": {"env": {"A": "***", "B": ""}, "token": "***", "image": "env"}}),
        );
        check(
            &json!([{"environment": {"token": "s", "env": "s"}}, {"labels": {"a": "b"}}]),
            &json!([{"environment": {"token": "***", "env": "***"}}, {"labels": {"a": "b"}}]),
        );
        let harmless = json!({
            "env": {}, "labels": {"env": "live"}, "token": "", "command": ["token", "env", "x"],
            "ports": {"env": {"internalPort": 80, "protocol": "tcp"}}, "n": [1, null, true],
        });
        let shown = json!({
            "env": {}, "labels": {"env": "live"}, "token": "", "command": ["token", "env", "x"],
            "ports": {"env": {"internalPort": 80, "protocol": "***"}}, "n": [1, null, true],
        });
        // A port of that name loses its protocol: too much is hidden rather than too little.
        check(&harmless, &shown);
    }

    #[test]
    fn what_is_no_json_is_copied_without_a_panic() {
        for text in [
            "",
            "\"",
            "\"env\":{\"a\":\"s",
            "}}{\"\\",
            "\"token\" : \"\\\"",
        ] {
            without_secrets(text.as_bytes());
        }
    }
}
