//! What a command line asks for, looked up in the registry.

use std::collections::BTreeSet;

use super::failure::Failure;
use super::registry::{Bounds, BoundsError, Registry, Variant};
use crate::check::Reduction;

/// The variants that are named, in the order of the registry; all of them if nothing is named.
pub(super) fn variants<'a>(registry: &'a Registry, names: &[String]) -> Result<Vec<&'a Variant>, Failure> {
    for name in names {
        let (model, variant) =
            name.split_once('@').map_or((name.as_str(), None), |(model, variant)| (model, Some(variant)));
        let Some(entry) = registry.models().iter().find(|entry| entry.name == model) else {
            return Err(no_model(registry, name, model));
        };
        if let Some(variant) = variant
            && entry.variants.iter().all(|known| known.name() != variant)
        {
            let known = entry.variants.iter().map(|known| known.name().to_owned()).collect();
            return Err(Failure::Unknown { of: model.into(), what: "variant", name: variant.into(), known });
        }
    }
    let is_named = |variant: &&Variant| {
        names.is_empty() || names.iter().any(|name| name == variant.model() || *name == variant.to_string())
    };
    Ok(registry.variants().filter(is_named).collect())
}

/// Why `name` selects nothing: `model`, the part of it before the `@`, is no model.
fn no_model(registry: &Registry, name: &str, model: &str) -> Failure {
    let variant = if model.is_empty() { name.trim_start_matches('@') } else { model };
    let meant: Vec<String> =
        registry.variants().filter(|known| known.name() == variant).map(ToString::to_string).collect();
    if !meant.is_empty() && (model.is_empty() || model == name) {
        return Failure::WithoutModel { name: variant.into(), meant };
    }
    let known = registry.models().iter().map(|entry| entry.name.to_owned()).collect();
    Failure::Unknown { of: String::new(), what: "model", name: model.into(), known }
}

/// Each variant with its bounds: those of a deep search if it `is_deep` and the variant has one, and some of them
/// changed. A change concerns the variants that have the bound; at least one must have it.
pub(super) fn with_bounds<'a>(
    variants: &[&'a Variant],
    is_deep: bool,
    changes: &[(String, u64)],
) -> Result<Vec<(&'a Variant, Bounds)>, Failure> {
    let known: BTreeSet<&str> =
        variants.iter().flat_map(|variant| variant.bounds()).map(|bound| bound.name).collect();
    if let Some((name, _)) = changes.iter().find(|(name, _)| !known.contains(name.as_str())) {
        let known = known.into_iter().map(String::from).collect();
        return Err(Failure::Unknown { of: String::new(), what: "bound", name: name.clone(), known });
    }
    let mut names = BTreeSet::new();
    if let Some((name, _)) = changes.iter().find(|(name, _)| !names.insert(name)) {
        return Err(Failure::BoundTwice { name: name.clone() });
    }
    let with_bounds = |variant: &&'a Variant| -> Result<(&'a Variant, Bounds), BoundsError> {
        let has = |name: &str| variant.bounds().iter().any(|bound| bound.name == name);
        let deep = variant.deep_bounds().iter().copied().filter(|_| is_deep);
        let changes =
            changes.iter().filter(|(name, _)| has(name)).map(|(name, value)| (name.as_str(), *value));
        Ok((*variant, variant.bounds_with(deep.chain(changes))?))
    };
    variants.iter().map(with_bounds).collect::<Result<_, _>>().map_err(Failure::Bounds)
}

/// At least one variant must have deep bounds if they are asked for.
pub(super) fn assert_deep(registry: &Registry, variants: &[&Variant], is_deep: bool) -> Result<(), Failure> {
    let has = |variant: &&Variant| !variant.deep_bounds().is_empty();
    if !is_deep || variants.iter().any(has) {
        return Ok(());
    }
    Err(Failure::NotDeep { deep: registry.variants().filter(has).map(ToString::to_string).collect() })
}

/// Drops the variants that have none of the selected properties. Each property must be evaluated for some variant.
pub(super) fn retain_with_properties(
    registry: &Registry,
    variants: &mut Vec<(&Variant, Bounds)>,
    properties: &[String],
) -> Result<(), Failure> {
    if properties.is_empty() {
        return Ok(());
    }
    let selected = match variants.as_slice() {
        [(variant, _)] => variant.to_string(),
        several => format!("any of the {} variants", several.len()),
    };
    let mut evaluated = Vec::new();
    let has = |variant: &Variant, id: &String| ids(variant, &variant.default_bounds()).contains(id);
    let all: Vec<&Variant> = variants.iter().map(|(variant, _)| *variant).collect();
    variants.retain(|(variant, bounds)| {
        let ids = ids(variant, bounds);
        let concerned = ids.iter().any(|id| properties.contains(id));
        evaluated.extend(ids);
        concerned
    });
    let evaluated = distinct(evaluated);
    let Some(id) = properties.iter().find(|id| !evaluated.contains(id)) else { return Ok(()) };
    let known = distinct(registry.variants().flat_map(|known| ids(known, &known.default_bounds())).collect());
    if known.contains(id) {
        let depends_on_bounds = all.iter().any(|variant| has(variant, id));
        let of = registry.variants().filter(|variant| !depends_on_bounds && has(variant, id));
        let of = distinct(of.map(|variant| variant.model().to_owned()).collect());
        Err(Failure::NotEvaluated { id: id.clone(), selected, of, evaluated })
    } else {
        Err(Failure::Unknown { of: String::new(), what: "property", name: id.clone(), known })
    }
}

/// At least one variant must be declared for a reduction that is asked for.
pub(super) fn assert_declared(
    registry: &Registry,
    variants: &[(&Variant, Bounds)],
    reduction: Option<Reduction>,
) -> Result<(), Failure> {
    let Some(reduction) = reduction else { return Ok(()) };
    if variants.iter().any(|(variant, bounds)| variant.declares(bounds, reduction)) {
        return Ok(());
    }
    let declared =
        registry.variants().filter(|variant| variant.declares(&variant.default_bounds(), reduction));
    Err(Failure::Undeclared { reduction, declared: declared.map(ToString::to_string).collect() })
}

fn ids(variant: &Variant, bounds: &Bounds) -> Vec<String> {
    variant.properties(bounds).into_iter().map(|property| property.id.to_owned()).collect()
}

/// Each name once, where it came first.
fn distinct(mut names: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}
