//! What must happen in time.

mod l01;
mod l02;
mod l03;
mod l04;
mod l05;
mod l06;
mod l07;
mod l08;
mod l09;
mod l10;
mod l11;

use super::excuse::Excuses;
use super::trouble::Troubles;
use super::{Check, Verdicts, check};

pub(super) fn all() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(l01::AsWanted::default()),
        Box::new(l02::NoOrphans),
        Box::new(l03::PortsReturn::default()),
        Box::new(l04::RolloutEnds::default()),
        Box::new(l05::Presence::default()),
        Box::new(l06::ClockIndependence::default()),
        Box::new(l07::Quiescence::default()),
        Box::new(l08::WatchProgress::default()),
        Box::new(l09::PromptUndeploy::default()),
        Box::new(l10::ResetsRest::default()),
        Box::new(l11::ToldToRun::default()),
    ]
}
