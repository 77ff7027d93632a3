//! Looking whether a container is well.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::runtime::{ContainerId, Exec, Probe, ProbeTarget};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::runtime::DockerRuntime;

/// Looks over the network of this host, or with a command inside the container.
///
/// An HTTP look reads nothing but the head of the answer, and follows no redirect: whoever answers can
/// neither fill this process nor send it elsewhere.
#[async_trait]
impl Probe for DockerRuntime {
    async fn probe(
        &self,
        container: &ContainerId,
        target: &ProbeTarget,
        within: Duration,
    ) -> Result<(), String> {
        match target {
            ProbeTarget::Tcp { address } => limited(within, connect(*address)).await.map(drop),
            ProbeTarget::Http { address, path } => limited(within, get(*address, path)).await,
            ProbeTarget::Exec { command } => {
                let ran = self
                    .exec(container, command, within)
                    .await
                    .map_err(|e| e.to_string())?;
                match ran.code {
                    0 => Ok(()),
                    code => Err(format!("{} ended with code {code}", command.join(" "))),
                }
            }
        }
    }
}

async fn limited<T>(
    within: Duration,
    look: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    timeout(within, look)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {within:?}")))
}

async fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect(address)
        .await
        .map_err(|error| format!("cannot connect to {address}: {error}"))
}

async fn get(address: SocketAddr, path: &str) -> Result<(), String> {
    let failed = |error: hyper::Error| format!("GET {path} from {address}: {error}");
    let request = Request::get(path)
        .header(header::HOST, address.to_string())
        .header(header::USER_AGENT, "helios")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("{path:?} is no path to get: {error}"))?;
    let stream = connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let mut answer = pin!(sender.send_request(request));
    // The connection does the work, and may end in the moment that the answer is there.
    let answer = tokio::select! {
        biased;
        answer = &mut answer => answer,
        _ = connection => answer.await,
    };
    let status = answer.map_err(failed)?.status();
    if status.is_success() || status.is_redirection() {
        Ok(())
    } else {
        Err(format!("GET {path} from {address}: {status}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A server that answers one request with `answer`, then hangs up.
    async fn server(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        address
    }

    #[tokio::test]
    async fn only_success_and_redirects_count_as_well() {
        let ok = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(get(ok, "/up").await, Ok(()));
        let moved = server("HTTP/1.1 302 Found\r\nlocation: http://203.0.113.1/\r\n\r\n").await;
        assert_eq!(get(moved, "/up").await, Ok(()), "and it is not followed");
        let broken = server("HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n").await;
        assert!(get(broken, "/up").await.unwrap_err().contains("500"));
        let hung_up = server("").await;
        assert!(get(hung_up, "/up").await.is_err());
    }

    #[tokio::test]
    async fn nobody_there_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(connect(address).await.is_ok());
        drop(listener);
        assert!(connect(address).await.is_err());
    }

    #[tokio::test]
    async fn silence_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = limited(Duration::from_millis(50), get(address, "/")).await;
        assert!(seen.unwrap_err().contains("no answer"));
    }
}
