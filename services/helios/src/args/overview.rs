//! The commands as `helios --help` lists them: by what they are about.

use std::fmt::Write as _;

use clap::Command;

/// What commands are about, and which are.
const SECTIONS: [(&str, &[&str]); 7] = [
    ("Jobs", &["create", "jobs", "inspect", "remove"]),
    (
        "What runs where",
        &[
            "deploy", "undeploy", "start", "stop", "status", "watch", "history", "logs",
        ],
    ),
    (
        "Groups of hosts, and rolling updates",
        &[
            "create-deployment-group",
            "edit-deployment-group",
            "remove-deployment-group",
            "list-deployment-groups",
            "inspect-deployment-group",
            "deployment-group-status",
            "watch-deployment-group",
            "rolling-update",
            "stop-deployment-group",
            "pause-deployment-group",
            "resume-deployment-group",
            "rollback-deployment-group",
        ],
    ),
    ("Change of a whole fleet", &["variable", "follow", "reset"]),
    (
        "Hosts, masters and who may use them",
        &["hosts", "register", "deregister", "masters", "token"],
    ),
    ("What goes on running", &["solo", "master", "agent", "zk"]),
    ("This program", &["version", "completions", "man"]),
];

/// The help of the whole program. What is not built into it, as `zk` may be, is left out.
pub(super) fn template(program: &Command) -> String {
    let heading = program.get_styles().get_header();
    let literal = program.get_styles().get_literal();
    let names = SECTIONS.iter().flat_map(|(_, names)| names.iter());
    let width = names.map(|name| name.len()).max().unwrap_or_default();
    let mut text = "{about-with-newline}\n{usage-heading} {usage}\n\n".to_owned();
    for (about, names) in SECTIONS {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{heading}{about}:{heading:#}");
        for command in names
            .iter()
            .filter_map(|name| program.find_subcommand(name))
        {
            let (name, about) = (command.get_name(), command.get_about());
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {literal}{name:width$}{literal:#}  {about}");
        }
        text.push('\n');
    }
    let _ = write!(text, "{heading}Options:{heading:#}\n{{options}}");
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::args::Cli;

    use super::*;

    #[test]
    fn every_command_is_about_one_thing() {
        let listed: Vec<&str> = SECTIONS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        let program = Cli::full_command();
        let commands: BTreeSet<&str> = program.get_subcommands().map(Command::get_name).collect();
        assert!(
            commands.is_subset(&listed.iter().copied().collect()),
            "{commands:?}"
        );
        assert_eq!(listed.len(), listed.iter().collect::<BTreeSet<_>>().len());
        let strangers: Vec<_> = listed
            .iter()
            .filter(|name| !commands.contains(*name))
            .collect();
        assert!(
            strangers.is_empty() || strangers == [&"zk"],
            "{strangers:?}"
        );
    }
}
