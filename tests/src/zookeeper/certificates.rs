//! Certificates for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use helios_store::zookeeper::Tls;
use tempfile::TempDir;

/// An authority and certificates of it, made with openssl.
#[derive(Debug)]
pub(crate) struct Certificates(TempDir);

impl Certificates {
    pub(crate) fn new() -> Self {
        let made = Self(TempDir::new().unwrap());
        made.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
             -keyout ca.key -out ca.pem -subj /CN=test-authority",
        );
        for name in ["server", "master", "web1", "web2"] {
            made.openssl(&format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                 -keyout {name}.key -out {name}.csr -subj /CN={name}"
            ));
            fs::write(made.path("san"), "subjectAltName=IP:127.0.0.1").unwrap();
            made.openssl(&format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                 -extfile san -out {name}.pem"
            ));
        }
        // The servers want the key and the certificate in one file.
        let both = made.read("server.key") + &made.read("server.pem");
        fs::write(made.path("server-both.pem"), both).unwrap();
        made
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn of(&self, name: &str) -> Tls {
        let certificate = self.read(&format!("{name}.pem"));
        let key = self.read(&format!("{name}.key"));
        let tls = Tls::trusting(&self.read("ca.pem")).unwrap();
        tls.presenting(&certificate, &key).unwrap()
    }

    pub(crate) fn server_config(&self) -> String {
        format!(
            "secureClientPort=@SECURE@\n\
             serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\n\
             authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider\n\
             ssl.keyStore.location={0}/server-both.pem\n\
             ssl.trustStore.location={0}/ca.pem\nssl.clientAuth=need",
            self.0.path().display()
        )
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir::<&Path>(self.0.path())
            .output()
            .expect("openssl is missing: run `scripts/zookeeper install`");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {said}");
    }
}
