//! The status of hosts, without making the text of each again.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use helios_core::cluster::{FleetView, HostView};
use helios_core::model::HostName;

use super::fault::Fault;
use super::pieces::Pieces;
use super::reply::to_json;
use super::shown::{JobTexts, ShownHost};

/// The status of each host as JSON, kept for as long as nothing about the host changes.
///
/// In a fleet of thousands most hosts are as they were when somebody asked last, and making their texts takes
/// far longer than copying them.
#[derive(Debug, Default)]
pub(super) struct HostTexts(Mutex<HashMap<HostName, Kept>>);

#[derive(Clone, Debug)]
struct Kept {
    /// What the text was made of. Holding it keeps its records from being taken for later ones.
    host: HostView,
    text: Bytes,
}

impl HostTexts {
    /// One JSON object with the status of each of those hosts that is registered, under its name.
    pub(super) fn object<'a>(
        &self,
        view: &FleetView,
        hosts: impl IntoIterator<Item = &'a HostName>,
    ) -> Result<Pieces, Fault> {
        let jobs = OnceCell::new();
        let mut object = Pieces::default();
        object.push(b"{".as_slice());
        let mut is_first = true;
        for name in hosts {
            if let Some(host) = view.host(name) {
                let member = self.member(view, name, host, &jobs)?;
                object.push(member.slice(usize::from(is_first)..));
                is_first = false;
            }
        }
        self.forget_others(view);
        object.push(b"}".as_slice());
        Ok(object)
    }

    /// The status of that one host.
    pub(super) fn status(
        &self,
        view: &FleetView,
        name: &HostName,
        host: HostView,
    ) -> Result<Pieces, Fault> {
        let member = self.member(view, name, host, &OnceCell::from(JobTexts::default()))?;
        self.forget_others(view);
        let mut status = Pieces::default();
        status.push(member.slice(before_status(name)..));
        Ok(status)
    }

    /// Name and status of a host, after a comma.
    fn member<'v>(
        &self,
        view: &'v FleetView,
        name: &HostName,
        host: HostView,
        jobs: &OnceCell<JobTexts<'v>>,
    ) -> Result<Bytes, Fault> {
        if let Some(kept) = self
            .lock()
            .get(name)
            .filter(|kept| is_same(&kept.host, &host))
        {
            return Ok(kept.text.clone());
        }
        let jobs = jobs.get_or_init(|| JobTexts::of(view));
        let shown = ShownHost::new(view, name, host.clone(), jobs);
        // A host name has no character that JSON would escape.
        let status = to_json(&shown)?;
        let text = [b",\"".as_slice(), name.as_str().as_bytes(), b"\":", &status].concat();
        let text = Bytes::from(text);
        if rests_on_itself(&host) {
            let text = text.clone();
            self.lock().insert(name.clone(), Kept { host, text });
        }
        Ok(text)
    }

    /// Hosts that are gone need no texts; looked for only when there must be some.
    fn forget_others(&self, view: &FleetView) {
        let mut kept = self.lock();
        if kept.len() > view.hosts.len() {
            kept.retain(|name, _| view.hosts.get(name).is_some());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<HostName, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much of a member is not the status: a comma, the name in quotes, and a colon.
fn before_status(name: &HostName) -> usize {
    name.as_str().len() + 4
}

/// Whether both are the very same records. Versions would not tell: one may come again after a host was
/// deregistered and registered.
fn is_same(one: &HostView, other: &HostView) -> bool {
    let same_report = match (&one.report, &other.report) {
        (Some(one), Some(other)) => Arc::ptr_eq(&one.record, &other.record),
        (None, None) => true,
        _ => false,
    };
    (one.up, &one.unread) == (other.up, &other.unread)
        && Arc::ptr_eq(&one.record.record, &other.record.record)
        && same_report
}

/// Whether its text depends on nothing else: a task without a goal is shown by a job that may be removed.
fn rests_on_itself(host: &HostView) -> bool {
    let mut tasks = host.report.iter().flat_map(|report| report.tasks.keys());
    tasks.all(|job| host.record.goals.contains_key(job))
}
