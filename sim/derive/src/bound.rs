//! `#[pack(max = ..)]` and `#[pack(bits = ..)]`: the largest value of a field.

use proc_macro2::TokenStream;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, Expr, Field, Ident, LitInt, Result, Type};

const UNSIGNED: [(&str, u32); 5] = [("u8", 8), ("u16", 16), ("u32", 32), ("u64", 64), ("usize", usize::BITS)];

/// The largest value that a field declares, as a constant expression of type `u64`. `None` if it takes all its
/// bits.
pub(crate) fn declared(field: &Field) -> Result<Option<TokenStream>> {
    let mut declared = None;
    for attribute in attributes(&field.attrs) {
        let integer = Unsigned::of(&field.ty)?;
        attribute.parse_nested_meta(|meta| {
            if declared.is_some() {
                return Err(meta.error("one bound is enough: remove one of `max` and `bits`"));
            }
            declared = Some(integer.bound(&meta)?);
            Ok(())
        })?;
        if declared.is_none() {
            return Err(Error::new_spanned(attribute, "a bound is missing: write `max = 5` or `bits = 3`"));
        }
    }
    Ok(declared)
}

/// Refuses a bound where there is no field.
pub(crate) fn refuse(attributes_of: &[Attribute]) -> Result<()> {
    match attributes(attributes_of).next() {
        None => Ok(()),
        Some(attribute) => {
            Err(Error::new_spanned(attribute, "a bound belongs to a field: write it before the field"))
        }
    }
}

fn attributes(of: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    of.iter().filter(|attribute| attribute.path().is_ident("pack"))
}

struct Unsigned<'a> {
    name: &'a Ident,
    width: u32,
}

impl<'a> Unsigned<'a> {
    /// By its name, as a derive sees no more of a type than that.
    fn of(ty: &'a Type) -> Result<Self> {
        if let Type::Path(path) = ty
            && let Some(name) = path.path.get_ident()
            && let Some((_, width)) = UNSIGNED.iter().find(|(unsigned, _)| name == unsigned)
        {
            return Ok(Self { name, width: *width });
        }
        Err(Error::new_spanned(
            ty,
            "a bound is for a field of type u8, u16, u32, u64 or usize; any other type packs itself: remove the \
             attribute, or declare the bound inside the type",
        ))
    }

    fn bound(&self, meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
        if meta.path.is_ident("max") {
            let max: Expr = meta.value()?.parse()?;
            let name = self.name;
            Ok(quote!({ let max: #name = #max; max as u64 }))
        } else if meta.path.is_ident("bits") {
            let max = self.max_of_bits(&meta.value()?.parse()?)?;
            Ok(quote!(#max))
        } else {
            Err(meta.error("a bound is `max = 5` or `bits = 3`"))
        }
    }

    fn max_of_bits(&self, literal: &LitInt) -> Result<u64> {
        let Self { name, width } = self;
        match literal.base10_parse() {
            Ok(bits) if (1..=*width).contains(&bits) => Ok(u64::MAX >> (u64::BITS - bits)),
            Ok(_) | Err(_) => {
                Err(Error::new_spanned(literal, format!("`{name}` has 1 to {width} bits to declare")))
            }
        }
    }
}
