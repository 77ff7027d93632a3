//! What is done about orphans.

use std::time::Duration;

/// How often an agent looks for orphans, and what it does about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanPolicy {
    /// What is done with what is surely this agent's.
    pub mode: OrphanMode,
    /// How long between two looks when nothing is suspect.
    pub every: Duration,
    /// How long something has to look orphaned, over at least two looks, before it counts: what is just starting
    /// or stopping looks like it for a moment.
    pub confirm_after: Duration,
}

/// What is done with orphans that are surely this agent's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrphanMode {
    /// They are reported, and nothing is touched.
    #[default]
    Report,
    /// They are reported and ended.
    Reap,
}

impl Default for OrphanPolicy {
    fn default() -> Self {
        Self {
            mode: OrphanMode::default(),
            every: Duration::from_secs(60),
            confirm_after: Duration::from_secs(10),
        }
    }
}
