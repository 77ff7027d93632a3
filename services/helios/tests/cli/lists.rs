//! Lists that are narrowed.

use serde_json::json;

use crate::stand_in::{Answer, StandIn};
use crate::{helios, run};

#[test]
fn a_list_asks_the_master_for_what_is_wanted_of_it() {
    let home = tempfile::tempdir().unwrap();
    let master = StandIn::start();
    let none = Answer::from_json(&json!({ "status": 200, "body": [] }));
    for (command, path, status) in [
        ("variable list", "/variables", Some("paused")),
        ("reset list", "/resets", Some("halted")),
        (
            "list-deployment-groups",
            "/deployment-group",
            Some("FAILED"),
        ),
        ("token list", "/tokens", None),
        ("masters", "/masters", None),
    ] {
        let mut line = helios(home.path());
        line.args(["-z", &master.url]).args(command.split(' '));
        let mut query = "namePattern=%5Ea".to_owned();
        line.arg("^a");
        if let Some(status) = status {
            line.args(["--status", status]);
            query += &format!("&status={status}");
        }
        master.answer([(format!("GET {path}"), none.clone())].into());
        let output = run(line, "");
        assert!(output.status.success(), "{command}: {output:?}");
        let told = master.asked().pop().unwrap();
        let wanted = format!("{path}?{query}&");
        assert!(told.target.starts_with(&wanted), "{command}: {told:?}");
    }
}
