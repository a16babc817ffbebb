//! Engines that check models.
pub mod model;
