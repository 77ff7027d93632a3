//! Which of a list is meant.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::fault::Fault;
use super::page::Page;
use super::params::Params;
use super::pattern::Pattern;

/// Which of a list is meant: `?namePattern=REGEX&status=STATUS&limit=NUMBER&after=NAME`, all of it if nothing is said.
pub(super) struct ListFilter {
    pattern: Option<Pattern>,
    /// Whatever was said: nothing is in a status that there is not.
    status: Option<String>,
    page: Page,
}

impl ListFilter {
    /// Of items in the order of their names those of this page that are meant.
    pub(super) fn of<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        name: impl Fn(&T) -> &str,
    ) -> Vec<T> {
        let pattern = self.pattern.as_ref();
        let means = |item: &T| pattern.is_none_or(|pattern| pattern.matches(name(item)));
        let meant = items.into_iter().filter(means);
        let page = self.page.of(meant, |item, after| name(item) > after);
        page.collect()
    }

    /// Whether that is the status that was asked for, if one was.
    pub(super) fn means_status(&self, status: &str) -> bool {
        let wanted = self.status.as_deref();
        wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(status))
    }
}

impl<S: Sync> FromRequestParts<S> for ListFilter {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let page = Page::from_request_parts(parts, state).await?;
        let Ok(params) = Params::from_request_parts(parts, state).await;
        let pattern = params.non_empty("namePattern").map(Pattern::new);
        Ok(Self {
            pattern: pattern.transpose()?,
            status: params.non_empty("status").map(str::to_owned),
            page,
        })
    }
}
