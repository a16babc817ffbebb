//! Derives for the states and actions of models.
