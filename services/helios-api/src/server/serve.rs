//! Serving a router the way deployed clients need it.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use super::fault::Fault;
use super::tls::TlsIdentity;

/// How many connections are served at a time; more wait until they are accepted.
const CONNECTIONS_MAX: usize = 512;
/// The longest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long a client may take to send the head of its first or next request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may take none of its answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests under way may take to end when the server does. Those that wait for something new
/// are cut off; their clients ask again.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);
/// The pause after a connection could not be accepted, most often for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` on a loopback address until `shutdown`, then lets the requests under way end.
///
/// Header names go out as `Helios-Version-Status`, because deployed clients compare them by case. Requests
/// for another host than this machine are refused: a web page in somebody's browser can make a name of
/// its own point here.
///
/// # Errors
/// When the listener's address is not a loopback address: whoever reaches a master may run anything on all
/// its hosts. [`serve_beyond_loopback`] serves there all the same.
///
/// # Cancellation
/// Dropping the future ends the listener; connections that were accepted go on.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        let message = format!(
            "{address} can be reached from other machines, and whoever reaches a master may run \
             anything on all its hosts: listen on 127.0.0.1, or say that this is meant"
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    let router = router.layer(from_fn(only_this_machine));
    serve_beyond_loopback(listener, router, shutdown).await
}

/// Serves `router` on any address until `shutdown`, then lets the requests under way end.
///
/// Nothing is encrypted and nobody is asked who they are: something in front has to do both.
///
/// # Errors
/// When the listener has no address any more.
///
/// # Cancellation
/// As [`serve`].
pub async fn serve_beyond_loopback(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    accept(listener, None, router, shutdown).await
}

/// Serves `router` over TLS on any address until `shutdown`, then lets the requests under way end.
///
/// Nobody is asked who they are unless the router does it, see
/// [`MasterState::require_tokens`](super::MasterState::require_tokens).
///
/// # Errors
/// When the listener has no address any more.
///
/// # Cancellation
/// As [`serve`].
pub async fn serve_tls(
    listener: TcpListener,
    identity: &TlsIdentity,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    accept(listener, Some(identity.acceptor()), router, shutdown).await
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, tls = tls.is_some(), "serving");
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (tls, router) = (tls.clone(), router.clone());
                let watcher = connections.watcher();
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, tls, router, watcher).await {
                        tracing::debug!(%error, %peer, "connection ended early");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if timeout(DRAIN_TIMEOUT, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time");
    }
    Ok(())
}

/// Serves one connection to its end.
async fn converse(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    watcher: Watcher,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    // Answers go out in one piece; nothing is gained by waiting for more.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection may be slower than need be");
    }
    let stream = while_it_reads(stream);
    let Some(tls) = tls else {
        watcher.watch(connection(stream, router)).await?;
        return Ok(());
    };
    let stream = timeout(HEAD_TIMEOUT, tls.accept(stream)).await??;
    watcher.watch(connection(stream, router)).await?;
    Ok(())
}

/// A stream that ends when the other side takes nothing for too long: its answer, which may be that of a whole
/// fleet, and its place are for others then.
fn while_it_reads<S>(stream: S) -> Pin<Box<TimeoutStream<S>>>
where
    S: AsyncRead + AsyncWrite,
{
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    Box::pin(stream)
}

fn connection<S>(
    stream: S,
    router: Router,
) -> http1::Connection<TokioIo<S>, TowerToHyperService<Router>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    http1::Builder::new()
        .title_case_headers(true)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}

/// Refuses requests that were meant for another host.
async fn only_this_machine(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .map(|value| value.to_str().unwrap_or_default());
    match host {
        Some(host) if !names_this_machine(host) => {
            let what =
                format!("this master serves only the machine it runs on, and not as {host:?}");
            let next = "ask for 127.0.0.1 or localhost, or let it listen on another address";
            Fault::because(StatusCode::MISDIRECTED_REQUEST, what, next).into_response()
        }
        _ => next.run(request).await,
    }
}

fn names_this_machine(host: &str) -> bool {
    if host
        .parse::<SocketAddr>()
        .is_ok_and(|address| address.ip().is_loopback())
    {
        return true;
    }
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
    name.eq_ignore_ascii_case("localhost") || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::AsyncWriteExt;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_nothing_of_its_answer_loses_its_place() {
        let big = || async { vec![b'x'; 1024 * 1024] };
        let router = Router::new().route("/", get(big));
        let (mut client, server) = tokio::io::duplex(1024);
        let begin = Instant::now();
        let served = tokio::spawn(connection(while_it_reads(server), router));
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        client.write_all(request).await.unwrap();
        assert!(served.await.unwrap().is_err());
        assert!(begin.elapsed() >= WRITE_TIMEOUT);
        drop(client);
    }

    #[test]
    fn knows_the_names_of_this_machine() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:5801",
            "localhost:1",
            "LOCALHOST",
            "[::1]:5801",
            "[::1]",
        ] {
            assert!(names_this_machine(host), "{host}");
        }
        for host in [
            "",
            "example.net",
            "localhost.example.net",
            "10.0.0.1:5801",
            "127.0.0.1.nip.io",
            "x@y",
        ] {
            assert!(!names_this_machine(host), "{host}");
        }
    }
}
