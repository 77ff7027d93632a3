//! How big the parts of a JSON body may be.

/// The deepest nesting of objects and lists.
const DEPTH_MAX: usize = 32;
/// The longest text, in bytes as written.
const TEXT_BYTES_MAX: usize = 32 * 1024;
/// The most members of one object.
const MEMBERS_MAX: usize = 1024;

/// Looks for parts of a JSON text that are too big to be meant well. The text need not be valid; what is
/// wrong with it otherwise is for its reader to find.
pub(super) fn check_limits(json: &[u8]) -> Result<(), String> {
    // One item for each open object or list: the members it has so far.
    let mut open: Vec<usize> = Vec::new();
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' if open.len() == DEPTH_MAX => {
                return Err(format!("the JSON is nested more than {DEPTH_MAX} deep"));
            }
            b'{' | b'[' => open.push(0),
            b'}' | b']' => drop(open.pop()),
            b':' => {
                if let Some(members) = open.last_mut() {
                    *members += 1;
                    if *members > MEMBERS_MAX {
                        return Err(format!("an object has more than {MEMBERS_MAX} members"));
                    }
                }
            }
            b'"' if text_length(&mut bytes) > TEXT_BYTES_MAX => {
                return Err(format!("a text is longer than {TEXT_BYTES_MAX} bytes"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Takes the rest of a text and its closing quote, and says how long it was.
fn text_length<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> usize {
    let mut length = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => {
                bytes.next();
                length += 2;
            }
            _ => length += 1,
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_is_just_small_enough() {
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        let long = format!(r#"["{}"]"#, "a".repeat(TEXT_BYTES_MAX));
        let wide = format!("{{{}}}", r#""a":1,"#.repeat(MEMBERS_MAX));
        let many = format!("[{}]", r#"{"a":[]},"#.repeat(MEMBERS_MAX * 2));
        let quoted = format!(r#"["{}\"{}"]"#, "[".repeat(99), ":".repeat(MEMBERS_MAX + 1));
        for json in [
            deep,
            long,
            wide,
            many,
            quoted,
            String::new(),
            "]]}".to_owned(),
        ] {
            assert_eq!(check_limits(json.as_bytes()), Ok(()));
        }
    }

    #[test]
    fn refuses_what_is_too_big() {
        for (json, reason) in [
            ("[".repeat(DEPTH_MAX + 1), "nested more than 32 deep"),
            (r#"{"a":"#.repeat(1_000_000), "nested more than 32 deep"),
            (
                format!("\"{}\"", "a".repeat(TEXT_BYTES_MAX + 1)),
                "longer than 32768 bytes",
            ),
            (r#""a":1,"#.repeat(MEMBERS_MAX + 1), ""),
            (
                format!("{{{}", r#""a":1,"#.repeat(MEMBERS_MAX + 1)),
                "more than 1024 members",
            ),
        ] {
            match check_limits(json.as_bytes()) {
                Err(error) => assert!(error.contains(reason), "{error}"),
                // Members outside of any object are no object's.
                Ok(()) => assert!(reason.is_empty()),
            }
        }
    }
}
