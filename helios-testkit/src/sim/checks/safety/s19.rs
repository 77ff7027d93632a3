//! S19: path safety.

use helios_core::store::Key;

use super::super::super::trace::{Event, Fleet, What};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct PathSafety;

impl Check for PathSafety {
    check!(
        PathSafety,
        "S19",
        "every key that is written is one that the schema has a place for"
    );

    fn see(&mut self, _: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let What::Commit { writes, .. } = &event.what else {
            return;
        };
        if let Some(write) = writes.iter().find(|write| !has_place(&write.key)) {
            verdicts.violated(
                [event.actor],
                format!("{} has no place in the schema", write.key),
            );
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

fn has_place(key: &Key) -> bool {
    let mut segments = key.segments();
    let dir = segments.next().unwrap_or_default();
    let below = segments.count();
    match dir {
        "cluster" => below == 0,
        "absences" | "followers" | "groups" | "hosts" | "jobs" | "masters" | "names"
        | "removed" | "resets" | "robustness" | "status" | "tokens" | "up" | "variables" => {
            below == 1
        }
        "audit" | "history" | "trails" => below == 2,
        "rollouts" => (1..=2).contains(&below),
        _ => false,
    }
}
