//! A test of somebody's, as a process: deploys a job on this machine's Docker, says which container it is, and then
//! panics (`panic`) or waits to be killed (`hold`).

use std::io::Write;

use helios_testkit::temporary::TemporaryJobs;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let how = std::env::args().nth(1).unwrap_or_default();
    let jobs = TemporaryJobs::solo().await?;
    let idle = jobs
        .job("held")
        .image("helios-test/busybox:1")
        .command(["/bin/idle"])
        .deploy()
        .await?;
    let container = idle.container().ok_or("it has a container")?;
    writeln!(std::io::stdout(), "{container}")?;
    match how.as_str() {
        "panic" => panic!("as a failed assertion does"),
        "hold" => std::future::pending().await,
        other => Err(format!("say panic or hold, not {other:?}").into()),
    }
}
