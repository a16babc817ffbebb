//! The derive of `Pack`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Error, Fields, Ident, Member, Result, Type, parse_quote};

use crate::bound;

/// The implementation of `Pack` for a type.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    bound::refuse(&input.attrs)?;
    let encoding = Encoding { name: input.ident.unraw().to_string(), shapes: shapes(input)? };
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::downbeat_sim::pack::Pack));
    }
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let name = &input.ident;
    let in_words = format!("`{}`", encoding.name);
    let (tag_bits, widths) = (encoding.tag_bits(), encoding.shapes.iter().map(Shape::bits));
    let (fields, packed, unpacked) = (encoding.fields(), encoding.packed(), encoding.unpacked());
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::downbeat_sim::pack::Pack for #name #type_generics #where_clause {
            const BITS: u32 = #tag_bits + ::downbeat_sim::pack::most(&[#(#widths),*]);
            const NAME: &'static str = #in_words;
            const FIELDS: &'static [::downbeat_sim::pack::Field] = &[#(#fields),*];

            #[inline]
            fn pack<__Word: ::downbeat_sim::pack::Word>(
                &self,
            ) -> ::core::result::Result<__Word, ::downbeat_sim::pack::TooWide> {
                let parts = ::downbeat_sim::pack::Packer::<__Word>::default();
                let parts = match self { #(#packed)* };
                ::core::result::Result::Ok(parts.word())
            }

            #[inline]
            fn unpack<__Word: ::downbeat_sim::pack::Word>(word: __Word) -> Self {
                let mut parts = ::downbeat_sim::pack::Unpacker::new(word);
                match parts.number(#tag_bits) { #(#unpacked)* }
            }
        }
    })
}

fn shapes(input: &DeriveInput) -> Result<Vec<Shape>> {
    match &input.data {
        Data::Struct(data) => Ok(vec![Shape::new(None, &data.fields)?]),
        Data::Enum(data) if data.variants.is_empty() => Err(Error::new_spanned(
            &input.ident,
            "an enum without variants has no value to pack: give it a variant, or use `()`",
        )),
        Data::Enum(data) => {
            let shape = |variant: &syn::Variant| {
                bound::refuse(&variant.attrs)?;
                Shape::new(Some(&variant.ident), &variant.fields)
            };
            data.variants.iter().map(shape).collect()
        }
        Data::Union(data) => Err(Error::new_spanned(
            data.union_token,
            "a union does not know which of its fields it has: use an enum",
        )),
    }
}

/// A struct is encoded as an enum of one variant, whose number takes no bits.
struct Encoding {
    /// The name of the type.
    name: String,
    shapes: Vec<Shape>,
}

/// A struct, or one variant of an enum.
struct Shape {
    /// `Self` or `Self::Variant`.
    path: TokenStream,
    parts: Vec<Part>,
}

struct Part {
    /// The field within its shape.
    member: Member,
    /// The field within its type: `retries`, `Waiting::turns`.
    name: String,
    ty: Type,
    /// The largest value that it declares.
    max: Option<TokenStream>,
}

impl Encoding {
    fn tag_bits(&self) -> u32 {
        usize::BITS - (self.shapes.len() - 1).leading_zeros()
    }

    fn fields(&self) -> Vec<TokenStream> {
        let mut fields = Vec::new();
        for shape in &self.shapes {
            let mut begin = self.tag_bits().to_token_stream();
            for part in &shape.parts {
                let (name, bits) = (&part.name, part.bits());
                fields.push(quote!(::downbeat_sim::pack::Field { name: #name, begin: #begin, bits: #bits }));
                begin = quote!(#begin + #bits);
            }
        }
        fields
    }

    fn packed(&self) -> impl Iterator<Item = TokenStream> {
        (0_u64..).zip(&self.shapes).map(|(number, shape)| {
            let (pattern, tag_bits) = (shape.pattern(), self.tag_bits());
            let parts = shape.parts.iter().enumerate().map(|(index, part)| {
                let value = binding(index);
                let field = format!("{}::{}", self.name, part.name);
                match &part.max {
                    None => quote!(.part(#value)?),
                    Some(max) => quote!(.bounded(#value, const { #max }, #field)?),
                }
            });
            quote!(#pattern => parts.number(#number, #tag_bits) #(#parts)*,)
        })
    }

    /// The last variant stands for the numbers that no variant has, too.
    fn unpacked(&self) -> impl Iterator<Item = TokenStream> {
        let last = self.shapes.len() - 1;
        self.shapes.iter().enumerate().map(move |(number, shape)| {
            let number = u64::try_from(number).ok().filter(|_| number < last);
            let number = number.map_or_else(|| quote!(_), |number| quote!(#number));
            let value = shape.value();
            quote!(#number => #value,)
        })
    }
}

impl Shape {
    fn new(variant: Option<&Ident>, fields: &Fields) -> Result<Self> {
        let parts = fields.members().zip(fields).map(|(member, field)| {
            let name = match &member {
                Member::Named(name) => name.unraw().to_string(),
                Member::Unnamed(index) => index.index.to_string(),
            };
            let name = variant.map_or_else(|| name.clone(), |variant| format!("{}::{name}", variant.unraw()));
            Ok(Part { member, name, ty: field.ty.clone(), max: bound::declared(field)? })
        });
        let path = variant.map_or_else(|| quote!(Self), |variant| quote!(Self::#variant));
        Ok(Self { path, parts: parts.collect::<Result<_>>()? })
    }

    fn bits(&self) -> TokenStream {
        let parts = self.parts.iter().map(Part::bits);
        quote!(0 #(+ #parts)*)
    }

    fn pattern(&self) -> TokenStream {
        let (path, members) = (&self.path, self.parts.iter().map(|part| &part.member));
        let values = (0..self.parts.len()).map(binding);
        quote!(#path { #(#members: #values),* })
    }

    fn value(&self) -> TokenStream {
        let (path, members) = (&self.path, self.parts.iter().map(|part| &part.member));
        let values = self.parts.iter().map(|part| match (&part.ty, &part.max) {
            (ty, None) => quote!(parts.part::<#ty>()),
            (ty, Some(max)) => quote!(parts.bounded::<#ty>(const { #max })),
        });
        quote!(#path { #(#members: #values),* })
    }
}

impl Part {
    fn bits(&self) -> TokenStream {
        match (&self.ty, &self.max) {
            (ty, None) => quote!(<#ty as ::downbeat_sim::pack::Pack>::BITS),
            (_, Some(max)) => quote!(::downbeat_sim::pack::width(#max)),
        }
    }
}

fn binding(index: usize) -> Ident {
    format_ident!("part_{index}")
}

#[cfg(test)]
mod tests {
    use crate::refusal::refusal;

    const NO_UNSIGNED: &str = "a bound is for a field of type u8, u16, u32, u64 or usize; any other type packs itself: \
                               remove the attribute, or declare the bound inside the type";
    const UNKNOWN: &str = "a bound is `max = 5` or `bits = 3`";
    const MISSING: &str = "a bound is missing: write `max = 5` or `bits = 3`";
    const TWO: &str = "one bound is enough: remove one of `max` and `bits`";
    const NO_FIELD: &str = "a bound belongs to a field: write it before the field";

    #[test]
    fn pack_says_at_its_place_what_it_cannot_derive() {
        #[rustfmt::skip]
        let cases = [
            ("union U { a: u8 }", "union", "a union does not know which of its fields it has: use an enum"),
            ("enum Never {}", "Never",
                "an enum without variants has no value to pack: give it a variant, or use `()`"),
            ("#[pack(bits = 3)] struct S { a: u8 }",          "#[pack(bits = 3)]", NO_FIELD),
            ("enum E { A, #[pack(max = 2)] B(u8) }",          "#[pack(max = 2)]",  NO_FIELD),
            ("struct S { #[pack(bit = 3)] a: u8 }",           "bit",               UNKNOWN),
            ("struct S { #[pack(max = 3, width = 2)] a: u8 }", "width",            TWO),
            ("struct S { #[pack(max = 3)] #[pack(bits = 2)] a: u8 }", "bits",      TWO),
            ("struct S { #[pack()] a: u8 }",                  "#[pack()]",         MISSING),
            ("struct S { #[pack(bits = 9)] a: u8 }",          "9",    "`u8` has 1 to 8 bits to declare"),
            ("struct S { #[pack(bits = 0)] a: u16 }",         "0",    "`u16` has 1 to 16 bits to declare"),
            ("struct S(#[pack(bits = 1)] bool);",             "bool", NO_UNSIGNED),
            ("struct S(#[pack(max = 1)] i8);",                "i8",   NO_UNSIGNED),
            ("struct S(#[pack(max = 1)] Option<u8>);",        "Option<u8>", NO_UNSIGNED),
            ("enum E { A { #[pack(max = 1)] a: [u8; 2] } }",  "[u8; 2]",    NO_UNSIGNED),
        ];
        for (source, place, sentence) in cases {
            assert_eq!(refusal(super::expand, source), (place.to_owned(), sentence.to_owned()), "{source}");
        }
    }

    /// What is no bound at all is refused by the parser, in its words and at the right place.
    #[test]
    fn pack_takes_numbers_for_bounds() {
        #[rustfmt::skip]
        let cases = [
            ("struct S { #[pack] a: u8 }",            "pack",    "expected attribute arguments in parentheses: #[pack(...)]"),
            ("struct S { #[pack(max)] a: u8 }",       ")",       "expected `=`"),
            ("struct S { #[pack(bits = WIDTH)] a: u8 }", "WIDTH", "expected integer literal"),
        ];
        for (source, place, sentence) in cases {
            assert_eq!(refusal(super::expand, source), (place.to_owned(), sentence.to_owned()), "{source}");
        }
    }
}
