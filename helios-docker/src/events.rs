//! Docker's events, as far as they say that a container may have changed.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::query_parameters::EventsOptionsBuilder;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use helios_core::runtime::{ContainerId, RuntimeError, RuntimeErrorKind};

use crate::failure::{Call, failure};
use crate::labels;
use crate::runtime::DockerRuntime;

/// What changes how a container is seen. Left out is above all what a health check makes of events.
const ACTIONS: [&str; 7] = [
    "create", "start", "die", "destroy", "rename", "pause", "unpause",
];

/// How far back the stream begins. The engine accepts the request before it listens, so that an event in
/// between would be lost; it repeats the recent ones on demand.
const REPEATED: Duration = Duration::from_secs(5);

impl DockerRuntime {
    /// The ids of containers that may have changed. Ends with an error, when the engine goes away.
    pub(crate) fn events(&self) -> BoxStream<'static, Result<ContainerId, RuntimeError>> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let filters: HashMap<&str, Vec<String>> = HashMap::from([
            ("type", texts(&["container"])),
            ("event", texts(&ACTIONS)),
            ("label", vec![labels::filter(&self.owner)]),
        ]);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let since = now.saturating_sub(REPEATED).as_secs().to_string();
        let options = EventsOptionsBuilder::new()
            .since(&since)
            .filters(&filters)
            .build();
        let events = self
            .client
            .events(Some(options))
            .filter_map(|event| async move {
                match event {
                    Ok(event) => event.actor?.id.map(|id| Ok(ContainerId::new(id))),
                    Err(error) => Some(Err(failure(Call::List, "", error))),
                }
            });
        let ended = futures_util::stream::once(async {
            Err(RuntimeError::new(
                RuntimeErrorKind::Unavailable,
                "the Docker engine ended its event stream: it was stopped or is restarting",
            ))
        });
        Box::pin(events.chain(ended))
    }
}
