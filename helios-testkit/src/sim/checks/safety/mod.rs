//! What must never happen.

mod behaved;
mod s01;
mod s02;
mod s03;
mod s04;
mod s05;
mod s06;
mod s07;
mod s08;
mod s09;
mod s10;
mod s11;
mod s12;
mod s13;
mod s14;
mod s15;
mod s16;
mod s17;
mod s18;
mod s19;
mod s20;

use super::{Check, Verdicts, check};

pub(super) fn all() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(behaved::WellBehaved),
        Box::new(s01::OneContainer),
        Box::new(s02::NoWrongKill),
        Box::new(s03::PortsExclusive::default()),
        Box::new(s04::IgnoranceIsInert),
        Box::new(s05::NoResurrection::default()),
        Box::new(s06::RolloutWidth::default()),
        Box::new(s07::AbortBound::default()),
        Box::new(s08::Atomicity),
        Box::new(s09::NoTimeTravel::default()),
        Box::new(s10::OnlyItsOwn),
        Box::new(s11::IdempotentEffects),
        Box::new(s12::Identity),
        Box::new(s13::HonestStatus::default()),
        Box::new(s14::BoundedWork::default()),
        Box::new(s15::BoundedSize::default()),
        Box::new(s16::NoLostWrite::default()),
        Box::new(s17::AuditComplete::default()),
        Box::new(s18::MonotoneRollout::default()),
        Box::new(s19::PathSafety),
        Box::new(s20::ResetLimits::default()),
    ]
}
