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
        "absences" | "jobs" | "names" | "removed" | "hosts" | "up" | "masters" | "status"
        | "resets" | "robustness" => below == 1,
        "audit" | "trails" => below == 2,
        "groups" | "rollouts" | "variables" | "history" => (1..=3).contains(&below),
        _ => false,
    }
}
