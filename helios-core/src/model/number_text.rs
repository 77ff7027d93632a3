//! Keeping the text of numbers.

use std::borrow::Cow;

/// The longest number, in characters, that every reader turns back into the same text.
const SAFE_CHARS_MAX: usize = 18;

/// Puts quotes around every number in a JSON text that a reader would not give back as it was
/// written, such as `1.50` or `1e3`.
///
/// A job may have a number where a text is wanted, and its hash is then made of the number's own
/// text. Quoted, the text survives; readers of numbers take it back from there.
pub(super) fn quote_odd_numbers(json: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    for (start, end) in numbers(json) {
        let Some(number) = json.get(start..end) else {
            continue;
        };
        if is_plain(number) || serde_json::from_str::<f64>(number).is_err() {
            continue;
        }
        out.push_str(json.get(copied..start).unwrap_or_default());
        out.push('"');
        out.push_str(number);
        out.push('"');
        copied = end;
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(json.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

fn is_plain(number: &str) -> bool {
    number.len() <= SAFE_CHARS_MAX
        && number != "-0"
        && number.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}

/// Where numbers start and end outside of strings.
fn numbers(json: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut bytes = json.bytes().enumerate().peekable();
    std::iter::from_fn(move || {
        loop {
            match bytes.next()? {
                (_, b'"') => {
                    while let Some((_, byte)) = bytes.next() {
                        match byte {
                            b'\\' => drop(bytes.next()),
                            b'"' => break,
                            _ => {}
                        }
                    }
                }
                (start, b'-' | b'0'..=b'9') => {
                    let mut end = start + 1;
                    while let Some((at, _)) = bytes.next_if(|(_, byte)| is_number_byte(*byte)) {
                        end = at + 1;
                    }
                    return Some((start, end));
                }
                _ => {}
            }
        }
    })
}

fn is_number_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || b"+-.eE".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::quote_odd_numbers;

    #[test]
    fn quotes_only_what_would_change() {
        for (given, quoted) in [
            (r#"{"a":1.50,"b":80}"#, r#"{"a":"1.50","b":80}"#),
            ("[1e3,-0,-7]", r#"["1e3","-0",-7]"#),
            ("12345678901234567890123", r#""12345678901234567890123""#),
            (r#"{"1.50":"2.50 \" 3.50"}"#, r#"{"1.50":"2.50 \" 3.50"}"#),
            ("[1.,01.0,--1.0]", "[1.,01.0,--1.0]"),
            ("", ""),
        ] {
            assert_eq!(quote_odd_numbers(given), quoted);
        }
    }
}
