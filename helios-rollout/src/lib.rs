//! How change spreads over a fleet: "move Docker from 26 to 27 over two weeks", exactly, fairly and reversibly.
//!
//! Everything but [`drive`] and the driver of [`rolling`] is a pure function of data and a point in time, decided in integers: the same inputs give the same answer on every
//! machine, and a forecast made now is what will happen.
//!
//! | Module | Answers | Main types |
//! |---|---|---|
//! | [`curve`] | how much of the fleet should have changed by now | [`Curve`](curve::Curve), [`Schedule`](curve::Schedule) |
//! | [`order`] | which hosts come first | [`Fleet`](order::Fleet), [`Order`](order::Order), [`Turns`](order::Turns) |
//! | [`variable`] | what a host should hold, when that changes, and why | [`Variable`](variable::Variable), [`View`](variable::View) |
//! | [`rolling`] | which hosts of a deployment group get a job next | [`advance`](rolling::advance), [`Policy`](rolling::Policy) |
//! | [`guard`] | whether to go on | [`Guard`](guard::Guard), [`Monitor`](guard::Monitor) |
//! | [`drive`] | how all this lives in a store and moves | [`Variables`](drive::Variables), [`VariableDriver`](drive::VariableDriver) |
//! | [`reset`] | which machine is renewed next, and whether the fleet bears it | [`Reset`](reset::Reset), [`advance`](reset::advance()) |
//! | [`audit`] | what was decided, and that it can be decided again | [`Record`](audit::Record), [`replay`](audit::replay) |
//!
//! They meet in one number per host, its *turn*: the [`Share`] of the curve at which it changes. The order gives each host its turn; the
//! curve says when a share is reached; a decision compares the two.
//!
//! ```
//! use std::{collections::BTreeMap, time::Duration};
//! use helios_core::Timestamp;
//! use helios_rollout::Share;
//! use helios_rollout::curve::{Calendar, Curve, Length, OnResume, Shape};
//! use helios_rollout::order::{Amount, Fleet, Floor, Member, Mode, Order, Rule};
//! use helios_rollout::variable::{Change, Transition, Variable};
//!
//! let members = (0..100).map(|i| {
//!     let role = if i < 90 { "web" } else { "db" };
//!     let labels = BTreeMap::from([("role".to_owned(), role.to_owned())]);
//!     Ok(Member::new(format!("{role}-{i}").parse()?, labels))
//! });
//! let fleet = Fleet::new(members.collect::<Result<Vec<_>, Box<dyn std::error::Error>>>()?)?;
//!
//! let start = Timestamp::from_millis(1_792_396_800_000); // Monday 2026-10-19, 10:00 in Stockholm
//! let curve = Curve {
//!     calendar: Calendar { windows: vec!["Mon-Fri 09:00-16:00 Europe/Stockholm".parse()?], freezes: vec![] },
//!     ..Curve::linear(start, Duration::from_secs(14 * 86_400))
//! };
//! let mut order = Order::new("docker-27", ["role"]);
//! order.rules = vec![Rule::at_least("a canary in every role", 1)];
//! let transition = Transition::new(Change::replace("26.1", "27.0"), curve, order);
//! let mut docker = Variable::new("docker", "26.1".into())?;
//! docker.start(transition, &fleet, start)?;
//!
//! let view = docker.on(&fleet)?;
//! let when = view.flips_at("db-95").forward.ok_or("never")?;
//! let before = Timestamp::from_millis(when.as_millis() - 1);
//! assert_eq!(view.value_for("db-95", before), Some(&"26.1".into()));
//! assert_eq!(view.value_for("db-95", when), Some(&"27.0".into()));
//! println!("{}", view.explain("db-95", when).ok_or("unknown host")?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Properties
//!
//! Each is tested over generated fleets, in `tests/properties`. Those marked with a star have a control there: the obvious way, which
//! does not have it.
//!
//! | | |
//! |---|---|
//! | P1 | A larger share never takes a host back, in any mode. |
//! | P2 | The order in which members are given changes nothing: the same inputs, the same answer. |
//! | P3 | Exactly the rounded share of the hosts, within floors and ceilings. * |
//! | P4 | At every share, each stratum is within one host of its share of the stratum above. |
//! | P5 | A run of hosts in the order has at most two more of a stratum than its share. |
//! | P6 | One host more never costs a stratum a host. * |
//! | P7 | A join or leave flips no other host by thresholds, one at most in one order, one in each stratum at most in the exact order; nothing is revoked by the ratchet. * |
//! | P8 | From one mix of values to another, as few hosts move as possible, and none the wrong way. * |
//! | P9 | The same mix again moves nobody. |
//! | P10 | Nothing is nobody, and everything is everybody, whatever the rules. |
//! | P11 | Curves rise from nothing to everything, and their inverse is exact. |
//! | P12 | Closed time changes nobody, and re-opening makes no jump. |
//! | P13 | No calendar, change of the clock or leap day lets open time run backwards. |
//! | P14 | A pause shifts the rest, or compresses it within the limit of speed. |
//! | P15 | The last in are the first out; who never changed never does; at its end a rollback has restored everything. * |
//! | P16 | Planning again plans nothing, whoever crashed where; what was forecast is what happens. |
//! | P17 | The budget of hosts on their way is kept, and used. |
//! | P18 | Rollouts with salts of their own are independent; rotated ones begin on different hosts. |
//! | P19 | Hashes are uniform. * |
//! | P20 | The published vectors hold. |
//! | P21 | A log replays to the same state, bit for bit; rolled up, too. |
//! | P22 | A guard stops a good rollout as rarely as it says, however often it looks. * |
//! | P23 | An abort is for good. |
//! | P24 | Over many rollouts no host is always first. |
#![deny(missing_docs)]

pub mod audit;
pub mod curve;
pub mod drive;
pub mod guard;
pub mod order;
pub mod reset;
pub mod rolling;
pub mod variable;

mod fixed;
mod share;
mod table;

pub use share::{Share, ShareError};
