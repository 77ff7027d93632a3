//! A wire to the engine that can be cut.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

/// A socket of its own that leads to the engine's.
#[derive(Debug)]
pub(crate) struct Proxy {
    socket: PathBuf,
    engine: PathBuf,
    serving: Mutex<Option<JoinHandle<()>>>,
}

impl Proxy {
    pub(crate) fn new(socket: PathBuf, engine: PathBuf) -> Self {
        let proxy = Self {
            socket,
            engine,
            serving: Mutex::new(None),
        };
        proxy.heal();
        proxy
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends every connection, and refuses new ones.
    pub(crate) fn cut(&self) {
        if let Some(serving) = self.serving.lock().unwrap().take() {
            serving.abort();
        }
    }

    pub(crate) fn heal(&self) {
        let _ = std::fs::remove_file(&self.socket);
        let listener = UnixListener::bind(&self.socket).unwrap();
        let serving = tokio::spawn(serve(listener, self.engine.clone()));
        *self.serving.lock().unwrap() = Some(serving);
    }
}

/// Serves until it is aborted; the connections belong to it and end with it.
async fn serve(listener: UnixListener, engine: PathBuf) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        let engine = engine.clone();
        connections.spawn(async move {
            if let Ok(mut far) = UnixStream::connect(engine).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
