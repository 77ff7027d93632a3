//! What a command works with.

use helios_api::Client;
use helios_core::Timestamp;
use serde::Serialize;

use crate::args::ClientOptions;
use crate::console::Tone;
use crate::output::{compact, pretty, short_host};
use crate::targets::Target;
use crate::{Console, Environment, Failure, Outcome, job_source};

/// What a command works with: whom it asks, and where it tells what came of it.
pub(super) struct Call<'a> {
    pub(super) client: &'a Client,
    pub(super) console: &'a mut Console,
    pub(super) environment: &'a Environment,
    /// Whether the result is to be JSON.
    pub(super) json: bool,
    /// When the command began.
    pub(super) now: Timestamp,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        target: &'a Target,
        options: &ClientOptions,
        environment: &'a Environment,
        console: &'a mut Console,
    ) -> Self {
        Self {
            client: &target.client,
            console,
            environment,
            json: options.json,
            now: job_source::now(),
        }
    }

    /// Says a document.
    pub(super) fn say_document(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        self.console.say(pretty(document)?);
        Ok(())
    }

    /// Says the answer to a single operation.
    pub(super) fn say_answer(&mut self, answer: &impl Serialize) -> Result<(), Failure> {
        self.console.say(compact(answer)?);
        Ok(())
    }

    /// Says what came of an operation on something: the answer as JSON, or that it is done, or why not.
    pub(super) fn say_result(
        &mut self,
        of: &str,
        answer: &impl Serialize,
        refused: Option<(&str, &str)>,
    ) -> Result<Outcome, Failure> {
        if self.json {
            self.say_answer(answer)?;
        }
        match refused {
            None => {
                if !self.json {
                    let done = self.console.toned("done", Tone::Good);
                    self.console.say(format_args!("{of}: {done}"));
                }
                Ok(Outcome::Done)
            }
            Some((status, why)) => {
                let failed = self.console.toned("failed", Tone::Bad);
                self.console
                    .mention(format_args!("{of}: {failed}: {status}: {why}"));
                Ok(Outcome::NotDone)
            }
        }
    }

    /// The name of a host as people say it, or in full.
    pub(super) fn host_name(&self, host: &str, full: bool) -> String {
        if full {
            host.to_owned()
        } else {
            short_host(host, self.environment.search_domains())
        }
    }
}
