//! `Rename`: field by field, each as its type or its attribute says.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::meta::ParseNestedMeta;
use syn::{
    Attribute, Data, DataStruct, DeriveInput, Error, Field, Fields, Generics, Ident, Result, Type, Variant,
};

pub(crate) fn derive(input: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    if is_id(&input.attrs)? {
        return id(&input);
    }
    match &input.data {
        Data::Struct(data) => structure(&input, data),
        Data::Enum(data) => {
            let arms = data.variants.iter().enumerate().map(|(number, variant)| Arms::of(number, variant));
            let arms: Vec<Arms> = arms.collect::<Result<_>>()?;
            let rename = arms.iter().map(|arm| &arm.rename);
            let observe = arms.iter().map(|arm| &arm.observe);
            let rename = quote! { match self { #(#rename)* } };
            let observe = quote! { match self { #(#observe)* } };
            Ok(implementation(&input, &rename, &observe))
        }
        Data::Union(_) => Err(Error::new_spanned(&input.ident, "`Rename` cannot tell what a union holds")),
    }
}

fn structure(input: &DeriveInput, data: &DataStruct) -> Result<TokenStream> {
    let fields = Parts::of(&data.fields)?;
    let (pattern, rename, observe) = (&fields.pattern, &fields.rename, &fields.observe);
    let rename = quote! { let Self #pattern = self; Self #rename };
    let observe = quote! { let Self #pattern = self; #observe };
    Ok(implementation(input, &rename, &observe))
}

/// The arms of one variant.
struct Arms {
    rename: TokenStream,
    observe: TokenStream,
}

impl Arms {
    fn of(number: usize, variant: &Variant) -> Result<Self> {
        let name = &variant.ident;
        let Parts { pattern, rename, observe } = Parts::of(&variant.fields)?;
        let pattern = quote! { Self::#name #pattern };
        Ok(Self {
            rename: quote! { #pattern => Self::#name #rename, },
            observe: quote! { #pattern => { ::core::hash::Hasher::write_usize(observer, #number); #observe } },
        })
    }
}

/// What becomes of the fields of a struct or a variant.
struct Parts {
    /// Binds each field to a name of its own.
    pattern: TokenStream,
    /// The renamed fields, as they follow the name of the struct or variant.
    rename: TokenStream,
    observe: TokenStream,
}

impl Parts {
    fn of(fields: &Fields) -> Result<Self> {
        let layouts: Vec<TokenStream> = fields.iter().map(layout).collect::<Result<_>>()?;
        let members: Vec<_> = fields.members().collect();
        let bound: Vec<Ident> = (0..members.len()).map(|number| format_ident!("field_{number}")).collect();
        Ok(Self {
            pattern: quote! { { #(#members: #bound),* } },
            rename: quote! { { #(#members: #layouts::rename(#bound, renaming)),* } },
            observe: quote! { #(#layouts::observe(#bound, observer);)* },
        })
    }
}

/// The layout of a field, as a path to call functions of.
fn layout(field: &Field) -> Result<TokenStream> {
    let mut layers = Vec::new();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("rename")) {
        attribute.parse_nested_meta(|meta| {
            layers.push(Layer::parse(&meta)?);
            Ok(())
        })?;
    }
    let mut layout = None;
    for layer in layers.into_iter().rev() {
        layout = Some(layer.around(layout)?);
    }
    let layout = layout.unwrap_or_else(|| quote! { ::downbeat_sim::symmetry::Own });
    let held = &field.ty;
    Ok(quote! { <#layout as ::downbeat_sim::symmetry::Layout<#held>> })
}

/// One word of a field's attribute.
enum Layer {
    Index(Type),
    Bits(Type, Ident),
    Plain(Ident),
}

impl Layer {
    fn parse(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        let word = meta.path.require_ident()?.clone();
        match word.to_string().as_str() {
            "index" => Ok(Self::Index(meta.value()?.parse()?)),
            "bits" => Ok(Self::Bits(meta.value()?.parse()?, word)),
            "plain" => Ok(Self::Plain(word)),
            _ => Err(meta.error("expected `index = Id`, `bits = Id` or `plain`")),
        }
    }

    /// The layout in which `inner` lies within this layer.
    fn around(self, inner: Option<TokenStream>) -> Result<TokenStream> {
        let path = quote! { ::downbeat_sim::symmetry };
        match (self, inner) {
            (Self::Index(id), Some(inner)) => Ok(quote! { #path::Index<#id, #inner> }),
            (Self::Index(id), None) => Ok(quote! { #path::Index<#id> }),
            (Self::Bits(id, _), None) => Ok(quote! { #path::Bits<#id> }),
            (Self::Plain(_), None) => Ok(quote! { #path::Plain }),
            (Self::Bits(_, word) | Self::Plain(word), Some(_)) => {
                Err(Error::new(word.span(), "nothing can lie within this: it comes last"))
            }
        }
    }
}

fn implementation(input: &DeriveInput, rename: &TokenStream, observe: &TokenStream) -> TokenStream {
    let name = &input.ident;
    let generics = bounded(&input.generics);
    let (parameters, arguments, conditions) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #parameters ::downbeat_sim::symmetry::Rename for #name #arguments #conditions {
            #[inline]
            fn rename(&self, renaming: &::downbeat_sim::symmetry::Renaming) -> Self {
                #rename
            }

            #[inline]
            fn observe(&self, observer: &mut ::downbeat_sim::symmetry::Observer) {
                #observe
            }
        }
    }
}

/// The generics with `Rename` asked of every type parameter.
fn bounded(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(syn::parse_quote! { ::downbeat_sim::symmetry::Rename });
    }
    generics
}

fn is_id(attributes: &[Attribute]) -> Result<bool> {
    let mut is_id = false;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("rename")) {
        attribute.parse_nested_meta(|meta| {
            is_id = meta.path.is_ident("id");
            if is_id { Ok(()) } else { Err(meta.error("expected `id`")) }
        })?;
    }
    Ok(is_id)
}

fn id(input: &DeriveInput) -> Result<TokenStream> {
    let inner = match &input.data {
        Data::Struct(DataStruct { fields: Fields::Unnamed(fields), .. }) if fields.unnamed.len() == 1 => {
            &fields.unnamed[0].ty
        }
        Data::Struct(_) | Data::Enum(_) | Data::Union(_) => {
            let problem = "an id is a tuple struct of one unsigned integer";
            return Err(Error::new_spanned(&input.ident, problem));
        }
    };
    let name = &input.ident;
    let implementation =
        implementation(input, &quote! { renaming.id(*self) }, &quote! { observer.id(*self) });
    Ok(quote! {
        #[automatically_derived]
        impl ::downbeat_sim::symmetry::Id for #name {
            #[inline]
            fn index(self) -> usize {
                ::core::convert::TryFrom::try_from(self.0).expect("the index of an id fits in a word")
            }

            #[inline]
            fn at(index: usize) -> Self {
                Self(<#inner as ::core::convert::TryFrom<usize>>::try_from(index).expect("declared ids fit"))
            }
        }

        #implementation
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rename_refuses_what_has_no_ids_to_find() {
        #[rustfmt::skip]
        let cases = [
            (quote! { union U { one: u8 } }, "`Rename` cannot tell what a union holds"),
            (quote! { #[rename(id)] struct Pair(u8, u8); }, "an id is a tuple struct of one unsigned integer"),
            (quote! { #[rename(id)] enum Side { Left } }, "an id is a tuple struct of one unsigned integer"),
            (quote! { #[rename(ids)] struct One(u8); }, "expected `id`"),
            (quote! { struct S { #[rename(place = Id)] field: u8 } },
             "expected `index = Id`, `bits = Id` or `plain`"),
            (quote! { enum E { V(#[rename(bits = Id, index = Id)] u8) } }, "nothing can lie within this: it comes last"),
            (quote! { struct S(#[rename(plain, bits = Id)] u8); }, "nothing can lie within this: it comes last"),
        ];
        for (input, refusal) in cases {
            let refused = derive(input.clone()).map(|written| written.to_string());
            assert_eq!(refused.map_err(|error| error.to_string()), Err(refusal.to_owned()), "{input}");
        }
    }
}
