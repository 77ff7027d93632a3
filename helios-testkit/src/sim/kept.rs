//! What of a run is kept.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Actor, Point};

/// What of a run is kept; `None` is all of it. What is left out never happens, and what is kept happens as it did,
/// as far as it does not follow from the other.
///
/// It can be written and read: `actors:agent1,master0 changes:master0-1-3 faults:agent1#17:late until:12000`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The masters and agents that there are. A machine without its agent is not there either.
    pub actors: Option<BTreeSet<Actor>>,
    /// On whose behalf changes are asked for with [`MasterCtx::ask`](super::MasterCtx::ask); others get no answer.
    pub changes: Option<BTreeSet<String>>,
    /// The faults that strike.
    pub faults: Option<BTreeSet<Point>>,
    /// When everything heals, if that is earlier than it would.
    pub until: Option<Duration>,
}

impl Kept {
    pub(super) fn has(&self, actor: Actor) -> bool {
        let actors = self.actors.as_ref();
        actors.is_none_or(|actors| actors.contains(&actor))
    }

    pub(super) fn is_asked(&self, principal: &str) -> bool {
        let changes = self.changes.as_ref();
        changes.is_none_or(|changes| changes.contains(principal))
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list<T: ToString>(name: &str, items: Option<&BTreeSet<T>>) -> Option<String> {
            let items: Vec<_> = items?.iter().map(ToString::to_string).collect();
            Some(format!("{name}:{}", items.join(",")))
        }
        let parts = [
            list("actors", self.actors.as_ref()),
            list("changes", self.changes.as_ref()),
            list("faults", self.faults.as_ref()),
            self.until
                .map(|until| format!("until:{}", until.as_millis())),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(" "))
    }
}

impl FromStr for Kept {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        fn list<T: FromStr + Ord>(items: &str) -> Result<Option<BTreeSet<T>>, String> {
            let items = items.split(',').filter(|item| !item.is_empty());
            let items: Result<_, _> = items.map(str::parse).collect();
            items
                .map(Some)
                .map_err(|_| "a name in it is wrong".to_owned())
        }
        let mut kept = Self::default();
        for part in text.split_whitespace() {
            let wrong = |why: &str| {
                format!(
                    "{part:?} keeps nothing, {why}: write actors:agent1,master0, changes:master0-1-3, faults:agent1#17:late,chaos#3 or until:12000"
                )
            };
            let (name, items) = part
                .split_once(':')
                .ok_or_else(|| wrong("it has no colon"))?;
            match name {
                "actors" => kept.actors = list(items).map_err(|why| wrong(&why))?,
                "changes" => kept.changes = list(items).map_err(|why| wrong(&why))?,
                "faults" => kept.faults = list(items).map_err(|why| wrong(&why))?,
                "until" => {
                    let millis = items.parse().map_err(|_| wrong("that is no number"))?;
                    kept.until = Some(Duration::from_millis(millis));
                }
                _ => return Err(wrong("nobody knows what that is")),
            }
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_as_it_is_written() {
        let text =
            "actors:master0,agent1 changes:master0-1-3 faults:agent1#17:late,chaos#3 until:12000";
        let kept: Kept = text.parse().expect("what is kept");
        assert_eq!(kept.to_string(), text);
        assert_eq!(Kept::default().to_string().parse(), Ok(Kept::default()));
        let none: Kept = "faults:".parse().expect("what is kept");
        assert_eq!(none.faults, Some(BTreeSet::new()));
        assert!("faults:agent0#x:late".parse::<Kept>().is_err());
        assert!("hosts:3".parse::<Kept>().is_err());
    }
}
