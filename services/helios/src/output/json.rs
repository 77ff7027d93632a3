//! JSON as clients print it: members sorted, dates as text.

use helios_core::Timestamp;
use helios_core::model::format_date;
use serde::Serialize;
use serde_json::Value;

use crate::Failure;

/// For documents: indented.
pub(crate) fn pretty(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(&document(value)?).map_err(unwritable)
}

/// For answers to single operations: in one line.
pub(crate) fn compact(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(&document(value)?).map_err(unwritable)
}

/// The maps of a `Value` are sorted.
fn document(value: &impl Serialize) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(value).map_err(unwritable)?;
    write_dates(&mut value);
    Ok(value)
}

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::new("the result cannot be written as JSON").caused_by(error)
}

/// A master writes when a job expires as a number; a client writes it as text. No other member of that name
/// is a number: what users name holds texts.
fn write_dates(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_dates),
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_i64() {
                    Some(ms) if name == "expires" => {
                        *value = format_date(Timestamp::from_millis(ms)).into();
                    }
                    _ => write_dates(value),
                }
            }
        }
        _ => {}
    }
}
