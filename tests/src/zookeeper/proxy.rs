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
    /// Bytes take that long.
    Delay(Duration),
}

#[derive(Clone, Copy, Debug)]
struct Orders {
    link: Link,
    /// Raised to cut what stands.
    cuts: u64,
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
            cuts: 0,
        });
        let accepted = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server, receiver, Arc::clone(&accepted)));
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

    pub(crate) fn set(&self, link: Link) {
        self.orders.send_modify(|orders| orders.link = link);
    }

    /// How many connections were opened so far.
    pub(crate) fn connections(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Closes every connection that stands.
    pub(crate) fn cut(&self) {
        self.orders.send_modify(|orders| orders.cuts += 1);
    }
}

async fn accept(
    listener: TcpListener,
    server: String,
    orders: watch::Receiver<Orders>,
    accepted: Arc<AtomicU64>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        accepted.fetch_add(1, Ordering::SeqCst);
        if orders.borrow().link != Link::Refuse {
            connections.spawn(serve(client, server.clone(), orders.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(client: TcpStream, server: String, mut orders: watch::Receiver<Orders>) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let cuts = orders.borrow().cuts;
    let (client_reads, client_writes) = client.into_split();
    let (server_reads, server_writes) = server.into_split();
    tokio::select! {
        () = copy(client_reads, server_writes, orders.clone()) => {}
        () = copy(server_reads, client_writes, orders.clone()) => {}
        _ = orders.wait_for(|orders| orders.cuts != cuts || orders.link == Link::Refuse) => {}
    }
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut orders: watch::Receiver<Orders>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut buffer).await {
        let link = orders.wait_for(|orders| orders.link != Link::Stall).await;
        let Ok(link) = link.map(|orders| orders.link) else {
            return;
        };
        if let Link::Delay(delay) = link {
            sleep(delay).await;
        }
        if to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
}
