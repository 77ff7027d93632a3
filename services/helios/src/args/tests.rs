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
fn a_status_is_asked_for_in_either_spelling() {
    for line in [["helios", "status", "web"], ["helios", "status", "-jweb"]] {
        match read(&line).unwrap().command {
            Command::Status(args) => assert_eq!(args.id_part().unwrap(), "web"),
            other => panic!("{other:?}"),
        }
    }
    assert!(read(&["helios", "status", "web", "-j", "db"]).is_err());
}

#[test]
fn every_option_of_a_server_is_under_the_heading_that_it_belongs_to() {
    let program = Cli::full_command();
    let under = |server: &str, option: &str| {
        let server = program.find_subcommand(server).unwrap();
        let mut options = server.get_arguments();
        let found = options.find(|found| found.get_long() == Some(option));
        found.unwrap().get_help_heading().map(str::to_owned)
    };
    for server in ["solo", "agent"] {
        let heading = under(server, "state-dir");
        assert_eq!(heading.as_deref(), Some("Options of the agent"), "{server}");
    }
    for server in ["solo", "master"] {
        let heading = under(server, "listen");
        assert_eq!(
            heading.as_deref(),
            Some("Options of the master"),
            "{server}"
        );
    }
    assert_eq!(under("master", "name"), None);
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

/// The words of a command, up to what the shell does with it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars().chain([' ']) {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (' ', None) => words.extend(word.take()),
            ('#', None) if word.is_none() => break,
            ('|' | '&' | '>' | '<' | ';' | ')', None) => {
                // What is redirected may have a number before it.
                words.extend(word.filter(|word| c != '>' || word != "2"));
                break;
            }
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words
}

/// The commands in the code blocks of a page, without what the shell does with them. Where a block has a prompt,
/// what has none is output.
fn commands(page: &str) -> Vec<Vec<String>> {
    let blocks = page.split("```").skip(1).step_by(2);
    let blocks = blocks.filter(|block| !block.starts_with("text\n"));
    let commands = blocks.flat_map(|block| {
        let block = block.replace("\\\n", " ");
        let prompt = if block.contains("\n$ ") { "$ " } else { "" };
        let lines = block.lines().filter_map(|line| line.strip_prefix(prompt));
        let lines = lines.map(str::trim_start);
        let helios = lines.filter(|line| line.starts_with("helios "));
        helios.map(words).collect::<Vec<_>>()
    });
    commands.collect()
}

/// A page that shows an option which is no longer there misleads whoever follows it.
#[test]
fn every_command_of_the_documentation_can_be_read() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = std::fs::read_dir(root.join("docs")).unwrap().flatten();
    let mut pages: Vec<_> = pages.map(|page| page.path()).collect();
    pages.push(root.join("README.md"));
    let mut count = 0;
    for page in pages {
        for line in commands(&std::fs::read_to_string(&page).unwrap()) {
            let words: Vec<&str> = line.iter().map(String::as_str).collect();
            // Help and versions are errors too, of those that are printed on stdout.
            if let Err(error) = read(&words) {
                assert!(
                    !error.use_stderr(),
                    "{}: {words:?}: {error}",
                    page.display()
                );
            }
            count += 1;
        }
    }
    assert!(count > 20, "the pages show commands, not {count}");
    assert_eq!(
        commands("```\n$ helios hosts 'a b'|c # d\nhelios says\n```"),
        [["helios", "hosts", "a b"]]
    );
}
