//! One session with the ensemble, and who keeps having one.

use std::sync::Arc;
use std::time::Duration;

use helios_core::store::StoreErrorKind;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};
use zookeeper_client::{Client, Error, SessionInfo, SessionState};

use super::ZooKeeperOptions;
use super::backoff::{id_of, pause};
use super::barrier::Barrier;
use super::directories::ensure_top;
use super::fault::Fault;

/// A session, which sees the store's directory as the root.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
}

/// Whether there is a session now. It may be without a connection for a while all the same.
#[derive(Clone, Debug)]
pub(super) enum Link {
    Up(Arc<Session>),
    /// With the reason, once an attempt has failed.
    Down(Option<Fault>),
    /// For good: the handle is closed.
    Closed,
}

/// Where the supervisor tells, and everybody else looks.
#[derive(Clone, Debug)]
pub(super) struct Line(Arc<watch::Sender<Link>>);

impl Line {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Link::Down(None))))
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Link> {
        self.0.subscribe()
    }

    /// Says what is so now; once closed, nothing else will be.
    pub(super) fn say(&self, link: Link) {
        self.0.send_if_modified(|now| {
            let open = !matches!(now, Link::Closed);
            if open {
                *now = link;
            }
            open
        });
    }
}

impl Session {
    pub(super) fn is_connected(&self) -> bool {
        self.client.state() == SessionState::SyncConnected
    }
}

/// Keeps a session open for as long as it runs: when one has ended by the client's clock, the servers
/// are asked to go on with it, and only when they say that it is over a new one is begun.
///
/// That order matters beyond presence. Until the servers have handed the session over or ended it, a
/// transaction that was sent in it may still be carried out; afterwards it cannot. So whoever reads in
/// the next session reads the final word on everything sent in the one before.
#[derive(Debug)]
pub(super) struct Supervisor {
    options: ZooKeeperOptions,
    barrier: Arc<Barrier>,
    line: Line,
    last: Option<SessionInfo>,
}

impl Supervisor {
    pub(super) fn new(options: ZooKeeperOptions, barrier: Arc<Barrier>, line: Line) -> Self {
        Self {
            options,
            barrier,
            line,
            last: None,
        }
    }

    /// Runs until dropped.
    pub(super) async fn run(mut self) {
        let id = id_of(&format!("{}/{}", self.options.address, std::process::id()));
        let mut attempt = 0;
        loop {
            match self.open().await {
                Ok(session) => {
                    attempt = 0;
                    self.last = Some(session.client.session().clone());
                    let ended = Self::end_of(&session);
                    self.line.say(Link::Up(session));
                    let state = ended.await;
                    warn!(%state, "the ZooKeeper session ended");
                    let message = format!("the session is over ({state}), asking for it again");
                    self.down(Fault::unavailable(message));
                }
                Err(fault) => {
                    self.down(fault);
                    sleep(pause(id, attempt)).await;
                    attempt = attempt.saturating_add(1);
                }
            }
        }
    }

    /// Opens the next session. A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// Which of the steps failed and why, to be shown to people.
    pub(super) async fn open(&mut self) -> Result<Arc<Session>, Fault> {
        let client = match connect(&self.options, self.last.clone()).await {
            Err(Error::SessionExpired) if self.last.is_some() => {
                info!("the servers ended the ZooKeeper session, beginning a new one");
                self.last = None;
                connect(&self.options, None).await
            }
            other => other,
        };
        let client = client.map_err(|error| self.no_session(error))?;
        let limit = self.options.call_limit();
        match timeout(limit, ensure_top(&client, &self.options)).await {
            Ok(done) => done?,
            Err(_) => return Err(Fault::unavailable("the servers do not answer")),
        }
        let client = (client.chroot(format!("/{}", self.options.address.chroot())))
            .map_err(|_| Fault::new(StoreErrorKind::Invalid, "the directory is no legal path"))?;
        // What this session reads must not be older than what the last one read or wrote.
        self.barrier.raise();
        Ok(Arc::new(Session { client }))
    }

    fn end_of(session: &Session) -> impl Future<Output = SessionState> + use<> {
        let mut states = session.client.state_watcher();
        async move {
            let mut state = states.peek_state();
            while !state.is_terminated() {
                state = states.changed().await;
            }
            state
        }
    }

    fn down(&self, fault: Fault) {
        self.line.say(Link::Down(Some(fault)));
    }

    fn no_session(&self, error: Error) -> Fault {
        let servers: Vec<_> = self.options.address.servers().collect();
        let message = format!(
            "no session from any of {}: is there a quorum, and do both sides agree on TLS?",
            servers.join(", ")
        );
        let kind = match error {
            Error::AuthFailed => StoreErrorKind::Denied,
            _ => StoreErrorKind::Unavailable,
        };
        Fault::new(kind, message).caused_by(error)
    }
}

async fn connect(options: &ZooKeeperOptions, resume: Option<SessionInfo>) -> Result<Client, Error> {
    let session_timeout = options.session_timeout;
    // The client gives a silent server up after two fifths of it, and pings every three twentieths: sooner would
    // cost a fleet of thousands much for nothing.
    let mut connector = Client::connector().with_session_timeout(session_timeout);
    for credential in options.access.credentials() {
        if let Some(proof) = credential.to_send() {
            connector = connector.with_auth("digest", proof.as_bytes());
        }
    }
    if let Some(session) = resume {
        connector = connector.with_session(session);
    }
    let servers: Vec<_> = options.address.servers().collect();
    let servers = servers.join(",");
    // The client gives up by itself at 1.4 session timeouts; this is for the day when it does not.
    let limit = session_timeout * 2 + Duration::from_secs(1);
    let session = timeout(limit, dial(options, connector, &servers)).await;
    session.unwrap_or(Err(Error::Timeout))
}

#[cfg(feature = "zookeeper-tls")]
async fn dial(
    options: &ZooKeeperOptions,
    connector: zookeeper_client::Connector,
    servers: &str,
) -> Result<Client, Error> {
    match &options.tls {
        Some(tls) => {
            connector
                .with_tls(tls.options())
                .secure_connect(servers)
                .await
        }
        None => connector.connect(servers).await,
    }
}

#[cfg(not(feature = "zookeeper-tls"))]
async fn dial(
    _options: &ZooKeeperOptions,
    connector: zookeeper_client::Connector,
    servers: &str,
) -> Result<Client, Error> {
    connector.connect(servers).await
}
