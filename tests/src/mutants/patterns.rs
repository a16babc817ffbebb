//! Which arms of a `match` a later arm takes up.

use quote::ToTokens;
use syn::{Arm, FieldPat, Pat};

/// Whether the arm at `index` can be taken out of `arms` so that those after it match everything that it has matched.
pub(super) fn is_taken_up(arms: &[Arm], index: usize) -> bool {
    let later = arms.iter().skip(index + 1).filter(|arm| arm.guard.is_none());
    let later: Vec<&Pat> = later.flat_map(|arm| alternatives(&arm.pat)).collect();
    arms.get(index).is_some_and(|arm| {
        alternatives(&arm.pat).iter().all(|pattern| later.iter().any(|wider| covers(wider, pattern)))
    })
}

fn alternatives(pattern: &Pat) -> Vec<&Pat> {
    match pattern {
        Pat::Or(or) => or.cases.iter().flat_map(alternatives).collect(),
        Pat::Paren(inner) => alternatives(&inner.pat),
        other => vec![other],
    }
}

/// Whether `wider` matches all that `pattern` matches, as far as their words show.
fn covers(wider: &Pat, pattern: &Pat) -> bool {
    match (wider, pattern) {
        _ if is_free(wider) => true,
        (Pat::Ident(name), _) => name.subpat.as_ref().is_some_and(|(_, inner)| covers(inner, pattern)),
        (_, Pat::Ident(name)) => name.subpat.as_ref().is_some_and(|(_, inner)| covers(wider, inner)),
        (Pat::Or(_) | Pat::Paren(_), _) | (_, Pat::Or(_) | Pat::Paren(_)) => {
            let wider = alternatives(wider);
            alternatives(pattern).iter().all(|pattern| wider.iter().any(|wider| covers(wider, pattern)))
        }
        (Pat::Tuple(wider), Pat::Tuple(pattern)) => covers_each(&wider.elems, &pattern.elems),
        (Pat::TupleStruct(wider), Pat::TupleStruct(pattern)) => {
            same(&wider.path, &pattern.path) && covers_each(&wider.elems, &pattern.elems)
        }
        (Pat::Struct(wider), Pat::Struct(pattern)) => {
            let free = |field: &FieldPat| is_free(&field.pat);
            same(&wider.path, &pattern.path) && (wider.fields.iter().all(free) || same(wider, pattern))
        }
        _ => same(wider, pattern),
    }
}

/// Whether a pattern matches everything. A name that does is written small: `None` looks like one.
fn is_free(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(name) => name.subpat.is_none() && name.ident.to_string().starts_with(char::is_lowercase),
        _ => false,
    }
}

fn covers_each<'p>(
    wider: impl IntoIterator<Item = &'p Pat>,
    pattern: impl IntoIterator<Item = &'p Pat>,
) -> bool {
    wider.into_iter().zip(pattern).all(|(wider, pattern)| covers(wider, pattern))
}

fn same(one: &impl ToTokens, other: &impl ToTokens) -> bool {
    one.to_token_stream().to_string() == other.to_token_stream().to_string()
}
