//! One step of the loop: decide, store, begin.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use futures_util::FutureExt;
use futures_util::future::{AbortHandle, Abortable};
use tracing::{info, warn};

use crate::model::JobId;
use crate::ops::RegisterHost;
use crate::reconcile::{Action, Plan, Verb, reconcile};
use crate::runtime::RuntimeErrorKind;
use crate::schema::{self, Keys};
use crate::store::Txn;
use crate::time::Moment;

use super::act::{self, Done};
use super::holder;
use super::membership::{Step, next_step};
use super::remembered::{Distrust, Remembered};
use super::run::{DOCUMENT, Joined, RETRY_AFTER, Running};

impl Running {
    /// Decides and begins whatever follows from all that was learned.
    pub(super) async fn step(&mut self) {
        let now = self.agent.clock.moment();
        self.wake = None;
        self.join(now);
        let plan = self.decide(now).await;
        self.wake_at(plan.wake);
        self.collect(&plan);
        self.begin_leaving(&plan, now);
        self.tell_registry(&plan, now);
        self.begin(plan);
        self.live.forget();
        self.reset_if_ordered().await;
        self.look_for_orphans(now);
        self.tidy_images(now);
        self.remove_dead(now);
        self.tell(now);
        self.write_history(now);
        self.publish();
    }

    /// Takes the next step towards acting for this host.
    pub(super) fn join(&mut self, now: Moment) {
        let own = self.live.remembered.cluster.as_deref();
        let step = next_step(&self.me, own, &self.seen, self.agent.takeover_after, now);
        if let Step::Refused { by } = &step {
            let message = format!(
                "another live agent, {by}, holds this host's name: stop that one, or give this one another name"
            );
            if self.problems.insert("membership", message).is_none() {
                warn!(by, "another live agent holds this host's name");
            }
        } else {
            self.problems.remove("membership");
        }
        if let Step::WaitFor(moment) = step {
            self.wake_at(Some(moment));
        }
        if self.membership.is_some() {
            return;
        }
        if let Some(later) = self.membership_not_before.filter(|later| now < *later) {
            self.wake_at(Some(later));
            return;
        }
        let up = Keys::up(&self.agent.host);
        self.membership = match step {
            Step::None | Step::Refused { .. } | Step::WaitFor(_) => None,
            Step::Register { cluster } => Some(self.register(&cluster, false)),
            Step::TakeOver { cluster } => Some(self.register(&cluster, true)),
            Step::Announce => {
                let presence = schema::encode(&self.me);
                Some(self.commit(self.while_registered().create_ephemeral(up, presence)))
            }
            Step::Clear(version) => Some(self.commit(self.while_registered().delete(up, version))),
        };
        // What a step changed is seen by the watches, often before its own end, and lifts this.
        let begun = self.membership.is_some();
        self.membership_not_before = begun.then(|| now.plus(RETRY_AFTER));
    }

    /// Registers the host, or takes its name over, and reads what then is wanted of it: this agent knows it
    /// from now on, and must not go by older goals until the watch tells.
    fn register(&self, cluster_id: &str, take_over: bool) -> BoxFuture<'static, Joined> {
        let request = RegisterHost {
            host: self.agent.host.clone(),
            agent_id: self.me.id.clone(),
        };
        let cluster = self.cluster.only_if_it_is(cluster_id);
        let looks_before = self.seen.host_looks;
        async move {
            if take_over {
                cluster.take_over_host(&request).await?;
            } else {
                cluster.register_host(&request).await?;
            }
            let key = Keys::host(&request.host);
            let entry = cluster.store().get(&key).await?;
            let entry = entry.map(|entry| (key.name(), entry));
            Ok(Some((looks_before, entry.into_iter().collect())))
        }
        .boxed()
    }

    fn commit(&self, txn: Txn) -> BoxFuture<'static, Joined> {
        let store = Arc::clone(&self.agent.store);
        async move {
            store.commit(txn).await?;
            Ok(None)
        }
        .boxed()
    }

    /// A transaction that fails if the store or the registration is not any more the one that was seen. The
    /// version of a presence alone proves nothing: that of another agent's may be the same.
    pub(super) fn while_registered(&self) -> Txn {
        let mut txn = Txn::new();
        if let Some(Some(cluster)) = &self.seen.cluster {
            txn = txn.check(Keys::cluster(), cluster.version);
        }
        if let Some(Some(record)) = &self.seen.host {
            txn = txn.check(Keys::host(&self.agent.host), record.version);
        }
        txn
    }

    /// The plan for now, once everything it rests on is safely stored. What cannot be stored is not followed,
    /// and everything else goes on.
    async fn decide(&mut self, now: Moment) -> Plan {
        let before = self.accept();
        if self.live.observed.containers.is_some() && self.needs_ports() {
            self.live.observed.ports_in_use =
                self.agent.machine.ports_in_use().into_keys().collect();
        }
        self.live.observed.leases_frozen = false;
        let plan = reconcile(&self.live.desired, &self.live.observed, now);
        let leases = Arc::clone(&plan.leases);
        if before.is_none() && Arc::ptr_eq(&leases, &self.live.remembered.leases) {
            return plan;
        }
        let next = Remembered {
            leases,
            ..self.live.remembered.clone()
        };
        match self
            .agent
            .state
            .save(DOCUMENT, &schema::encode(&next))
            .await
        {
            Ok(()) => {
                self.problems.remove("state");
                self.live.observed.leases = Arc::clone(&next.leases);
                self.live.remembered = next;
                plan
            }
            Err(error) => {
                warn!(%error, "the agent's state was not stored; nothing new is begun");
                self.problems.insert("state", error.to_string());
                self.wake_at(Some(now.plus(RETRY_AFTER)));
                if let Some(before) = before {
                    self.live.doubt(before);
                    self.goals_are_news = true;
                }
                self.live.observed.leases_frozen = true;
                reconcile(&self.live.desired, &self.live.observed, now)
            }
        }
    }

    /// Follows the goals that were read, if they are to be trusted and are others; yields what was followed
    /// before.
    fn accept(&mut self) -> Option<Remembered> {
        let host = self.seen.host.as_ref()?;
        if !std::mem::take(&mut self.goals_are_news) {
            return None;
        }
        let record = host.as_ref().map(|record| &*record.record);
        let remembered = &self.live.remembered;
        let Some(cluster) = &self.seen.cluster else {
            let own = remembered.cluster.as_deref();
            if let Ok(read) = remembered.accept(&self.me.id, own, record) {
                self.live.suspect(&read);
            }
            return None;
        };
        let cluster = cluster.as_ref().map(|cluster| cluster.id.as_str());
        let mut accepted = remembered.accept(&self.me.id, cluster, record);
        if let (Err(Distrust::PastEpoch), Some(record), true) =
            (&accepted, record, self.live.is_confirmed())
        {
            // Reads of one life never go back, so this is no look at the past: versions repeat after a delete, and somebody who
            // had not seen yet that the host was registered anew has written the record of before.
            let again = remembered.with_epoch_again(&record.epoch);
            accepted = again.accept(&self.me.id, cluster, Some(record));
        }
        match accepted {
            Ok(next) => {
                let unread = record
                    .into_iter()
                    .flat_map(|record| record.goals.unread_jobs());
                let unread: BTreeSet<JobId> = unread.collect();
                let next = next.with_last_known(&unread, &self.live.remembered);
                self.live.desired.unread = unread;
                self.live.distrust = None;
                self.live.confirm();
                if next == self.live.remembered {
                    self.live.recall();
                    return None;
                }
                Some(self.live.follow(next))
            }
            Err(distrust) => {
                if matches!(distrust, Distrust::OtherCluster { .. }) {
                    self.live.recall();
                }
                if self.live.distrust.as_ref() != Some(&distrust)
                    && distrust != Distrust::NotRegistered
                {
                    warn!(%distrust, "the goals in the store are not followed");
                }
                self.live.distrust = Some(distrust);
                None
            }
        }
    }

    fn needs_ports(&self) -> bool {
        let leases = &self.live.observed.leases;
        self.live.desired.tasks.iter().any(|(id, task)| {
            !task.job.ports.is_empty()
                && (!leases.contains_key(id)
                    || self
                        .live
                        .observed
                        .memories
                        .get(id)
                        .is_some_and(|memory| memory.port_trouble))
        })
    }

    /// What an action led to, with who holds the port if that was in the way.
    pub(super) fn with_port_holders(&self, done: Done) -> Done {
        let outcome = done.outcome.map_err(|error| {
            if error.kind() != RuntimeErrorKind::PortInUse {
                return error;
            }
            let ports = self.live.host_ports(&done.job);
            holder::named(error, ports, &self.agent.machine.ports_in_use())
        });
        Done { outcome, ..done }
    }

    fn begin(&mut self, plan: Plan) {
        for line in plan.tasks {
            if let Some(look) = line.look {
                self.live.begin_look(&line.job);
                let probe = self.agent.probe.clone();
                self.looks
                    .push(act::look(probe, line.job.clone(), look).boxed());
            }
            let Some(action) = line.action else { continue };
            let verb = action.verb();
            info!(job = %line.job, ?verb, because = %line.because, "acting");
            if verb == Verb::AbandonPull {
                if let Some(pull) = self.pulls.remove(&line.job) {
                    pull.abort();
                }
                continue;
            }
            self.live.begin(&line.job, verb);
            let work = Arc::clone(&self.executor).execute(line.job.clone(), action);
            if verb == Verb::Pull {
                let (handle, registration) = AbortHandle::new_pair();
                self.pulls.insert(line.job.clone(), handle);
                let abandoned = Done {
                    job: line.job,
                    action: Action::AbandonPull,
                    outcome: Ok(None),
                };
                let pull = Abortable::new(work, registration);
                self.actions
                    .push(pull.map(|done| Some(done.unwrap_or(abandoned))).boxed());
            } else {
                self.actions.push(work.map(Some).boxed());
            }
        }
    }
}
