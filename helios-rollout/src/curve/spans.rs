//! Sets of time as sorted, disjoint, half-open spans of milliseconds.

/// `[from, until)`
pub(crate) type Span = (i64, i64);

/// The spans in order, overlapping and touching ones joined, empty ones dropped.
pub(crate) fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| span.0 < span.1);
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.0 <= last.1 => last.1 = last.1.max(span.1),
            _ => joined.push(span),
        }
    }
    joined
}

/// What of `spans` is not in `holes`; both in order and disjoint.
pub(crate) fn subtract(spans: &[Span], holes: &[Span]) -> Vec<Span> {
    let mut left = Vec::with_capacity(spans.len());
    for &(mut from, until) in spans {
        let first = holes.partition_point(|hole| hole.1 <= from);
        for hole in holes.iter().skip(first).take_while(|hole| hole.0 < until) {
            if from < hole.0 {
                left.push((from, hole.0));
            }
            from = from.max(hole.1);
        }
        if from < until {
            left.push((from, until));
        }
    }
    left
}

/// Their whole length.
pub(crate) fn length(spans: &[Span]) -> u64 {
    spans.iter().map(|span| span.1.abs_diff(span.0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spans() -> impl Strategy<Value = Vec<Span>> {
        prop::collection::vec((0_i64..40, 0_i64..12), 0..8).prop_map(|pairs| {
            pairs
                .into_iter()
                .map(|(from, len)| (from, from + len))
                .collect()
        })
    }

    fn has(spans: &[Span], at: i64) -> bool {
        spans.iter().any(|span| (span.0..span.1).contains(&at))
    }

    proptest! {
        #[test]
        fn they_behave_as_sets(a in spans(), b in spans()) {
            let (joined, holes) = (union(a.clone()), union(b.clone()));
            let rest = subtract(&joined, &holes);
            for at in 0..60 {
                prop_assert_eq!(has(&joined, at), has(&a, at));
                prop_assert_eq!(has(&rest, at), has(&a, at) && !has(&b, at));
            }
            prop_assert_eq!(&union(rest.clone()), &rest, "in order, disjoint, not empty");
            prop_assert_eq!(length(&rest), (0..60).filter(|at| has(&rest, *at)).count() as u64);
        }
    }
}
