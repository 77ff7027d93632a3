//! Answering with a part of a list.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::fault::Fault;
use super::params::Params;

/// Which part of a list is wanted: `?limit=NUMBER&after=NAME`. Without them it is the whole list.
///
/// Lists are in the order of their names, and a page goes on after a name: whatever comes or goes between
/// two pages, nothing is told twice and nothing that stays is missed. A page that is not full is the last.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    limit: Option<usize>,
    after: Option<String>,
}

impl Page {
    /// The most that is wanted.
    pub(super) fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Of items in order those of this page; `follows` tells whether one comes after that name.
    pub(super) fn of<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        follows: impl Fn(&T, &str) -> bool,
    ) -> impl Iterator<Item = T> {
        let before = move |item: &T| match &self.after {
            Some(after) => !follows(item, after),
            None => false,
        };
        let items = items.into_iter().skip_while(before);
        items.take(self.limit.unwrap_or(usize::MAX))
    }
}

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let Ok(params) = Params::from_request_parts(parts, state).await;
        let limit = params.non_empty("limit").map(|limit| {
            let number = limit.parse().ok().filter(|number| *number > 0);
            number.ok_or_else(|| {
                Fault::bad(
                    format!("limit={limit:?} is no number above 0"),
                    "give one, or leave it out",
                )
            })
        });
        Ok(Self {
            limit: limit.transpose()?,
            after: params.non_empty("after").map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_page_begins_after_a_name_that_may_be_gone_by_then() {
        let page = |limit, after: &str| Page {
            limit,
            after: Some(after.to_owned()),
        };
        let of = |page: &Page| -> String {
            let names = ["a", "b", "d"];
            page.of(names, |name, after| *name > after).collect()
        };
        assert_eq!(of(&Page::default()), "abd");
        assert_eq!(of(&page(Some(1), "a")), "b");
        assert_eq!(of(&page(None, "c")), "d");
        assert_eq!(of(&page(Some(9), "d")), "");
    }
}
