//! A named value that changes gradually.

use std::collections::BTreeSet;

use helios_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::transition::{Change, Part, Rollback, Running, Transition};
use super::transport::{self, Forbidden};
use super::{Held, Kind, Step, Value, VariableError, View};
use crate::curve::{Curve, CurveError, Descent, Pauses};
use crate::order::{Fleet, OrderError, Told};
use crate::share::Share;

/// A named value that every host of a fleet asks for, and that changes gradually from one value to another.
///
/// It is data: every change is a method that either succeeds or leaves it as it was, and every answer is a pure function of it, a
/// [`Fleet`] and a point in time. [`Variable::on`] gives the answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    name: String,
    kind: Kind,
    /// Empty: every value of that kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allowed: Vec<Value>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    forbidden: Forbidden,
    held: Held,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    running: Option<Running>,
    revision: u64,
}

impl Variable {
    /// A variable that holds `value` everywhere and accepts every value of that type.
    ///
    /// # Errors
    ///
    /// [`VariableError::Name`].
    pub fn new(name: &str, value: Value) -> Result<Self, VariableError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > 128 || !name.bytes().all(plain) {
            return Err(VariableError::Name {
                name: name.to_owned(),
            });
        }
        let (kind, name) = (value.kind(), name.to_owned());
        Ok(Self {
            name,
            kind,
            allowed: Vec::new(),
            forbidden: Forbidden::new(),
            held: Held::all(value),
            running: None,
            revision: 0,
        })
    }

    /// Accepts only these values.
    ///
    /// # Errors
    ///
    /// [`VariableError::WrongKind`]; [`VariableError::UnknownValue`] if some host holds a value that is not among them.
    pub fn allow(mut self, values: impl IntoIterator<Item = Value>) -> Result<Self, VariableError> {
        self.allowed = values.into_iter().collect();
        self.allowed
            .iter()
            .chain(self.held.values())
            .try_for_each(|value| self.accepts(value))?;
        self.revision += 1;
        Ok(self)
    }

    /// Forbids the direct change from one value to another.
    ///
    /// # Errors
    ///
    /// [`VariableError::WrongKind`] and [`VariableError::UnknownValue`].
    pub fn forbid(mut self, from: Value, to: Value) -> Result<Self, VariableError> {
        self.accepts(&from)?;
        self.accepts(&to)?;
        self.forbidden.insert((from, to));
        self.revision += 1;
        Ok(self)
    }

    /// Forbids nothing any more.
    #[must_use]
    pub fn permit_all(mut self) -> Self {
        self.forbidden.clear();
        self.revision += 1;
        self
    }

    /// Gives every host this value at once.
    ///
    /// # Errors
    ///
    /// [`VariableError`] if a transition is running, the value is not accepted, or a host must not change to it directly.
    pub fn set(&mut self, value: Value) -> Result<(), VariableError> {
        if self.running.is_some() {
            return Err(VariableError::Overlaps {
                name: self.name.clone(),
            });
        }
        self.accepts(&value)?;
        for held in self.held.values().filter(|held| **held != value) {
            self.check_allowed(held, &value)?;
        }
        self.held = Held::all(value);
        self.revision += 1;
        Ok(())
    }

    /// The type of its values.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The values it accepts; none: every value of its type.
    #[must_use]
    pub fn allowed(&self) -> &[Value] {
        &self.allowed
    }

    /// Its changes that must not happen directly.
    pub fn forbidden(&self) -> impl Iterator<Item = &(Value, Value)> {
        self.forbidden.iter()
    }

    /// The same without its transition, as if that had never been started; for a place that keeps the transition elsewhere.
    #[must_use]
    pub(crate) fn without_transition(&self) -> Self {
        Self {
            running: None,
            ..self.clone()
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Grows with every change that a person makes; not with every host that is told.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What hosts hold apart from the running transition.
    #[must_use]
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// The transition that is running, if one is.
    #[must_use]
    pub fn running(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    /// Everything there is to ask, for one fleet.
    ///
    /// # Errors
    ///
    /// [`VariableError::Order`] if the fleet has changed so that the rules contradict each other.
    pub fn on<'a>(&'a self, fleet: &'a Fleet) -> Result<View<'a>, VariableError> {
        View::new(self, fleet)
    }

    /// Starts a transition. Nobody is told anything yet.
    ///
    /// # Errors
    ///
    /// [`VariableError`] if one is running, a value is unknown or nothing would change, a change is forbidden,
    /// the curve takes no time or never opens, or rules contradict each other.
    pub fn start(
        &mut self,
        transition: Transition,
        fleet: &Fleet,
        at: Timestamp,
    ) -> Result<(), VariableError> {
        if self.running.is_some() {
            return Err(VariableError::Overlaps {
                name: self.name.clone(),
            });
        }
        if transition.upto == Share::ZERO {
            return Err(VariableError::NobodyChanges {
                name: self.name.clone(),
            });
        }
        let moves = match &transition.change {
            Change::Replace { from, to } => {
                self.check_replace(from, to)?;
                Default::default()
            }
            Change::Mix(parts) => {
                self.check_mix(parts)?;
                transport::moves(
                    &self.name,
                    &self.held,
                    fleet,
                    &transition,
                    parts,
                    &self.forbidden,
                )?
            }
        };
        let pauses = Pauses::new(transition.on_resume);
        let running = Running {
            transition,
            accepted: at,
            pauses,
            told: Told::default(),
            rollback: None,
            moves,
        };
        let started = Self {
            running: Some(running),
            revision: self.revision + 1,
            ..self.clone()
        };
        started.on(fleet)?;
        *self = started;
        Ok(())
    }

    /// Stops the clock of the transition, or of its rollback. Who was told stays told.
    ///
    /// # Errors
    ///
    /// [`VariableError::NoTransition`]; [`VariableError::Curve`] if it is paused already.
    pub fn pause(&mut self, at: Timestamp) -> Result<(), VariableError> {
        let name = self.name.clone();
        self.running_mut("to pause")?
            .clock()
            .pause(at)
            .map_err(|source| VariableError::Curve { name, source })?;
        self.revision += 1;
        Ok(())
    }

    /// Lets the clock run again.
    ///
    /// # Errors
    ///
    /// [`VariableError::NoTransition`]; [`VariableError::Curve`] if it is not paused.
    pub fn resume(&mut self, at: Timestamp) -> Result<(), VariableError> {
        let name = self.name.clone();
        self.running_mut("to resume")?
            .clock()
            .resume(at)
            .map_err(|source| VariableError::Curve { name, source })?;
        self.revision += 1;
        Ok(())
    }

    /// Turns round: from the share reached at the start of `curve`, down to nothing, the last told first.
    ///
    /// Rolling back a rollback pauses it instead: two opposite orders in a row are a sign of doubt, not of a plan.
    ///
    /// # Errors
    ///
    /// [`VariableError::NoTransition`]; [`VariableError::Curve`] if the curve is refused.
    pub fn roll_back(&mut self, curve: Curve, fleet: &Fleet) -> Result<(), VariableError> {
        let at = curve.start;
        if self.running_mut("to roll back")?.rollback.is_some() {
            return if self.running_mut("to roll back")?.is_paused() {
                Ok(())
            } else {
                self.pause(at)
            };
        }
        let view = self.on(fleet)?;
        let pivot = view.share_at(at);
        let mut changed = self.clone();
        changed.revision += 1;
        let running = changed.running_mut("to roll back")?;
        let (descent, pauses) = (
            Descent { pivot, curve },
            Pauses::new(running.transition.on_resume),
        );
        running.rollback = Some(Rollback {
            descent,
            pauses,
            peak: running.told.len() as u64,
        });
        changed.on(fleet)?;
        *self = changed;
        Ok(())
    }

    /// Ends the transition where it is: every host keeps what it holds at `at`.
    ///
    /// # Errors
    ///
    /// [`VariableError::NoTransition`].
    pub fn abort(&mut self, fleet: &Fleet, at: Timestamp) -> Result<(), VariableError> {
        self.running_mut("to abort")?;
        self.settle_hosts(fleet, at)
    }

    /// Ends a transition that has arrived: the new value is the settled one, for hosts that join later, too.
    /// One that was rolled back leaves no trace.
    ///
    /// # Errors
    ///
    /// [`VariableError::NoTransition`]; [`VariableError::NotEnded`] while hosts are still to be told.
    pub fn finish(&mut self, fleet: &Fleet, at: Timestamp) -> Result<(), VariableError> {
        self.running_mut("to finish")?;
        let left = self.on(fleet)?.left(at);
        if left > 0 {
            return Err(VariableError::NotEnded {
                name: self.name.clone(),
                left,
            });
        }
        let Some(Running {
            transition,
            rollback,
            ..
        }) = &self.running
        else {
            return Ok(());
        };
        if rollback.is_none()
            && transition.upto == Share::ONE
            && let Change::Replace { from, to } = &transition.change
        {
            self.held
                .replace(&transition.scope, from, to, fleet.members());
            self.running = None;
            self.revision += 1;
            return Ok(());
        }
        self.settle_hosts(fleet, at)
    }

    /// Notes what a step tells. Noting it twice changes nothing.
    ///
    /// # Errors
    ///
    /// [`VariableError::Stale`] if a person changed the variable after the step was planned.
    pub fn apply(&mut self, step: &Step) -> Result<(), VariableError> {
        if step.revision != self.revision {
            return Err(VariableError::Stale {
                name: self.name.clone(),
                planned: step.revision,
                present: self.revision,
            });
        }
        if let Some(running) = &mut self.running {
            let (forward, back): (Vec<_>, Vec<_>) = step
                .tells
                .iter()
                .partition(|tell| tell.because.is_forward());
            running
                .told
                .tell_all(forward.into_iter().map(|tell| tell.host.clone()));
            back.into_iter()
                .for_each(|tell| running.told.revoke(&tell.host));
        }
        Ok(())
    }

    fn settle_hosts(&mut self, fleet: &Fleet, at: Timestamp) -> Result<(), VariableError> {
        let mut held = self.held.clone();
        let view = self.on(fleet)?;
        for member in fleet.members() {
            if let Some(value) = view.value_for(member.host.as_str(), at) {
                held.set(member, value);
            }
        }
        (self.held, self.running) = (held, None);
        self.revision += 1;
        Ok(())
    }

    fn running_mut(&mut self, wanted: &'static str) -> Result<&mut Running, VariableError> {
        self.running
            .as_mut()
            .ok_or_else(|| VariableError::NoTransition {
                name: self.name.clone(),
                wanted,
            })
    }

    fn accepts(&self, value: &Value) -> Result<(), VariableError> {
        let (name, value) = (self.name.clone(), value.clone());
        if value.kind() != self.kind {
            Err(VariableError::WrongKind {
                name,
                kind: self.kind,
                value,
            })
        } else if !self.allowed.is_empty() && !self.allowed.contains(&value) {
            Err(VariableError::UnknownValue { name, value })
        } else {
            Ok(())
        }
    }

    fn check_replace(&self, from: &Value, to: &Value) -> Result<(), VariableError> {
        self.accepts(from)?;
        self.accepts(to)?;
        let name = self.name.clone();
        if !self.held.values().any(|value| value == from) {
            return Err(VariableError::UnknownValue {
                name,
                value: from.clone(),
            });
        }
        if from == to {
            return Err(VariableError::NoChange { name });
        }
        self.check_allowed(from, to)
    }

    fn check_allowed(&self, from: &Value, to: &Value) -> Result<(), VariableError> {
        if !self.forbidden.contains(&(from.clone(), to.clone())) {
            return Ok(());
        }
        Err(VariableError::Forbidden {
            name: self.name.clone(),
            from: from.clone(),
            to: to.clone(),
            via: transport::detour(from, to, &self.allowed, &self.forbidden),
        })
    }

    fn check_mix(&self, parts: &[Part]) -> Result<(), VariableError> {
        parts
            .iter()
            .try_for_each(|part| self.accepts(&part.value))?;
        let values: BTreeSet<&Value> = parts.iter().map(|part| &part.value).collect();
        let sum: u128 = parts
            .iter()
            .map(|part| u128::from(part.share.parts()))
            .sum();
        if values.len() == parts.len() && sum == u128::from(Share::PARTS) {
            return Ok(());
        }
        let sum = Share::from_parts(u64::try_from(sum).unwrap_or(u64::MAX));
        Err(VariableError::Mix {
            name: self.name.clone(),
            sum,
        })
    }

    pub(super) fn curve_error(&self, source: CurveError) -> VariableError {
        VariableError::Curve {
            name: self.name.clone(),
            source,
        }
    }

    pub(super) fn order_error(&self, source: OrderError) -> VariableError {
        VariableError::Order {
            name: self.name.clone(),
            source,
        }
    }
}
