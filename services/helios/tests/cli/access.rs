//! A cluster that lets in only those who show an access token, from the first command on.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::{helios, run, text};

/// A master that others reach, which ends with this.
struct Master {
    process: Child,
    url: String,
}

impl Master {
    fn start(home: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Self::serving(home, &made.cert.pem(), &made.signing_key.serialize_pem())
    }

    fn serving(home: &Path, cert: &str, key: &str) -> Self {
        std::fs::write(home.join("cert.pem"), cert).unwrap();
        std::fs::write(home.join("key.pem"), key).unwrap();
        let mut command = helios(home);
        command
            .args(["master", "--name", "m1", "--store", "file:store"])
            .args(["--listen", "0.0.0.0:0"])
            .args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut ready = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut ready).unwrap();
        let url = ready
            .split_whitespace()
            .find(|word| word.starts_with("https://"));
        let port = url
            .unwrap()
            .trim_end_matches(',')
            .rsplit(':')
            .next()
            .unwrap();
        let url = format!("https://localhost:{port}");
        Self { process, url }
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_certificate_that_openssl_makes_by_default_is_refused_with_what_is_wrong_with_it() {
    let home = tempfile::tempdir().unwrap();
    let mut authority = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = authority.self_signed(&key).unwrap();
    let master = Master::serving(home.path(), &cert.pem(), &key.serialize_pem());
    let mut jobs = helios(home.path());
    jobs.args(["jobs", "--cacert", "cert.pem", "-z", &master.url]);
    let said = text(&run(jobs, "").stderr);
    assert!(said.contains("CA:FALSE"), "{said}");
}

#[test]
fn the_first_token_comes_from_the_store_and_the_others_from_the_master() {
    let home = tempfile::tempdir().unwrap();
    let ask = |args: &[&str], token: &str| {
        let mut command = helios(home.path());
        command.args(args).env("HELIOS_CACERT", "cert.pem");
        if !token.is_empty() {
            command.env("HELIOS_TOKEN", token);
        }
        let output = run(command, "");
        let said = text(&output.stdout);
        (
            output.status.code().unwrap(),
            said.trim().to_owned(),
            text(&output.stderr),
        )
    };
    let create = [
        "token",
        "create",
        "boss",
        "--role",
        "admin",
        "--store",
        "file:store",
    ];
    let (code, boss, stderr) = ask(&create, "");
    assert_eq!(
        (code, boss.starts_with("helios_boss_")),
        (0, true),
        "{stderr}"
    );

    let master = Master::start(home.path());
    let at = |args: &[&str], token: &str| {
        let mut all = args.to_vec();
        all.extend(["-z", &master.url]);
        ask(&all, token)
    };
    let (code, stdout, stderr) = at(&["jobs"], "");
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        stderr.contains("an access token is missing\nnext: give one with HELIOS_TOKEN"),
        "{stderr}"
    );
    assert_eq!(at(&["jobs", "-q"], &boss).0, 0);

    let (code, reader, stderr) = at(&["token", "create", "eye", "--role", "read"], &boss);
    assert_eq!(code, 0, "{stderr}");
    assert!(!stderr.contains(&reader), "{stderr}");
    assert_eq!(at(&["jobs", "-q"], &reader).0, 0);
    let (code, _, stderr) = at(&["register", "n1", "i"], &reader);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("takes the role admin, the token has read"),
        "{stderr}"
    );

    std::fs::write(home.path().join("token"), format!("{boss}\n")).unwrap();
    let (_, list, _) = at(&["token", "list", "--access-token", "token"], "");
    assert!(list.contains("boss") && list.contains("eye"), "{list}");
    assert_eq!(at(&["token", "revoke", "eye"], &boss).0, 0);
    assert_eq!(at(&["jobs", "-q"], &reader).0, 1);
    let (code, _, stderr) = at(&["token", "revoke", "eye"], &boss);
    assert_eq!(
        (code, stderr.contains("no token eye")),
        (1, true),
        "{stderr}"
    );
}
