//! One line for each figure.

use std::time::Duration;

/// What both sides needed, a pair for each round.
pub(crate) type Rounds = Vec<(Duration, Duration)>;

pub(crate) fn head() {
    println!(
        "{:<34} {:>12} {:>12} {:>14}  of rounds",
        "", "Helios", "bare", "time of bare"
    );
}

/// Prints the medians for one of `each`, and by how much ours is the longer time: the median, the least and the
/// most.
pub(crate) fn row(what: &str, each: usize, rounds: &Rounds) {
    let each = u32::try_from(each).unwrap();
    let (ours, theirs) = rounds.iter().copied().unzip();
    let ratios = rounds
        .iter()
        .map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64());
    let mut ratios: Vec<f64> = ratios.collect();
    ratios.sort_unstable_by(f64::total_cmp);
    println!(
        "{what:<34} {:>12} {:>12} {:>12.2} x  {:.2} to {:.2}",
        format!("{:.1?}", median(ours) / each),
        format!("{:.1?}", median(theirs) / each),
        ratios[ratios.len() / 2],
        ratios[0],
        ratios[ratios.len() - 1],
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
