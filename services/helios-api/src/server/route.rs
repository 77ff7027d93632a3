//! One thing a master can be asked.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::state::MasterState;

/// What somebody needs to be allowed to ask something. A master that wants no tokens lets everybody ask
/// everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing: it says nothing about the cluster.
    Nothing,
    /// To read.
    Read,
    /// To deploy; it changes no host and no group, or nobody can tell which.
    Deploy(On),
    /// Everything.
    Admin,
}

/// What a change touches, for tokens that may touch a part only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "one of each, for the routes that come")]
pub(super) enum On {
    /// Jobs, which do nothing until they are deployed.
    Jobs,
    /// The `{host}` of the path.
    Host,
    /// The `{group}` of the path.
    Group,
    /// Any part of the fleet.
    Fleet,
}

impl Needs {
    /// Whether it changes nothing.
    pub(super) fn is_question(self) -> bool {
        matches!(self, Self::Nothing | Self::Read)
    }
}

/// What a body or an answer looks like. It tells the generator which documents there are.
pub(super) type Looks = fn(&mut SchemaGenerator) -> Schema;

/// What a route answers with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// That it is done, and no more.
    Nothing,
    /// A document of that media type.
    Document(&'static str, Looks),
}

/// One thing a master can be asked: with which method at which path, who may, and what it does.
///
/// Every endpoint is declared as one of these; what is allowed to whom and the description of the whole
/// interface are made of them.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    /// What it does, in one line.
    pub(super) about: &'static str,
    /// The parameters that may stand in its query; behind a `=` the values that one of few may have.
    pub(super) query: &'static [&'static str],
    /// What its body looks like; `None` if it reads none.
    pub(super) body: Option<Looks>,
    /// What it answers with.
    pub(super) answer: Answer,
    endpoint: MethodRouter<MasterState>,
}

/// One constructor for each method, named as it.
macro_rules! methods {
    ($($name:ident $method:ident,)+) => {
        impl Route {
            $(
                pub(super) fn $name<H, T>(
                    path: &'static str,
                    needs: Needs,
                    about: &'static str,
                    endpoint: H,
                ) -> Self
                where
                    H: Handler<T, MasterState>,
                    T: 'static,
                {
                    Self {
                        method: Method::$method,
                        path,
                        needs,
                        about,
                        query: &[],
                        body: None,
                        answer: Answer::Nothing,
                        endpoint: on(MethodFilter::$method, endpoint),
                    }
                }
            )+
        }
    };
}

methods! {
    get GET,
    post POST,
    put PUT,
    patch PATCH,
    delete DELETE,
}

impl Route {
    /// It, with these parameters in its query.
    pub(super) fn takes(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }

    /// It, with such a body in JSON.
    pub(super) fn reads<T: JsonSchema>(self) -> Self {
        let body: Looks = SchemaGenerator::subschema_for::<T>;
        Self {
            body: Some(body),
            ..self
        }
    }

    /// It, with such an answer in JSON. A refusal of another kind is told as such.
    pub(super) fn answers<T: JsonSchema>(self) -> Self {
        self.answers_as::<T>("application/json")
    }

    /// It, with such an answer of that media type.
    pub(super) fn answers_as<T: JsonSchema>(self, media: &'static str) -> Self {
        let answer = Answer::Document(media, SchemaGenerator::subschema_for::<T>);
        Self { answer, ..self }
    }

    /// Adds it to a router, with and without a slash at the end of its path.
    pub(super) fn add_to(&self, router: Router<MasterState>) -> Router<MasterState> {
        router
            .route(self.path, self.endpoint.clone())
            .route(&format!("{}/", self.path), self.endpoint.clone())
    }
}
