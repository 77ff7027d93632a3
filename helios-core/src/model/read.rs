//! Reading JSON the way Helios clients expect it to be read.
//!
//! Scalars are coerced, null is the same as absence, unknown members are skipped, and of equal members
//! the last one wins. A derive can do none of these, so the model has its own: [`read_members!`].

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::date::parse_date;
use crate::time::Timestamp;

/// A type that can be a member of a JSON object, with its own meaning of null.
pub(super) trait Member: Sized {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// A type that is read member by member.
pub(super) trait Members {
    /// The names of all members in JSON, in the order they are written.
    const MEMBERS: &'static [&'static str];
}

/// Carries a [`Member`] through serde.
pub(super) struct Read<T>(pub(super) T);

impl<'de, T: Member> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

/// Implements `Deserialize` for a struct member by member, starting from its default (or `from` a
/// given value, `then` checking the result), and lists the members' names.
macro_rules! read_members {
    ($type:ident { $($names:tt)+ }) => {
        read_members!($type from $type::default(); then Ok::<$type, &str>; { $($names)+ });
    };
    ($type:ident from $start:expr; then $then:expr; { $($name:literal $(| $alias:literal)? => $field:ident,)+ }) => {
        impl $crate::model::read::Members for $type {
            const MEMBERS: &'static [&'static str] = &[$($name),+];
        }

        impl $type {
            fn read_map<'de, A: serde::de::MapAccess<'de>>(
                mut value: Self,
                mut map: A,
            ) -> Result<Self, A::Error> {
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        $($name $(| $alias)? => {
                            value.$field = map.next_value::<$crate::model::read::Read<_>>()?.0;
                        })+
                        _ => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(value)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Members;

                impl<'de> serde::de::Visitor<'de> for Members {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("an object with the members of ", stringify!($type)))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        map: A,
                    ) -> Result<$type, A::Error> {
                        let value = $type::read_map($start, map)?;
                        ($then)(value).map_err(serde::de::Error::custom)
                    }
                }

                deserializer.deserialize_map(Members)
            }
        }
    };
}

/// Lets types with their own `Deserialize` be members: null or absence is `None`.
macro_rules! optional_member {
    ($($type:ty),+ $(,)?) => {
        $(impl $crate::model::read::Member for Option<$type> {
            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::Deserialize::deserialize(deserializer)
            }
        })+
    };
}

/// Text; numbers and booleans count as their JSON text. Null is refused.
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, number or boolean")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Text, E> {
                Ok(Text(text))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

/// An integer; integer text is parsed, fractions are cut off, the empty text is null.
struct Integer(Option<i64>);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IntegerVisitor;

        impl Visitor<'_> for IntegerVisitor {
            type Value = Integer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a 64-bit integer")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Integer, E> {
                Ok(Integer(Some(value)))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Integer, E> {
                match i64::try_from(value) {
                    Ok(value) => Ok(Integer(Some(value))),
                    Err(_) => Err(E::custom(format_args!("{value} is too large"))),
                }
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Integer, E> {
                cut(value)
                    .map(|value| Integer(Some(value)))
                    .ok_or_else(|| E::custom(format_args!("{value} is no 64-bit integer")))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Integer, E> {
                let text = text.trim();
                if text.is_empty() {
                    return Ok(Integer(None));
                }
                text.parse()
                    .ok()
                    .or_else(|| text.parse().ok().and_then(cut))
                    .map(|value| Integer(Some(value)))
                    .ok_or_else(|| E::custom(format_args!("{text:?} is no integer")))
            }
        }

        deserializer.deserialize_any(IntegerVisitor)
    }
}

/// The integer part of `value`, if it is one of 64 bits.
fn cut(value: f64) -> Option<i64> {
    // 2^63 is the first double outside; every double below it converts without loss.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (-LIMIT..LIMIT).contains(&value).then_some(value as i64)
}

/// A boolean; its text and numbers count too, the empty text is null.
struct Flag(Option<bool>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;

        impl Visitor<'_> for FlagVisitor {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(Some(value)))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Flag, E> {
                Ok(Flag(Some(value != 0)))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Flag, E> {
                Ok(Flag(Some(value != 0)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
                match text.trim().to_ascii_lowercase().as_str() {
                    "" => Ok(Flag(None)),
                    "true" => Ok(Flag(Some(true))),
                    "false" => Ok(Flag(Some(false))),
                    _ => Err(E::custom(format_args!(
                        "{text:?} is neither true nor false"
                    ))),
                }
            }
        }

        deserializer.deserialize_any(FlagVisitor)
    }
}

/// A moment in one of the forms of [`parse_date`], or as epoch milliseconds; the empty text is null.
struct Date(Option<Timestamp>);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DateVisitor;

        impl Visitor<'_> for DateVisitor {
            type Value = Date;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date: epoch milliseconds, ISO 8601 or RFC 1123")
            }

            fn visit_i64<E: Error>(self, millis: i64) -> Result<Date, E> {
                Ok(Date(Some(Timestamp::from_millis(millis))))
            }

            fn visit_u64<E: Error>(self, millis: u64) -> Result<Date, E> {
                match i64::try_from(millis) {
                    Ok(millis) => self.visit_i64(millis),
                    Err(_) => Err(E::custom(format_args!("{millis} ms is too far ahead"))),
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Date, E> {
                if text.trim().is_empty() {
                    return Ok(Date(None));
                }
                parse_date(text).map(|at| Date(Some(at))).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(DateVisitor)
    }
}

/// The member read as `T`, or nothing for null.
fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(d)
}

impl Member for Option<String> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(nullable::<Text, D>(deserializer)?.map(|text| text.0))
    }
}

impl Member for String {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(<Option<Self>>::read(deserializer)?.unwrap_or_default())
    }
}

impl Member for Option<i64> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(nullable::<Integer, D>(deserializer)?.and_then(|integer| integer.0))
    }
}

impl Member for i64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(<Option<Self>>::read(deserializer)?.unwrap_or_default())
    }
}

impl Member for Option<i32> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <Option<i64>>::read(deserializer)?
            .map(|value| {
                i32::try_from(value)
                    .map_err(|_| D::Error::custom(format_args!("{value} is no 32-bit integer")))
            })
            .transpose()
    }
}

impl Member for i32 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(<Option<Self>>::read(deserializer)?.unwrap_or_default())
    }
}

impl Member for f64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(nullable::<Self, D>(deserializer)?.unwrap_or_default())
    }
}

impl Member for Option<bool> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(nullable::<Flag, D>(deserializer)?.and_then(|flag| flag.0))
    }
}

impl Member for Option<Timestamp> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(nullable::<Date, D>(deserializer)?.and_then(|date| date.0))
    }
}

impl Member for Option<Vec<String>> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(nullable::<Vec<Text>, D>(deserializer)?
            .map(|texts| texts.into_iter().map(|text| text.0).collect()))
    }
}

impl Member for Vec<String> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(<Option<Self>>::read(deserializer)?.unwrap_or_default())
    }
}

impl Member for BTreeMap<String, String> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = nullable::<BTreeMap<String, Text>, D>(deserializer)?.unwrap_or_default();
        Ok(texts.into_iter().map(|(key, text)| (key, text.0)).collect())
    }
}
