//! Derives for the states and actions of models.

mod rename;

use proc_macro::TokenStream;

/// Writes `Rename` for a struct or an enum, and `Id` for a tuple struct marked `#[rename(id)]`.
///
/// The attributes are described at `downbeat_sim::symmetry::Rename`.
#[proc_macro_derive(Rename, attributes(rename))]
pub fn derive_rename(input: TokenStream) -> TokenStream {
    rename::derive(input.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
