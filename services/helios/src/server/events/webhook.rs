//! Events as requests to a hook.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::warn;

use super::super::outbound::{Body, Outbound, Url};

/// How often an event is sent at most.
const ATTEMPTS_MAX: u32 = 3;

/// How long to wait before the second attempt; twice as long before each further one.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Posts each event as JSON, one at a time, until nobody sends any more. One that is not taken is dropped.
pub(super) async fn post(outbound: Outbound, url: Url, mut events: mpsc::Receiver<String>) {
    while let Some(event) = events.recv().await {
        let mut wait = RETRY_AFTER;
        for attempt in 1..=ATTEMPTS_MAX {
            let sent = outbound
                .send("POST", &url, "", &[], Body::Json(event.clone()))
                .await;
            match sent {
                Ok((status, _)) if status.is_success() => break,
                // It will not like it better the next time.
                Ok((status, _)) if status.is_client_error() => {
                    warn!(%url, %status, "the hook refused an event");
                    break;
                }
                outcome if attempt == ATTEMPTS_MAX => {
                    let trouble =
                        outcome.map_or_else(|error| error, |(status, _)| status.to_string());
                    warn!(%url, %trouble, "the hook did not take an event");
                }
                _ => {
                    sleep(wait).await;
                    wait *= 2;
                }
            }
        }
    }
}
