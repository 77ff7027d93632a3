//! What a token allows.

use crate::server::route::{Needs, On};
use crate::wire::{Grant, Role};

/// What a request is about, as far as its path says.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::server) struct Target<'a> {
    pub(in crate::server) host: &'a str,
    pub(in crate::server) group: &'a str,
}

impl Grant {
    /// Whether this is enough for what a route needs; if not, what is missing.
    pub(in crate::server) fn allows(&self, needs: Needs, target: Target<'_>) -> Result<(), String> {
        let least = match needs {
            Needs::Nothing => return Ok(()),
            Needs::Read => Role::Read,
            Needs::Deploy(_) => Role::Deploy,
            Needs::Admin => Role::Admin,
        };
        if self.role < least {
            let role = self.role;
            return Err(format!("this takes the role {least}, the token has {role}"));
        }
        match needs {
            Needs::Deploy(on) => self.reaches(on, target),
            Needs::Admin if self.is_restricted() => {
                Err("this takes a token that is not restricted".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn is_restricted(&self) -> bool {
        self.hosts.is_some() || self.groups.is_some()
    }

    /// A token that is restricted to hosts may change no groups, and the other way round.
    fn reaches(&self, on: On, target: Target<'_>) -> Result<(), String> {
        let (what, name, prefix) = match on {
            _ if !self.is_restricted() => return Ok(()),
            On::Jobs => return Ok(()),
            On::Host => ("host", target.host, &self.hosts),
            On::Group => ("group", target.group, &self.groups),
            On::Fleet => {
                return Err("the token may change only a part of the fleet".to_owned());
            }
        };
        match prefix {
            Some(prefix) if name.starts_with(prefix.as_str()) => Ok(()),
            Some(prefix) => Err(format!(
                "the token may change only {what}s whose name begins with {prefix:?}, not {name:?}"
            )),
            None => Err(format!("the token may change no {what}s")),
        }
    }
}
