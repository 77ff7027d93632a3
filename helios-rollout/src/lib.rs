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
