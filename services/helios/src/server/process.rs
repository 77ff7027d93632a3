//! What the servers have to do with their process.

use std::future::Future;
use std::thread::available_parallelism;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::Failure;

/// The most threads that work at a time. Helios waits far more than it computes, and each thread takes
/// memory from what runs on the host.
const THREADS_MAX: usize = 4;

/// Tells the parts of a server when to end. A clone tells the same.
#[derive(Clone, Debug)]
pub(super) struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Ends when the process is told to, by SIGTERM or SIGINT.
    ///
    /// From then on a second signal ends the process at once, as it would have without this.
    pub(super) fn on_signals() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new("this process cannot be told to end by signals").caused_by(error)
        };
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("ending; containers keep running");
            let _ = sender.send(true);
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("ending at once, as told twice");
            std::process::exit(1);
        });
        Ok(Self(receiver))
    }

    /// Done when the process is to end.
    pub(super) fn wait(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut receiver = self.0.clone();
        async move {
            // Without a sender nobody tells any more, and that is an end too.
            let _ = receiver.wait_for(|ending| *ending).await;
        }
    }
}

/// Runs a server to its end.
pub(super) fn on_threads<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let threads = available_parallelism()
        .map_or(1, usize::from)
        .min(THREADS_MAX);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| Failure::new("this process cannot start its threads").caused_by(error))?;
    runtime.block_on(work)
}
