//! An integration test with real containers, as you would put it into `tests/` of your own crate.

use helios_core::model::HealthCheck;
use helios_testkit::temporary::TemporaryJobs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn the_page_is_served() -> Result<(), Box<dyn std::error::Error>> {
    let jobs = TemporaryJobs::solo().await?;
    let web = jobs
        .job("web")
        .image("helios-test/web:1")
        .port("http", 80)
        .health_check(HealthCheck::http("http", "/"))
        .deploy()
        .await?;

    let mut connection = TcpStream::connect(web.address("http")?.to_string()).await?;
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    let mut page = String::new();
    connection.read_to_string(&mut page).await?;
    assert!(page.contains("helios-test/web:1"), "{page}");
    Ok(())
}
