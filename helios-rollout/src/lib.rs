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
//! let transition = Transition {
//!     change: Change::Replace { from: "26.1".into(), to: "27.0".into() },
//!     curve: Curve {
//!         shape: Shape::Linear,
//!         start,
//!         length: Length::Elapsed(Duration::from_secs(14 * 86_400)),
//!         calendar: Calendar { windows: vec!["Mon-Fri 09:00-16:00 Europe/Stockholm".parse()?], freezes: vec![] },
//!     },
//!     upto: Share::ONE,
//!     scope: vec![],
//!     order: Order {
//!         salt: "docker-27".to_owned(),
//!         strata: vec!["role".to_owned()],
//!         mode: Mode::Ratchet,
//!         rules: vec![Rule {
//!             name: "a canary in every role".to_owned(),
//!             scope: vec![],
//!             floor: Some(Floor { at_least: Amount::Hosts(1), ramp: Share::ZERO }),
//!             ceiling: None,
//!         }],
//!         rotation: Share::ZERO,
//!     },
//!     on_resume: OnResume::Stretch,
//! };
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
