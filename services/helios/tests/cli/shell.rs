//! What helps a shell and its user.

use crate::{helios, run, text};

#[test]
fn completions_and_pages_know_every_command() {
    let home = tempfile::tempdir().unwrap();
    let ask = |args: &[&str]| {
        let mut command = helios(home.path());
        command.args(args);
        let output = run(command, "");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    for shell in ["bash", "zsh", "fish"] {
        let script = ask(&["completions", shell]);
        for word in ["deploy", "token", "access-token"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    ask(&["man", "man1"]);
    let page = std::fs::read_to_string(home.path().join("man1/helios-deploy.1")).unwrap();
    assert!(page.contains("Deploys a job"), "{page}");
    assert!(home.path().join("man1/helios-token-create.1").exists());
}
