//! Whether anybody listens behind a port.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::runtime::{ContainerId, Probe, ProbeTarget};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a connection has to last to count: an engine's proxy accepts it in any case, and closes it again when
/// it finds nobody behind it.
const LASTS_FOR: Duration = Duration::from_millis(250);

/// Finds a port open when a connection is accepted and lasts, or is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Knock;

#[async_trait]
impl Probe for Knock {
    async fn probe(
        &self,
        _container: &ContainerId,
        target: &ProbeTarget,
        within: Duration,
    ) -> Result<(), String> {
        let ProbeTarget::Tcp { address } = target else {
            return Err("only a port can be knocked at".to_owned());
        };
        timeout(within, knock(*address))
            .await
            .unwrap_or_else(|_| Err(format!("{address} does not answer within {within:?}")))
    }
}

async fn knock(address: SocketAddr) -> Result<(), String> {
    let mut stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("cannot connect to {address}: {error}"))?;
    let mut byte = [0];
    match timeout(LASTS_FOR, stream.read(&mut byte)).await {
        Err(_) | Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err(format!("{address} closes every connection at once")),
        Ok(Err(error)) => Err(format!("{address} drops every connection: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn who_accepts_and_hangs_up_does_not_count_as_open() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async {
            drop(listener.accept().await.unwrap());
            let (mut greeter, _) = listener.accept().await.unwrap();
            greeter.write_all(b"hello").await.unwrap();
            let (silent, _) = listener.accept().await.unwrap();
            std::future::pending::<()>().await;
            drop((greeter, silent));
        };
        let knocks = async {
            let hangs_up = knock(address).await;
            assert!(hangs_up.is_err(), "{hangs_up:?}");
            assert_eq!(knock(address).await, Ok(()), "it greets");
            assert_eq!(knock(address).await, Ok(()), "it waits for a question");
        };
        tokio::select! {
            () = serve => {}
            () = knocks => {}
        }
        drop(listener);
        assert!(knock(address).await.is_err(), "nobody is there");
    }
}
