//! Finding out which faults a failure needs.

use std::collections::BTreeSet;

use super::{Faults, Point, Report};

/// How many runs a reduction takes at most.
const RUNS_MAX: usize = 200;

/// Takes faults out of a run that fails for as long as it still violates the same check, and returns the
/// report of the smallest run found with the faults that are left.
///
/// `run` runs the same simulation with the faults it is given: most often
/// `|faults| make().faults(faults).run()`. The rest of the run stays as it was, since every operation has
/// its own chance.
pub fn reduce(
    failed: Report,
    faults: &Faults,
    mut run: impl FnMut(Faults) -> Report,
) -> (Report, BTreeSet<Point>) {
    let Some(check) = failed.violations.first().map(|violation| violation.check) else {
        let points = failed.faults.clone();
        return (failed, points);
    };
    let mut kept: Vec<Point> = failed.faults.iter().copied().collect();
    let mut best = failed;
    let mut step = kept.len().div_ceil(2).max(1);
    let mut runs = 0;
    while runs < RUNS_MAX && !kept.is_empty() {
        let mut start = 0;
        let mut shrunk = false;
        while start < kept.len() && runs < RUNS_MAX {
            let end = (start + step).min(kept.len());
            let fewer: Vec<_> = kept
                .iter()
                .take(start)
                .chain(kept.iter().skip(end))
                .copied()
                .collect();
            let report = run(faults.clone().only(fewer.clone()));
            runs += 1;
            if report.violates(check) {
                (kept, best, shrunk) = (fewer, report, true);
            } else {
                start = end;
            }
        }
        if step == 1 && !shrunk {
            break;
        }
        step = step.div_ceil(2).max(1);
    }
    (best, kept.into_iter().collect())
}
