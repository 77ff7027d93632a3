use helios_core::Timestamp;
use helios_core::schema::{Keys, decode, encode};

use super::grant::Target;
use super::record::TokenRecord;
use super::text::{TokenText, is_name};
use crate::server::route::{Needs, On};
use crate::wire::{Grant, NewToken, Role};

#[test]
fn a_token_says_its_name_and_differs_from_every_other() {
    let [one, two] = [(); 2].map(|()| TokenText::random("ci.web-1").unwrap());
    assert_eq!(one.name(), "ci.web-1");
    assert!(one != two && !one.hash().is(&two.hash()) && one.hash().is(&one.hash()));
    let text = one.clone().into_secret();
    assert!(text.starts_with("helios_ci.web-1_"), "{text}");
    assert_eq!(text.len(), "helios_ci.web-1_".len() + 64);
    assert!(TokenText::read(&text) == Some(one));
    for text in [
        "",
        "helios_",
        "helios__x",
        "helios_a/b_x",
        "hell_a_x",
        "helios_a",
    ] {
        assert!(TokenText::read(text).is_none(), "{text}");
    }
    for name in ["", "-a", "a_b", "a b", "..", "ä", &"a".repeat(65)] {
        assert!(!is_name(name), "{name}");
    }
}

#[test]
fn a_record_is_stored_as_the_golden_file_says_and_holds_no_secret() {
    let new = NewToken {
        name: "ci".to_owned(),
        grant: Grant {
            role: Role::Deploy,
            hosts: Some("web".to_owned()),
            groups: None,
        },
        expires: Some(Timestamp::from_millis(2)),
    };
    let text = TokenText::read("helios_ci_secret").unwrap();
    let record = TokenRecord::new(text.hash(), &new, Timestamp::from_millis(1), "ann");
    let golden = include_str!("golden/token.json").trim_end();
    let stored = encode(&record);
    assert_eq!(std::str::from_utf8(&stored).unwrap(), golden);
    assert!(!golden.contains("secret"));
    let later = golden.replacen('{', r#"{"addedLater":[1],"#, 1);
    let key = Keys::token("ci").unwrap();
    assert_eq!(
        decode::<TokenRecord>(&key, later.as_bytes()).unwrap(),
        record
    );
    assert!(record.is_good_at(Timestamp::from_millis(1)));
    assert!(!record.is_good_at(Timestamp::from_millis(2)));
}

#[test]
fn a_restricted_token_changes_only_its_part() {
    let on_web = Grant {
        hosts: Some("web".to_owned()),
        ..Grant::everywhere(Role::Deploy)
    };
    let of_web = Grant {
        groups: Some("web".to_owned()),
        ..Grant::everywhere(Role::Deploy)
    };
    let target = |host, group| Target { host, group };
    for (grant, needs, target, allowed) in [
        (&on_web, Needs::Deploy(On::Host), target("web1", ""), true),
        (&on_web, Needs::Deploy(On::Host), target("db1", ""), false),
        (&on_web, Needs::Deploy(On::Group), target("", "web"), false),
        (&on_web, Needs::Deploy(On::Jobs), target("", ""), true),
        (&on_web, Needs::Deploy(On::Fleet), target("", ""), false),
        (&on_web, Needs::Read, target("db1", ""), true),
        (&of_web, Needs::Deploy(On::Group), target("", "web"), true),
        (&of_web, Needs::Deploy(On::Group), target("", "db"), false),
        (&of_web, Needs::Deploy(On::Host), target("web1", ""), false),
    ] {
        assert_eq!(
            grant.allows(needs, target).is_ok(),
            allowed,
            "{grant:?} {needs:?} {target:?}"
        );
    }
    let admin = Grant {
        role: Role::Admin,
        ..on_web
    };
    assert!(admin.allows(Needs::Admin, Target::default()).is_err());
}
