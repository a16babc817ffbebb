//! What a derive refuses, for its tests.

use proc_macro2::TokenStream;
use syn::{DeriveInput, Result};

/// The place in the source that a derive objects to, and what it says there.
pub(crate) fn refusal(expand: fn(&DeriveInput) -> Result<TokenStream>, source: &str) -> (String, String) {
    let input = syn::parse_str(source).expect("the source is a type");
    let error = expand(&input).expect_err("the derive refuses it");
    (error.span().source_text().expect("the place is in the source"), error.to_string())
}
