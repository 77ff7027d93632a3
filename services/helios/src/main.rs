//! `helios`: deploys containers to hosts.

use std::process::ExitCode;

use helios::{Console, Environment};

fn main() -> ExitCode {
    let environment = Environment::of_process();
    let mut console = Console::of_process(&environment);
    helios::run(std::env::args_os(), &environment, &mut console)
}
