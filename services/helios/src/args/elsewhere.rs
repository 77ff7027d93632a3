//! What people say who come from other tools, and what it is called here.

/// What to do next for somebody who said a command that there is not.
pub(crate) fn called_here(said: &str) -> Option<&'static str> {
    Some(match said {
        "ps" | "ls" | "get" | "top" => {
            "`helios status` shows what runs where; `helios jobs` and `helios hosts` list those"
        }
        "run" | "apply" | "up" => "`helios create` says what to run, `helios deploy` where",
        "rm" | "delete" | "destroy" | "down" | "kill" => {
            "`helios stop` stops a job, `helios undeploy` takes it off hosts, `helios remove` forgets it"
        }
        "restart" => "`helios stop JOB HOST` and then `helios start JOB HOST`",
        "exec" | "ssh" | "attach" => {
            "`helios status` shows host and container: on that host, `docker exec -it CONTAINER sh`"
        }
        "describe" | "show" | "info" => {
            "`helios inspect JOB` shows a job, `helios status JOB` where it runs, `helios hosts HOST` a host"
        }
        "scale" => {
            "`helios deploy JOB HOST...` adds hosts, `helios undeploy JOB HOST...` takes some away"
        }
        "update" | "upgrade" | "rollout" => {
            "`helios rolling-update` brings a job to a group of hosts, `helios variable rollout` a value"
        }
        "node" | "nodes" => "`helios hosts` lists hosts",
        "group" | "groups" => "`helios list-deployment-groups` lists groups of hosts",
        "drain" | "cordon" => {
            "`helios reset start NAME --action none` empties hosts, a few at a time"
        }
        "event" | "events" => "`helios history JOB` tells what happened to a job",
        "server" | "daemon" | "init" => {
            "`helios solo` is master and agent of one machine; a fleet has `helios master` and `helios agent`"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::args::Cli;

    /// Every `helios COMMAND` in that text.
    fn commands(text: &str) -> Vec<&str> {
        let words = text.split("`helios ").skip(1);
        words
            .filter_map(|rest| rest.split([' ', '`']).next())
            .collect()
    }

    #[test]
    fn what_is_advised_exists_and_what_is_said_does_not() {
        for said in [
            "ps", "run", "rm", "restart", "exec", "show", "scale", "update", "nodes", "groups",
            "drain", "events", "server",
        ] {
            let line = ["helios", said].map(OsString::from);
            assert!(Cli::read(line).is_err(), "{said} is a command");
            for command in commands(called_here(said).unwrap()) {
                let known = Cli::full_command();
                assert!(
                    known.find_subcommand(command).is_some(),
                    "{said}: {command}"
                );
            }
        }
        assert_eq!(called_here("jobs"), None);
    }
}
