//! Prints how often rules to end a rollout end a good one, and how soon a bad one: `cargo bench -p helios-rollout --bench guards`.
//!
//! Ten thousand rollouts each, of three hundred looks at fifty requests in either arm; of a hundred requests one fails with the old value.
#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

use helios_core::Timestamp;
use helios_rollout::guard::{Counts, EProcess, Evidence};

const ROLLOUTS: u64 = 10_000;
const LOOKS: u64 = 300;
const REQUESTS: u64 = 50;
/// Of a thousand requests.
const OLD: u64 = 10;
const ALPHA_PPM: u32 = 50_000;

/// A way to decide, look by look, with what was counted so far. It says when to end the rollout.
trait Rule {
    fn name(&self) -> &'static str;
    fn fresh(&mut self);
    fn ends(&mut self, new: u64, old: u64) -> bool;
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn failures(&mut self, permille: u64) -> u64 {
        (0..REQUESTS)
            .filter(|_| {
                self.0 ^= self.0 << 13;
                self.0 ^= self.0 >> 7;
                self.0 ^= self.0 << 17;
                (self.0 >> 20) % 1_000 < permille
            })
            .count() as u64
    }
}

struct Ours(EProcess);

impl Rule for Ours {
    fn name(&self) -> &'static str {
        "the guard, false alarms 5 %"
    }

    fn fresh(&mut self) {
        self.0 = EProcess::of_harm(500);
    }

    fn ends(&mut self, new: u64, old: u64) -> bool {
        let counts = |events| Counts {
            events,
            exposure: REQUESTS,
        };
        self.0.look(&Evidence {
            at: Timestamp::from_millis(0),
            stratum: String::new(),
            new: counts(new),
            old: counts(old),
        });
        self.0.has_reached(ALPHA_PPM)
    }
}

/// The usual test for a difference of two shares, repeated at each look.
#[derive(Default)]
struct Significance {
    looks: u64,
    new: u64,
    old: u64,
}

impl Rule for Significance {
    fn name(&self) -> &'static str {
        "a z-test at 5 %, at each look"
    }

    fn fresh(&mut self) {
        *self = Self::default();
    }

    fn ends(&mut self, new: u64, old: u64) -> bool {
        (self.looks, self.new, self.old) = (self.looks + 1, self.new + new, self.old + old);
        let each = (self.looks * REQUESTS) as f64;
        let (new, old) = (self.new as f64 / each, self.old as f64 / each);
        let both = f64::midpoint(new, old);
        let spread = (2.0 * both * (1.0 - both) / each).sqrt();
        spread > 0.0 && (new - old) / spread > 1.645
    }
}

/// So many looks in a row with more than two failures in a hundred.
struct InARow {
    needed: u64,
    so_far: u64,
}

impl Rule for InARow {
    fn name(&self) -> &'static str {
        match self.needed {
            1 => "one look above 2 %",
            _ => "three looks in a row above 2 %",
        }
    }

    fn fresh(&mut self) {
        self.so_far = 0;
    }

    fn ends(&mut self, new: u64, _: u64) -> bool {
        self.so_far = if new * 1_000 > 2 * 10 * REQUESTS {
            self.so_far + 1
        } else {
            0
        };
        self.so_far >= self.needed
    }
}

fn main() {
    let mut rules: [Box<dyn Rule>; 4] = [
        Box::new(Significance::default()),
        Box::new(InARow {
            needed: 1,
            so_far: 0,
        }),
        Box::new(InARow {
            needed: 3,
            so_far: 0,
        }),
        Box::new(Ours(EProcess::of_harm(500))),
    ];
    println!("{ROLLOUTS} rollouts each; 1 % of requests fail with the old value");
    println!(
        "{:<32} {:>14} {:>26} {:>26}",
        "rule", "good ones end", "new value 2 %: ended after", "new value 5 %: ended after"
    );
    for rule in &mut rules {
        let good = ended(&mut **rule, OLD);
        let twice = ended(&mut **rule, 2 * OLD);
        let five = ended(&mut **rule, 5 * OLD);
        println!(
            "{:<32} {:>12.1} % {:>26} {:>26}",
            rule.name(),
            share(&good),
            told(&twice),
            told(&five)
        );
    }
}

/// The looks at which rollouts are ended that are.
fn ended(rule: &mut dyn Rule, new: u64) -> Vec<u64> {
    let one = |seed: u64| {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        rule.fresh();
        (1..=LOOKS).find(|_| {
            let (new, old) = (dice.failures(new), dice.failures(OLD));
            rule.ends(new, old)
        })
    };
    (1..=ROLLOUTS).filter_map(one).collect()
}

fn share(ended: &[u64]) -> f64 {
    ended.len() as f64 * 100.0 / ROLLOUTS as f64
}

fn told(ended: &[u64]) -> String {
    let looks: u64 = ended.iter().sum();
    let requests = looks * REQUESTS / (ended.len() as u64).max(1);
    format!("{requests} requests ({:.0} %)", share(ended))
}
