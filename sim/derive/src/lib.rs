//! Derives for the states and actions of models.
//!
//! `downbeat-sim` re-exports each beside its trait, which says what it is for; write
//! `#[derive(downbeat_sim::pack::Pack)]` with the feature `derive`. What a derive cannot do is an error at the place in
//! the source that is to be changed, and says what to write instead.

mod bound;
mod kinds;
mod pack;
#[cfg(test)]
mod refusal;
mod rename;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// The packed encoding of a struct or an enum: its fields one beside the other, the first one lowest.
///
/// An enum begins with the number of the variant, in as few bits as the variants need; all variants have the width
/// of the widest. Every field must be `Pack`. An unsigned integer takes all its bits unless it declares less:
///
/// - `#[pack(max = 5)]`: it is at most 5. Any constant expression will do.
/// - `#[pack(bits = 3)]`: it is less than 2³.
///
/// A value beyond that is an error when it is packed, never another state.
#[proc_macro_derive(Pack, attributes(pack))]
pub fn derive_pack(input: TokenStream) -> TokenStream {
    expanded(pack::expand(&parse_macro_input!(input as DeriveInput)))
}

/// `Rename` for a struct or an enum, and `Id` for a tuple struct marked `#[rename(id)]`.
///
/// The attributes are described at `downbeat_sim::symmetry::Rename`.
#[proc_macro_derive(Rename, attributes(rename))]
pub fn derive_rename(input: TokenStream) -> TokenStream {
    expanded(rename::derive(input.into()))
}

/// The kinds of an enum of actions: one for each variant, named in words (`ReceivePrepared`: `receive prepared`).
///
/// In place of a variant with `#[kinds(nested)]`, whose one field is an enum with kinds of its own, stand those.
#[proc_macro_derive(Kinds, attributes(kinds))]
pub fn derive_kinds(input: TokenStream) -> TokenStream {
    expanded(kinds::expand(&parse_macro_input!(input as DeriveInput)))
}

fn expanded(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}
