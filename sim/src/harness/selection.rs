//! What a command line asks for, looked up in the registry.

use std::collections::BTreeSet;

use super::failure::Failure;
use super::registry::{Bounds, BoundsError, Registry, Variant};

/// The variants that are named, in the order of the registry; all of them if nothing is named.
pub(super) fn variants<'a>(registry: &'a Registry, names: &[String]) -> Result<Vec<&'a Variant>, Failure> {
    for name in names {
        let (model, variant) =
            name.split_once('@').map_or((name.as_str(), None), |(model, variant)| (model, Some(variant)));
        let Some(entry) = registry.models().iter().find(|entry| entry.name == model) else {
            let known = registry.models().iter().map(|entry| entry.name.to_owned()).collect();
            return Err(Failure::Unknown { what: "model".into(), name: model.into(), known });
        };
        if let Some(variant) = variant
            && entry.variants.iter().all(|known| known.name() != variant)
        {
            let known = entry.variants.iter().map(|known| known.name().to_owned()).collect();
            return Err(Failure::Unknown {
                what: format!("variant of {model}"),
                name: variant.into(),
                known,
            });
        }
    }
    let is_named = |variant: &&Variant| {
        names.is_empty() || names.iter().any(|name| name == variant.model() || *name == variant.to_string())
    };
    Ok(registry.variants().filter(is_named).collect())
}

/// Each variant with its bounds, some of them changed. A change concerns the variants that have the bound; at
/// least one must have it.
pub(super) fn with_bounds<'a>(
    variants: &[&'a Variant],
    changes: &[(String, u64)],
) -> Result<Vec<(&'a Variant, Bounds)>, Failure> {
    let known: BTreeSet<&str> =
        variants.iter().flat_map(|variant| variant.bounds()).map(|bound| bound.name).collect();
    if let Some((name, _)) = changes.iter().find(|(name, _)| !known.contains(name.as_str())) {
        let known = known.into_iter().map(String::from).collect();
        return Err(Failure::Unknown { what: "bound".into(), name: name.clone(), known });
    }
    let with_bounds = |variant: &&'a Variant| -> Result<(&'a Variant, Bounds), BoundsError> {
        let has = |name: &str| variant.bounds().iter().any(|bound| bound.name == name);
        let changes =
            changes.iter().filter(|(name, _)| has(name)).map(|(name, value)| (name.as_str(), *value));
        Ok((*variant, variant.bounds_with(changes)?))
    };
    variants.iter().map(with_bounds).collect::<Result<_, _>>().map_err(Failure::Bounds)
}

/// Drops the variants that have none of the selected properties. Each property must exist in some variant.
pub(super) fn retain_with_properties(
    variants: &mut Vec<(&Variant, Bounds)>,
    properties: &[String],
) -> Result<(), Failure> {
    if properties.is_empty() {
        return Ok(());
    }
    let mut known = Vec::new();
    variants.retain(|(variant, bounds)| {
        let ids: Vec<String> =
            variant.properties(bounds).into_iter().map(|property| property.id.to_owned()).collect();
        let concerned = ids.iter().any(|id| properties.contains(id));
        known.extend(ids);
        concerned
    });
    let mut seen = BTreeSet::new();
    known.retain(|id| seen.insert(id.clone()));
    match properties.iter().find(|id| !known.contains(id)) {
        Some(id) => Err(Failure::Unknown { what: "property".into(), name: id.clone(), known }),
        None => Ok(()),
    }
}
