//! What bodies and answers look like, made of the very types that are read and written.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::server::route::Looks;

/// The documents that bodies and answers are made of.
pub(super) struct Documents {
    bodies: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Documents {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12()
            .with(|settings| settings.definitions_path = "/components/schemas".into());
        Self {
            bodies: settings.clone().into_generator(),
            answers: settings.for_serialize().into_generator(),
        }
    }

    /// What a body looks like. Much of it may be left out.
    pub(super) fn body(&mut self, looks: Looks) -> Value {
        // Answers know every document, so that two of one name are noticed.
        looks(&mut self.answers);
        looks(&mut self.bodies).to_value()
    }

    /// What an answer looks like.
    pub(super) fn answer(&mut self, looks: Looks) -> Value {
        looks(&mut self.answers).to_value()
    }

    /// What an answer looks like that is always of that type.
    pub(super) fn answer_of<T: JsonSchema>(&mut self) -> Value {
        self.answer(SchemaGenerator::subschema_for::<T>)
    }

    /// Every document by its name. One that is read and written is described as it may be read, which is how it is written too.
    pub(super) fn into_schemas(mut self) -> Map<String, Value> {
        let mut schemas = self.answers.take_definitions(true);
        schemas.extend(self.bodies.take_definitions(true));
        schemas.values_mut().for_each(for_readers);
        schemas
    }
}

/// Of what is written for programmers of ours keeps what others understand: the first paragraph, without links.
fn for_readers(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "description" => *text = in_short(text),
                    _ => for_readers(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(for_readers),
        _ => {}
    }
}

fn in_short(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let mut rest = paragraph.replace('\n', " ");
    let mut short = String::new();
    while let Some((before, name, after)) = next_link(&rest) {
        short.push_str(before);
        short.push_str(name);
        rest = after.to_owned();
    }
    short + &rest
}

/// The first link to another item, as `[name]` or `[name](item)`: what is before it, its name, and what is after it.
fn next_link(text: &str) -> Option<(&str, &str, &str)> {
    let (before, link) = text.split_once('[')?;
    let (name, after) = link.split_once(']')?;
    let item = after
        .strip_prefix('(')
        .and_then(|item| item.split_once(')'));
    Some((before, name, item.map_or(after, |(_, after)| after)))
}

#[cfg(test)]
mod tests {
    use super::in_short;

    #[test]
    fn a_description_is_one_paragraph_without_links() {
        let text =
            "What [`Job::new`] makes,\nby [a plan](crate::Plan) in [0, 1).\n\n```\nlet job;\n```";
        assert_eq!(
            in_short(text),
            "What `Job::new` makes, by a plan in [0, 1)."
        );
    }
}
