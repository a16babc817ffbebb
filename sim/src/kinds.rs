//! Kinds of action: by what name a report counts the steps that were taken.

#[cfg(feature = "derive")]
pub use downbeat_sim_derive::Kinds;

/// Actions of named kinds, for [`Model::kinds`](crate::model::Model::kinds) and
/// [`Model::kind`](crate::model::Model::kind).
///
/// With the feature `derive`, an enum has one kind for each variant.
#[diagnostic::on_unimplemented(
    message = "the actions of `{Self}` are of no named kinds",
    note = "an enum gets them from `#[derive(downbeat_sim::kinds::Kinds)]`"
)]
pub trait Kinds {
    /// How many kinds there are.
    const COUNT: usize;

    /// Their names.
    fn names() -> Vec<&'static str>;

    /// The kind of this action, as an index into [`Kinds::names`].
    fn kind(&self) -> usize;
}
