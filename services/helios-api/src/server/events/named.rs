//! Directories of which only the names are told.

use futures_util::future::ready;
use futures_util::stream::{BoxStream, StreamExt, iter, select_all};
use helios_core::cluster::Cluster;
use helios_core::schema::Keys;
use helios_core::store::{Change, Key, Scope, Snapshot};

use crate::wire::{Event, NamedEvent};

/// Makes an event of a name.
type Kind = fn(NamedEvent) -> Event;

/// Tells which groups, variables and resets change, from now on.
pub(in crate::server) fn watch_named(cluster: &Cluster) -> BoxStream<'static, Event> {
    let kinds: [(Key, Kind); 3] = [
        (Keys::groups(), Event::Group),
        (Keys::variables(), Event::Variable),
        (Keys::resets(), Event::Reset),
    ];
    let watches = kinds.map(|(dir, kind)| {
        let snapshots = cluster.store().watch(Scope::Children(dir));
        // Trouble is told by the watch of the fleet.
        let snapshots = snapshots.filter_map(|item| ready(item.ok()));
        let events = snapshots.scan(None, move |older: &mut Option<Snapshot>, newer| {
            let events: Vec<Event> = match older {
                Some(older) => newer.changes_since(older).map(named).map(kind).collect(),
                None => Vec::new(),
            };
            *older = Some(newer);
            ready(Some(iter(events)))
        });
        events.flatten().boxed()
    });
    select_all(watches).boxed()
}

fn named(change: Change<'_>) -> NamedEvent {
    let (name, gone) = match change {
        Change::Put { name, .. } => (name, false),
        Change::Gone { name } => (name, true),
    };
    NamedEvent {
        name: name.to_string(),
        gone,
    }
}
