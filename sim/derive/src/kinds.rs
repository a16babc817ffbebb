//! The derive of `Kinds`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Error, Member, Result, Token, Type, Variant};

/// The implementation of `Kinds` for an enum.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    refuse(&input.attrs)?;
    let (mut count, mut named, mut numbered) = (quote!(0), Vec::new(), Vec::new());
    for variant in variants(input)? {
        let path = &variant.ident;
        if let Some((member, ty)) = nested(variant)? {
            named.push(quote!(names.extend(<#ty as ::downbeat_sim::kinds::Kinds>::names());));
            numbered.push(quote! {
                Self::#path { #member: nested } => ::downbeat_sim::kinds::Kinds::kind(nested) + const { #count },
            });
            count = quote!(#count + <#ty as ::downbeat_sim::kinds::Kinds>::COUNT);
        } else {
            let name = in_words(&path.unraw().to_string());
            named.push(quote!(names.push(#name);));
            numbered.push(quote!(Self::#path { .. } => const { #count },));
            count = quote!(#count + 1);
        }
    }
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::downbeat_sim::kinds::Kinds for #name #type_generics #where_clause {
            const COUNT: usize = #count;

            fn names() -> ::std::vec::Vec<&'static str> {
                let mut names = ::std::vec::Vec::with_capacity(Self::COUNT);
                #(#named)*
                names
            }

            #[inline]
            fn kind(&self) -> usize {
                match self { #(#numbered)* }
            }
        }
    })
}

fn variants(input: &DeriveInput) -> Result<&Punctuated<Variant, Token![,]>> {
    let reason = match &input.data {
        Data::Enum(data) if !data.variants.is_empty() => return Ok(&data.variants),
        Data::Enum(_) => "an enum without variants has no kinds: give it a variant",
        Data::Struct(_) | Data::Union(_) => {
            "kinds are the variants of an enum: make this an enum, or implement `Kinds` by hand"
        }
    };
    Err(Error::new_spanned(&input.ident, reason))
}

/// The one field of a variant with `#[kinds(nested)]`.
fn nested(variant: &Variant) -> Result<Option<(Member, &Type)>> {
    for field in &variant.fields {
        refuse(&field.attrs)?;
    }
    let Some(attribute) = attributes(&variant.attrs).next() else { return Ok(None) };
    let mut is_nested = false;
    attribute.parse_nested_meta(|meta| {
        is_nested = meta.path.is_ident("nested");
        if is_nested { Ok(()) } else { Err(meta.error("all that can be said of a variant is `nested`")) }
    })?;
    let mut fields = variant.fields.members().zip(&variant.fields);
    match (fields.next(), fields.next()) {
        (Some((member, field)), None) if is_nested => Ok(Some((member, &field.ty))),
        (_, _) if !is_nested => {
            Err(Error::new_spanned(attribute, "say what the variant is: write `#[kinds(nested)]`"))
        }
        (_, _) => Err(Error::new_spanned(
            &variant.ident,
            "a nested variant has one field, an enum with kinds of its own: remove `nested`, or the other fields",
        )),
    }
}

/// Refuses the attribute where there is no variant.
fn refuse(of: &[Attribute]) -> Result<()> {
    match attributes(of).next() {
        None => Ok(()),
        Some(attribute) => {
            Err(Error::new_spanned(attribute, "`nested` belongs to a variant: write it before the variant"))
        }
    }
}

fn attributes(of: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    of.iter().filter(|attribute| attribute.path().is_ident("kinds"))
}

/// The words of a name in camel case, a run of capitals being one word: `RetryHTTPRequest`: `retry http request`.
fn in_words(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut words = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let after_capital = index > 0 && letters[index - 1].is_uppercase();
        let before_small = letters.get(index + 1).is_some_and(|next| next.is_lowercase());
        if index > 0 && letter.is_uppercase() && (!after_capital || before_small) {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::in_words;
    use crate::refusal::refusal;

    const NO_ENUM: &str =
        "kinds are the variants of an enum: make this an enum, or implement `Kinds` by hand";
    const NO_VARIANT: &str = "`nested` belongs to a variant: write it before the variant";
    const NOT_ONE_FIELD: &str =
        "a nested variant has one field, an enum with kinds of its own: remove `nested`, or the other fields";

    #[test]
    fn kinds_says_at_its_place_what_it_cannot_derive() {
        #[rustfmt::skip]
        let cases = [
            ("struct S { a: u8 }",                    "S",     NO_ENUM),
            ("union U { a: u8 }",                     "U",     NO_ENUM),
            ("enum Never {}",                         "Never", "an enum without variants has no kinds: give it a variant"),
            ("#[kinds(nested)] enum E { A(B) }",      "#[kinds(nested)]", NO_VARIANT),
            ("enum E { A(#[kinds(nested)] B) }",      "#[kinds(nested)]", NO_VARIANT),
            ("enum E { #[kinds(nest)] A(B) }",        "nest",  "all that can be said of a variant is `nested`"),
            ("enum E { #[kinds()] A(B) }",            "#[kinds()]",
                "say what the variant is: write `#[kinds(nested)]`"),
            ("enum E { #[kinds(nested)] A }",         "A",     NOT_ONE_FIELD),
            ("enum E { #[kinds(nested)] A(B, C) }",   "A",     NOT_ONE_FIELD),
        ];
        for (source, place, sentence) in cases {
            assert_eq!(refusal(super::expand, source), (place.to_owned(), sentence.to_owned()), "{source}");
        }
    }

    #[test]
    fn name_of_a_variant_is_told_in_words() {
        let cases = [
            ("Prepare", "prepare"),
            ("ReceivePrepared", "receive prepared"),
            ("RetryHTTPRequest", "retry http request"),
            ("SendRPC", "send rpc"),
            ("DropV2Message", "drop v2 message"),
            ("A", "a"),
            ("ÄndereÜber", "ändere über"),
        ];
        for (name, words) in cases {
            assert_eq!(in_words(name), words);
        }
    }
}
