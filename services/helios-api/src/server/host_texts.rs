//! The status of many hosts, without making the text of each again.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use helios_core::cluster::{FleetView, HostView};
use helios_core::model::HostName;

use super::fault::Fault;
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
    text: Arc<[u8]>,
}

impl HostTexts {
    /// One JSON object with the status of each of those hosts that is registered, under its name.
    pub(super) fn object<'a>(
        &self,
        view: &FleetView,
        hosts: impl IntoIterator<Item = &'a HostName>,
    ) -> Result<Vec<u8>, Fault> {
        let jobs = OnceCell::new();
        let mut found = Vec::new();
        for name in hosts {
            if let Some(host) = view.host(name) {
                found.push((name, self.text(view, name, host, &jobs)?));
            }
        }
        self.forget_others(view);
        let length = |(name, text): &(&HostName, Arc<[u8]>)| name.as_str().len() + text.len() + 4;
        let mut object = Vec::with_capacity(found.iter().map(length).sum::<usize>() + 2);
        object.push(b'{');
        for (index, (name, text)) in found.iter().enumerate() {
            object.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
            // A host name has no character that JSON would escape.
            object.extend_from_slice(name.as_str().as_bytes());
            object.extend_from_slice(b"\":");
            object.extend_from_slice(text);
        }
        object.push(b'}');
        Ok(object)
    }

    fn text<'v>(
        &self,
        view: &'v FleetView,
        name: &HostName,
        host: HostView,
        jobs: &OnceCell<JobTexts<'v>>,
    ) -> Result<Arc<[u8]>, Fault> {
        if let Some(kept) = self
            .lock()
            .get(name)
            .filter(|kept| is_same(&kept.host, &host))
        {
            return Ok(Arc::clone(&kept.text));
        }
        let jobs = jobs.get_or_init(|| JobTexts::of(view));
        let shown = ShownHost::new(view, name, host.clone(), jobs);
        let text: Arc<[u8]> = to_json(&shown)?.into();
        if rests_on_itself(&host) {
            let text = Arc::clone(&text);
            self.lock().insert(name.clone(), Kept { host, text });
        }
        Ok(text)
    }

    /// Hosts that are gone need no texts; looked for only when there must be some.
    fn forget_others(&self, view: &FleetView) {
        let mut kept = self.lock();
        if kept.len() > view.hosts.names().count() {
            kept.retain(|name, _| view.hosts.get(name).is_some());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<HostName, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether both are the very same records. Versions would not tell: one may come again after a host was
/// deregistered and registered.
fn is_same(one: &HostView, other: &HostView) -> bool {
    let same_report = match (&one.report, &other.report) {
        (Some(one), Some(other)) => Arc::ptr_eq(&one.record, &other.record),
        (None, None) => true,
        _ => false,
    };
    one.up == other.up && Arc::ptr_eq(&one.record.record, &other.record.record) && same_report
}

/// Whether its text depends on nothing else: a task without a goal is shown by a job that may be removed.
fn rests_on_itself(host: &HostView) -> bool {
    let mut tasks = host.report.iter().flat_map(|report| report.tasks.keys());
    tasks.all(|job| host.record.goals.contains_key(job))
}
