//! Health checks from options.

use helios_core::model::HealthCheck;

use crate::Failure;
use crate::args::CreateArgs;

/// The health check that the options describe, if they do.
pub(super) fn from_options(args: &CreateArgs) -> Result<Option<HealthCheck>, Failure> {
    if let Some(command) = &args.exec_check {
        return Ok(Some(HealthCheck::exec(command.split(' '))));
    }
    if let Some(check) = &args.http_check {
        return http(check).map(Some);
    }
    Ok(args.tcp_check.as_deref().map(HealthCheck::tcp))
}

fn http(check: &str) -> Result<HealthCheck, Failure> {
    match check.split_once(':') {
        Some((port, path)) if !port.is_empty() && path.starts_with('/') => {
            Ok(HealthCheck::http(port, path))
        }
        _ => Err(
            Failure::new(format!("--http-check {check:?} is not PORT:PATH"))
                .advise("name the port, and a path that starts with /, such as http:/health"),
        ),
    }
}
