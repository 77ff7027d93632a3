//! The hash of a job's content, and the one text it is made of.
//!
//! Deployed Helios clients compute the same hash, so every detail here is fixed for good: which
//! members take part, what counts as empty, how members are ordered and how texts are escaped. The
//! text is written by hand because no general JSON writer agrees in all of these.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha1_smol::Sha1;

use super::date::format_date;
use super::{
    HealthCheck, Job, JobId, PortMapping, Resources, RolloutOptions, ServicePortParameters,
    ServicePorts,
};

impl Job {
    /// The text whose hash identifies the job's content: one line of JSON with sorted members and
    /// without those that are empty. The hash in the id, [`created`](Job::created) and
    /// [`creating_user`](Job::creating_user) are not in it.
    ///
    /// ```
    /// # use helios_core::model::Job;
    /// let job = Job::new("foo:bar", "foo/bar:1")?;
    /// assert_eq!(job.canonical_json(), r#"{"image":"foo/bar:1","name":"foo","version":"bar"}"#);
    /// # Ok::<(), helios_core::model::ParseError>(())
    /// ```
    #[must_use]
    pub fn canonical_json(&self) -> String {
        let mut out = String::new();
        write_job(&mut out, self);
        out
    }

    /// The id that the job's content gives it, whatever hash its present id carries.
    ///
    /// ```
    /// # use helios_core::model::Job;
    /// let job = Job::new("foo:bar", "foo/bar:1")?;
    /// assert_eq!(
    ///     job.compute_id().to_string(),
    ///     "foo:bar:3f5c6e4aef30e1ab68931dbd66a83226410b87e9"
    /// );
    /// # Ok::<(), helios_core::model::ParseError>(())
    /// ```
    #[must_use]
    pub fn compute_id(&self) -> JobId {
        let content = sha1_hex(&self.canonical_json());
        let (name, version) = (self.id.name(), self.id.version());
        self.id
            .with_hash(&sha1_hex(&format!("{name}:{version}:{content}")))
    }

    /// This job under the id that its content gives it.
    #[must_use]
    pub fn with_computed_id(mut self) -> Self {
        self.id = self.compute_id();
        self
    }
}

fn sha1_hex(text: &str) -> String {
    Sha1::from(text).digest().to_string()
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(text);
}

/// Members in alphabetical order, as all objects here.
fn write_job(out: &mut String, job: &Job) {
    let mut object = Object::open(out);
    object.texts("addCapabilities", job.add_capabilities.as_slice());
    object.texts("command", &job.command);
    object.texts("dropCapabilities", job.drop_capabilities.as_slice());
    object.text_map("env", &job.env);
    object.text("expires", job.expires.map(format_date).as_deref());
    object.integer("gracePeriod", job.grace_period);
    object.object("healthCheck", job.health_check.as_ref(), write_check);
    object.text("hostname", job.hostname.as_deref());
    object.text("image", job.image.as_deref());
    object.text_map("labels", &job.labels);
    object.text_map("metadata", &job.metadata);
    object.text("name", Some(job.id.name()));
    object.text("networkMode", job.network_mode.as_deref());
    object.map("ports", &job.ports, write_port);
    object.text_map("ramdisks", &job.ramdisks);
    let registration = job.registration.iter();
    let registration = registration
        .map(|(key, value)| (key.to_string(), value))
        .collect();
    object.map("registration", &registration, |out, ports| {
        write_service(out, ports);
    });
    object.text("registrationDomain", Some(&job.registration_domain));
    object.object("resources", job.resources.as_ref(), write_resources);
    object.object(
        "rolloutOptions",
        job.rollout_options.as_ref(),
        write_rollout,
    );
    object.text("runtime", job.runtime.as_deref());
    object.integer("secondsToWaitBeforeKill", job.seconds_to_wait_before_kill);
    object.texts("securityOpt", &job.security_opt);
    object.text("token", Some(&job.token));
    object.text("version", Some(job.id.version()));
    object.text_map("volumes", &job.volumes);
    object.close();
}

fn write_check(out: &mut String, check: &HealthCheck) {
    let (command, path, port) = match check {
        HealthCheck::Exec { command } => (command.as_slice(), None, None),
        HealthCheck::Http { path, port } => (&[][..], path.as_deref(), port.as_deref()),
        HealthCheck::Tcp { port } => (&[][..], None, port.as_deref()),
    };
    let mut object = Object::open(out);
    object.texts("command", command);
    object.text("path", path);
    object.text("port", port);
    object.text("type", Some(check.kind()));
    object.close();
}

fn write_port(out: &mut String, port: &PortMapping) {
    let mut object = Object::open(out);
    object.integer("externalPort", port.external_port);
    object.integer("internalPort", Some(port.internal_port));
    object.text("ip", port.ip.as_ref().map(|ip| ip.as_str()));
    object.text("protocol", Some(&port.protocol));
    object.close();
}

fn write_service(out: &mut String, service: &ServicePorts) {
    let mut object = Object::open(out);
    if let Some(ports) = &service.ports {
        object.map("ports", ports, write_parameters);
    }
    object.close();
}

/// The one place where an empty list is not the same as none.
fn write_parameters(out: &mut String, parameters: &Option<ServicePortParameters>) {
    let Some(parameters) = parameters else {
        out.push_str("null");
        return;
    };
    match &parameters.tags {
        Some(tags) if tags.is_empty() => out.push_str("{\"tags\":[]}"),
        tags => {
            let mut object = Object::open(out);
            object.texts("tags", tags.as_deref().unwrap_or_default());
            object.close();
        }
    }
}

fn write_resources(out: &mut String, resources: &Resources) {
    let mut object = Object::open(out);
    object.integer("cpuShares", resources.cpu_shares);
    object.text("cpuset", resources.cpuset.as_deref());
    object.integer("memory", resources.memory);
    object.integer("memorySwap", resources.memory_swap);
    object.close();
}

fn write_rollout(out: &mut String, options: &RolloutOptions) {
    let mut object = Object::open(out);
    object.flag("ignoreFailures", options.ignore_failures);
    object.flag("migrate", options.migrate);
    object.flag("overlap", options.overlap);
    object.integer("parallelism", options.parallelism);
    object.integer("timeout", options.timeout);
    object.text("token", options.token.as_deref());
    object.close();
}

/// An object of known members. Leaves out a member that is absent or empty.
struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    fn close(self) {
        self.out.push('}');
    }

    /// Writes the name; the value comes next.
    fn name(&mut self, name: &str) -> &mut String {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        write_text(self.out, name);
        self.out.push(':');
        self.out
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            write_text(self.name(name), value);
        }
    }

    fn texts(&mut self, name: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        let out = self.name(name);
        let mut separator = '[';
        for value in values {
            out.push(separator);
            write_text(out, value);
            separator = ',';
        }
        out.push(']');
    }

    fn integer(&mut self, name: &str, value: Option<impl Into<i64>>) {
        if let Some(value) = value {
            let value: i64 = value.into();
            push(self.name(name), format_args!("{value}"));
        }
    }

    fn flag(&mut self, name: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.name(name)
                .push_str(if value { "true" } else { "false" });
        }
    }

    /// An object stays, even if it turns out to have no member.
    fn object<T>(&mut self, name: &str, value: Option<&T>, write: fn(&mut String, &T)) {
        if let Some(value) = value {
            write(self.name(name), value);
        }
    }

    fn text_map(&mut self, name: &str, map: &BTreeMap<String, String>) {
        self.map(name, map, |out, value| write_text(out, value));
    }

    /// Leaves out an empty map, but nothing inside of a map.
    fn map<T>(&mut self, name: &str, map: &BTreeMap<String, T>, write: fn(&mut String, &T)) {
        if map.is_empty() {
            return;
        }
        let out = self.name(name);
        let mut entries: Vec<_> = map.iter().collect();
        // By UTF-16 code units, which differs from the order of the map above U+D7FF.
        entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        let mut separator = '{';
        for (key, value) in entries {
            out.push(separator);
            write_text(out, key);
            out.push(':');
            write(out, value);
            separator = ',';
        }
        out.push('}');
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..'\u{20}' | '\u{10000}'.. => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    push(out, format_args!("\\u{unit:04X}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
