//! Finding masters by the name service.

use std::net::SocketAddr;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData};
use hickory_resolver::{Resolver, TokioResolver};

use crate::{Environment, Failure};

/// What masters are called if nobody says anything else.
pub(super) const SERVICE: &str = "helios";
/// Which name server to ask in place of this machine's.
const SERVER_VARIABLE: &str = "HELIOS_DNS";
/// The schemes of addresses, the best first; the variables that say how records are called; and how they are
/// called otherwise: by the service and the domain.
const SCHEMES: [(&str, &str, &str); 2] = [
    ("https", "HELIOS_HTTPS_SRV_FORMAT", "_%s._https.%s"),
    ("http", "HELIOS_HTTP_SRV_FORMAT", "_%s._http.%s"),
];

/// One master of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    priority: u16,
    weight: u16,
    host: String,
    port: u16,
}

/// The addresses of the masters of a domain, in the order in which to ask them.
pub(super) async fn masters_of(
    domain: &str,
    service: &str,
    environment: &Environment,
) -> Result<Vec<String>, Failure> {
    let resolver = resolver(environment)?;
    let mut asked = Vec::new();
    for (scheme, variable, default) in SCHEMES {
        let format = environment.variable(variable).unwrap_or(default);
        let name = format.replacen("%s", service, 1).replacen("%s", domain, 1);
        let records = records(&resolver, &name).await?;
        if !records.is_empty() {
            let records = in_order(records, || f64::from(jitter()) / f64::from(u32::MAX));
            let url = |record: Record| format!("{scheme}://{}:{}", record.host, record.port);
            return Ok(records.into_iter().map(url).collect());
        }
        asked.push(name);
    }
    Err(Failure::new(format!(
        "cannot find a master in {domain} (srv: {service}): there is neither a record {}",
        asked.join(" nor ")
    ))
    .advise("let its name server have one of these SRV records, or name a master with -z"))
}

/// A name without records has none.
async fn records(resolver: &TokioResolver, name: &str) -> Result<Vec<Record>, Failure> {
    let mut full = Name::from_utf8(name).map_err(|error| {
        Failure::new(format!("{name} is no name of a record"))
            .caused_by(error)
            .advise("-d takes domains such as example.net, separated by commas")
    })?;
    full.set_fqdn(true);
    let found = match resolver.srv_lookup(full).await {
        Ok(found) => found,
        Err(NetError::Dns(DnsError::NoRecordsFound(_))) => return Ok(Vec::new()),
        Err(error) => {
            return Err(
                Failure::new(format!("the name service does not answer for {name}"))
                    .caused_by(error)
                    .advise("look at /etc/resolv.conf, or name a master with -z"),
            );
        }
    };
    let records = found.answers().iter().filter_map(|record| {
        let RData::SRV(found) = &record.data else {
            return None;
        };
        Some(Record {
            priority: found.priority,
            weight: found.weight,
            host: found.target.to_utf8().trim_end_matches('.').to_owned(),
            port: found.port,
        })
    });
    Ok(records.collect())
}

/// By priority; among equals in random order, where those of more weight tend to come first. `draw` yields
/// numbers from 0 to 1.
fn in_order(records: Vec<Record>, mut draw: impl FnMut() -> f64) -> Vec<Record> {
    let mut keyed: Vec<(u16, f64, Record)> = records
        .into_iter()
        .map(|record| {
            let weight = f64::from(record.weight).max(0.01);
            let key = -draw().max(f64::MIN_POSITIVE).ln() / weight;
            (record.priority, key, record)
        })
        .collect();
    keyed.sort_by(|(p, a, _), (q, b, _)| p.cmp(q).then(a.total_cmp(b)));
    keyed.into_iter().map(|(_, _, record)| record).collect()
}

/// Any number.
fn jitter() -> u32 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let [a, b, c, d, ..] = RandomState::new().build_hasher().finish().to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn resolver(environment: &Environment) -> Result<TokioResolver, Failure> {
    let unusable = |error: NetError| {
        Failure::new("the name service cannot be asked")
            .caused_by(error)
            .advise("look at /etc/resolv.conf, or name a master with -z")
    };
    let builder = match environment.variable(SERVER_VARIABLE) {
        None => TokioResolver::builder_tokio().map_err(unusable)?,
        Some(address) => {
            let server: SocketAddr = address.parse().map_err(|_| {
                Failure::new(format!("{SERVER_VARIABLE}={address:?} is no address"))
                    .advise("set it to one such as 127.0.0.1:53, or unset it")
            })?;
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            let connections = connections.map(|mut connection| {
                connection.port = server.port();
                connection
            });
            let server = NameServerConfig::new(server.ip(), true, connections.into());
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    builder.build().map_err(unusable)
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::UdpSocket;

    use super::*;

    fn record(priority: u16, weight: u16, host: &str) -> Record {
        let host = host.to_owned();
        Record {
            priority,
            weight,
            host,
            port: 1,
        }
    }

    /// The records of one name, each with a priority, a port and a host.
    type Masters = Vec<(String, Vec<(u16, u16, String)>)>;

    /// The masters that records of that name tell of.
    pub(crate) fn masters(name: &str, masters: &[(u16, u16, &str)]) -> Masters {
        let masters = masters.iter();
        let masters = masters.map(|(priority, port, host)| (*priority, *port, (*host).to_owned()));
        vec![(name.to_owned(), masters.collect())]
    }

    /// A name server that knows what it is told.
    pub(crate) struct NameServer {
        pub(crate) address: String,
        socket: UdpSocket,
        records: Mutex<Masters>,
        asked: AtomicUsize,
    }

    impl NameServer {
        pub(crate) async fn new() -> Self {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            Self {
                address: socket.local_addr().unwrap().to_string(),
                socket,
                records: Mutex::default(),
                asked: AtomicUsize::new(0),
            }
        }

        /// Lets it answer so from now on.
        pub(crate) fn answers(&self, records: Masters) {
            *self.records.lock().unwrap() = records;
        }

        /// How often it was asked.
        pub(crate) fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }

        pub(crate) async fn serve(&self) {
            let mut query = [0; 512];
            loop {
                let (length, from) = self.socket.recv_from(&mut query).await.unwrap();
                let reply = answer(&query[..length], &self.records.lock().unwrap());
                self.asked.fetch_add(1, Ordering::SeqCst);
                self.socket.send_to(&reply, from).await.unwrap();
            }
        }
    }

    /// The answer of a name server to a query.
    fn answer(query: &[u8], records: &Masters) -> Vec<u8> {
        let question = &query[12..];
        let mut asked = Vec::new();
        let mut at = 0;
        while question[at] > 0 {
            let length = usize::from(question[at]);
            let label = &question[at + 1..=at + length];
            asked.push(std::str::from_utf8(label).unwrap().to_owned());
            at += length + 1;
        }
        let asked = asked.join(".");
        let known = records.iter().filter(|(name, _)| *name == asked);
        let masters: Vec<_> = known.flat_map(|(_, masters)| masters).collect();
        let mut text = query[..2].to_vec();
        let count = u8::try_from(masters.len()).unwrap();
        text.extend([0x85, 0x80, 0, 1, 0, count, 0, 0, 0, 0]);
        text.extend(&question[..at + 5]);
        for (priority, port, host) in masters {
            let labels = host.split('.');
            let target = labels.flat_map(|label| {
                let length = u8::try_from(label.len()).unwrap();
                [&[length], label.as_bytes()].concat()
            });
            let target: Vec<u8> = target.chain([0]).collect();
            text.extend([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60]);
            text.extend(u16::try_from(target.len() + 6).unwrap().to_be_bytes());
            text.extend([*priority, 1, *port].map(u16::to_be_bytes).concat());
            text.extend(target);
        }
        text
    }

    #[tokio::test]
    async fn masters_are_found_by_their_domain_the_encrypted_ones_first() {
        let server = NameServer::new().await;
        let two = [(2, 5802, "m2.x.net"), (1, 5801, "m1.x.net")];
        let plain = masters("_fleet._http.x.net", &two);
        let secure = masters("_fleet._https.y.net", &two[..1]);
        server.answers([plain, secure].concat());
        let environment = Environment::of_variables([("HELIOS_DNS", server.address.as_str())]);
        let ask = async {
            let plain = masters_of("x.net", "fleet", &environment).await.unwrap();
            assert_eq!(plain, ["http://m1.x.net:5801", "http://m2.x.net:5802"]);
            let secure = masters_of("y.net", "fleet", &environment).await.unwrap();
            assert_eq!(secure, ["https://m2.x.net:5802"]);
            let none = masters_of("z.net", "fleet", &environment)
                .await
                .unwrap_err();
            let said = none.to_string();
            assert!(
                said.contains("cannot find a master in z.net (srv: fleet)"),
                "{said}"
            );
            assert!(none.advice().is_some());
        };
        tokio::select! {
            () = server.serve() => {}
            () = ask => {}
        }
    }

    fn hosts(records: Vec<Record>, draws: &[f64]) -> String {
        let mut draws = draws.iter().copied();
        let records = in_order(records, || draws.next().unwrap());
        let hosts: Vec<String> = records.into_iter().map(|record| record.host).collect();
        hosts.concat()
    }

    #[test]
    fn priority_decides_and_weight_tends_to() {
        let records = vec![record(2, 9, "c"), record(1, 0, "b"), record(1, 9, "a")];
        assert_eq!(hosts(records.clone(), &[0.9, 0.5, 0.5]), "abc");
        assert_eq!(hosts(records.clone(), &[0.9, 1.0, 0.0]), "bac");
        assert_eq!(hosts(records, &[0.0, 0.0, 0.0]), "abc");
    }
}
