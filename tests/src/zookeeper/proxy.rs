//! A TCP proxy that can misbehave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How connections through the proxy fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Pass,
    /// Bytes wait, and nobody is told.
    Stall,
    /// Connections are accepted and closed at once; those that stand are closed.
    Refuse,
    /// Requests go through, answers wait.
    Mute,
    /// Bytes take that long.
    Delay(Duration),
    /// Answers take that long.
    Lag(Duration),
}

#[derive(Clone, Debug)]
struct Orders {
    link: Link,
    /// Where new connections go.
    server: String,
    /// Raised to cut what stands.
    cuts: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Requests,
    Answers,
}

/// A proxy on loopback to one server; ends with the value.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: String,
    orders: watch::Sender<Orders>,
    accepted: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A proxy that passes everything to `server`.
    pub(crate) async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (orders, receiver) = watch::channel(Orders {
            link: Link::Pass,
            server,
            cuts: 0,
        });
        let accepted = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, receiver, Arc::clone(&accepted)));
        Self {
            address,
            orders,
            accepted,
            _tasks: tasks,
        }
    }

    /// `127.0.0.1:PORT` of the proxy.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    pub(crate) fn set(&self, link: Link) {
        self.orders.send_modify(|orders| orders.link = link);
    }

    /// How many connections were opened so far.
    pub(crate) fn connections(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Sends new connections to another server.
    pub(crate) fn lead_to(&self, server: String) {
        self.orders.send_modify(|orders| orders.server = server);
    }

    /// Closes every connection that stands.
    pub(crate) fn cut(&self) {
        self.orders.send_modify(|orders| orders.cuts += 1);
    }
}

async fn accept(listener: TcpListener, orders: watch::Receiver<Orders>, accepted: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        accepted.fetch_add(1, Ordering::SeqCst);
        if orders.borrow().link != Link::Refuse {
            connections.spawn(serve(client, orders.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(client: TcpStream, mut orders: watch::Receiver<Orders>) {
    let Orders { server, cuts, .. } = orders.borrow().clone();
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (client_reads, client_writes) = client.into_split();
    let (server_reads, server_writes) = server.into_split();
    tokio::select! {
        () = copy(client_reads, server_writes, orders.clone(), Way::Requests) => {}
        () = copy(server_reads, client_writes, orders.clone(), Way::Answers) => {}
        _ = orders.wait_for(|orders| orders.cuts != cuts || orders.link == Link::Refuse) => {}
    }
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut orders: watch::Receiver<Orders>,
    way: Way,
) {
    let answers = way == Way::Answers;
    let waits = |link| link == Link::Stall || answers && link == Link::Mute;
    let cuts = orders.borrow().cuts;
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut buffer).await {
        let free = |orders: &Orders| orders.cuts != cuts || !waits(orders.link);
        let Ok(now) = orders.wait_for(free).await.map(|now| now.clone()) else {
            return;
        };
        // What waited when the connection was cut never arrives.
        if now.cuts != cuts {
            return;
        }
        let link = now.link;
        match link {
            Link::Delay(delay) => sleep(delay).await,
            Link::Lag(delay) if answers => sleep(delay).await,
            _ => {}
        }
        if to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
}
