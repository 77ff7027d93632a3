use super::*;

fn read(line: &[&str]) -> Result<Cli, clap::Error> {
    Cli::read(line.iter().map(OsString::from))
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn help_says_what_each_command_is_for() {
    let all = read(&["helios", "--help"]).unwrap_err().to_string();
    let one = read(&["helios", "deploy", "--help"])
        .unwrap_err()
        .to_string();
    assert!(all.contains("Deploys a job on hosts"), "{all}");
    assert!(one.starts_with("Deploys a job on hosts"), "{one}");
}

#[test]
fn options_count_before_and_after_the_command_and_add_up() {
    let line = [
        "helios",
        "-z",
        "http://a:1",
        "-v",
        "jobs",
        "-z",
        "http://b:1",
        "--json",
        "-v",
        "-u",
        "ann",
    ];
    let options = read(&line).unwrap().options;
    assert_eq!(options.master, ["http://a:1", "http://b:1"]);
    assert_eq!(
        (options.json, options.verbose, options.username.as_deref()),
        (true, 2, Some("ann"))
    );
}

#[test]
fn commands_and_long_options_may_be_cut() {
    let line = ["helios", "undep", "web", "--tok", "t", "--y", "n1"];
    match read(&line).unwrap().command {
        Command::Undeploy(args) => assert_eq!((args.token.as_str(), args.yes), ("t", true)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        read(&["helios", "mast"]).unwrap().command,
        Command::Masters(_)
    ));
    assert!(
        read(&["helios", "st", "a", "b"]).is_err(),
        "start, status or stop"
    );
}

#[test]
fn a_token_may_be_left_empty() {
    match read(&["helios", "stop", "web", "n1", "--token"])
        .unwrap()
        .command
    {
        Command::Stop(args) => assert_eq!(
            (args.token.as_str(), args.hosts),
            ("", vec!["n1".to_owned()])
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_follows_two_dashes_is_the_command_of_the_job() {
    let line = [
        "helios", "create", "a:1", "busybox", "--env", "A=1", "--", "sh", "-c", "--", "x",
    ];
    match read(&line).unwrap().command {
        Command::Create(args) => assert_eq!(args.args, ["sh", "-c", "--", "x"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn servers_take_no_options_of_clients() {
    assert!(read(&["helios", "solo", "--json"]).is_err());
    assert!(read(&["helios", "solo", "--listen", "nowhere"]).is_err());
}
